"""Reads XML of strangers: streaming, bounded, and without anything that XML could fetch or expand.

A document type, an entity or an external reference is refused, whatever it is good for: with
them a few lines become gigabytes, or a file of this machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from cronops.errors import BadInput

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LIMIT = 1 << 30
"""Most bytes of a document that is streamed, where the caller does not say."""
DEEPEST = 64
"""Most elements inside each other."""
MOST_ATTRIBUTES = 256
"""Most attributes of one element."""
MOST_NAMES = 10_000
"""Most different names of elements and attributes."""
LARGEST_TAG = 1 << 20
"""Most bytes of one tag, comment or the like."""
LARGEST_ELEMENT = 16 << 20
"""Most bytes of one of the elements that are asked for."""
_BLOCK = 1 << 16


def iter_elements(
    source: BinaryIO | Path, tag: str, *, limit: int = LIMIT, name: str = ""
) -> "Iterator[Element]":
    """Each element called `tag`, complete, as it comes; nothing else is kept in memory.

    `tag` is a name in any namespace, or ``{namespace}name`` in one. What lies inside such an
    element belongs to it, even if it is called the same. Raises `BadInput` that names the file
    (or `name`) and the line for what is no XML, has a document type or an entity, is larger
    than `limit` bytes, or is larger, deeper or wider than the limits of this module.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield from iter_elements(file, tag, limit=limit, name=name or source.name)
        return
    reader = _Reader(tag, limit, name or _name_of(source))
    while block := source.read(_BLOCK):
        yield from reader.feed(block)
    yield from reader.close()


def parse(content: bytes, *, limit: int, name: str = "the XML") -> "Element":
    """The root of a small document. Raises `BadInput` as `iter_elements` does."""
    reader = _Reader(None, limit, name)
    stream = BytesIO(content)
    roots: list[Element] = []
    while block := stream.read(_BLOCK):
        roots += reader.feed(block)
    roots += reader.close()
    return roots[0]


class _Reader:
    """Feeds a parser, and keeps watch over what it makes of it."""

    def __init__(self, tag: str | None, limit: int, name: str) -> None:
        from defusedxml.ElementTree import DefusedXMLParser

        self._name = name
        self._limit = limit
        self._taken = 0
        self._parser = DefusedXMLParser(target=object(), forbid_dtd=True)
        self._expat = self._parser.parser
        self._elements = _Elements(tag, self._expat)

    def feed(self, block: bytes) -> "list[Element]":
        """The elements that `block` completes."""
        self._taken += len(block)
        with self._told():
            if self._taken > self._limit:
                raise _Refused(f"it is larger than {self._limit:,} bytes")
            self._parser.feed(block)
            if self._taken - max(0, self._expat.CurrentByteIndex) > LARGEST_TAG + _BLOCK:
                raise _Refused(f"a tag is longer than {LARGEST_TAG:,} bytes")
            self._elements.check_size()
        return self._elements.finished()

    def close(self) -> "list[Element]":
        """The elements that the end completes."""
        with self._told():
            self._parser.close()
        return self._elements.finished()

    @contextmanager
    def _told(self) -> Iterator[None]:
        from xml.etree.ElementTree import ParseError

        from defusedxml.common import (
            DTDForbidden,
            EntitiesForbidden,
            ExternalReferenceForbidden,
        )

        try:
            yield
        except DTDForbidden:
            raise self._bad("it has a document type (DOCTYPE), which is refused") from None
        except (EntitiesForbidden, ExternalReferenceForbidden):
            raise self._bad("it declares an entity, which is refused") from None
        except ParseError as error:
            line, column = error.position
            reason = str(error).partition(": line ")[0]
            raise BadInput(f"{self._name}, line {line}, column {column + 1}: {reason}") from None
        except (_Refused, ValueError, LookupError) as error:
            # An encoding that is unknown or has characters of several bytes comes as these two.
            raise self._bad(str(error)) from None

    def _bad(self, reason: str) -> BadInput:
        return BadInput(f"{self._name}, line {self._expat.CurrentLineNumber}: {reason}")


class _Refused(Exception):
    """What is XML, and more of it than is good."""


class _Elements:
    """Builds the elements that are asked for, and passes by all others.

    Its methods are expat's handlers themselves: what lies between in the library would cost half
    of the time.
    """

    def __init__(self, tag: str | None, expat: Any) -> None:
        from xml.etree.ElementTree import TreeBuilder

        self._new_builder = TreeBuilder
        self._builder: TreeBuilder | None = None
        self._tag = tag
        self._expat = expat
        self._depth = 0
        self._began_at_depth = 0
        self._began_at_byte = 0
        self._names: dict[str, str] = {}
        self._wanted: set[str] = set()
        self._finished: list[Element] = []
        expat.StartElementHandler = self._start
        expat.EndElementHandler = self._end
        expat.CharacterDataHandler = _pass_by

    def check_size(self) -> None:
        """Raise `_Refused` where the element that is being built is too large."""
        if self._builder is None or self._tag is None:
            return
        if self._expat.CurrentByteIndex - self._began_at_byte > LARGEST_ELEMENT:
            raise _Refused(f"one element is larger than {LARGEST_ELEMENT:,} bytes")

    def finished(self) -> "list[Element]":
        """The elements that were completed since this was asked."""
        finished, self._finished = self._finished, []
        return finished

    def _start(self, raw: str, attributes: list[str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _Refused(f"more than {DEEPEST} elements lie inside each other")
        name = self._names.get(raw) or self._learn(raw)
        builder = self._builder
        if attributes:
            given = self._given(attributes)
        if builder is None:
            if raw not in self._wanted:
                return
            builder = self._builder = self._new_builder()
            self._expat.CharacterDataHandler = builder.data
            self._began_at_depth = self._depth
            self._began_at_byte = self._expat.CurrentByteIndex
        builder.start(name, given if attributes else {})

    def _end(self, raw: str) -> None:
        if self._builder is not None:
            self._builder.end(self._names[raw])
            if self._depth == self._began_at_depth:
                self.check_size()
                self._finished.append(self._builder.close())
                self._builder = None
                self._expat.CharacterDataHandler = _pass_by
        self._depth -= 1

    def _given(self, attributes: list[str]) -> dict[str, str]:
        """The attributes by name; expat gives names and values in turn."""
        if len(attributes) > 2 * MOST_ATTRIBUTES:
            raise _Refused(f"an element has more than {MOST_ATTRIBUTES} attributes")
        return {
            self._names.get(raw) or self._learn(raw): value
            for raw, value in zip(attributes[::2], attributes[1::2], strict=True)
        }

    def _learn(self, raw: str) -> str:
        """The name as ElementTree writes it; every new one stays in memory, here and in expat."""
        if len(self._names) >= MOST_NAMES:
            raise _Refused(f"it has more than {MOST_NAMES:,} different names")
        self._names[raw] = name = "{" + raw if "}" in raw else raw
        local = raw.rpartition("}")[2]
        if self._tag is None or self._tag in (name, local):
            self._wanted.add(raw)
        return name


def _pass_by(_text: str) -> None:
    """Text outside of what is asked for."""


def _name_of(source: BinaryIO) -> str:
    name = getattr(source, "name", None)
    return Path(name).name if isinstance(name, str) else "the XML"

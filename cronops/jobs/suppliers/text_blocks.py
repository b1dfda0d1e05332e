"""A file's bytes as blocks of whole lines, in flat memory, whatever the bytes are."""

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from cronops.errors import BadInput

BLOCK_BYTES = 256 * 1024
LONGEST_LINE = 1024 * 1024
REPLACEMENT = "\ufffd"
"""Stands where bytes are not of the encoding; a row with one is rejected."""

_MARK = "\ufeff"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole lines, or the beginning of one that has no end."""

    text: str
    is_endless: bool = False


def blocks(stream: BinaryIO, encoding: str) -> Iterator[Block]:
    """The text in blocks that end with a line end; the last one may lack it.

    A line longer than `LONGEST_LINE` comes as one block that says so, cut short. ``\\r`` alone
    ends a line where the file begins with such lines. Raises `BadInput` where the bytes cannot
    be of that encoding at all.
    """
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    rest, endless, is_first, only_returns = "", "", True, False
    while True:
        chunk = stream.read(BLOCK_BYTES)
        try:
            # A mark of the byte order stands in the middle where files were joined.
            text = decoder.decode(chunk, final=not chunk).replace(_MARK, "")
        except UnicodeError as error:
            raise BadInput(f"the file is not in {encoding}: {error}") from None
        if is_first and text:
            is_first = False
            only_returns = "\n" not in text and "\r" in text[:-1]
        if only_returns:
            text = text.replace("\r", "\n")
        if endless:
            _, end, text = text.partition("\n")
            if end or not chunk:
                yield Block(endless, is_endless=True)
                endless = ""
        elif text:
            place = text.rfind("\n") + 1
            if place:
                yield Block(rest + text[:place])
                rest = text[place:]
            else:
                rest += text
            text = ""
        if text:  # behind an endless line's end
            place = text.rfind("\n") + 1
            if place:
                yield Block(text[:place])
            rest = text[place:]
        if len(rest) > LONGEST_LINE:
            endless, rest = rest[:2000], ""
        if not chunk:
            break
    if rest:
        yield Block(rest)


def encoding_of(open_bytes: Callable[[], BinaryIO]) -> str:
    """What a file is written in, by its mark, or by whether its bytes are UTF-8.

    Where letters beyond ASCII are mostly not UTF-8, it is windows-1252.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    good = bad = 0
    is_first = True
    with open_bytes() as stream:
        while True:
            chunk = stream.read(BLOCK_BYTES)
            if is_first:
                for mark, name in _BYTE_ORDER_MARKS:
                    if chunk.startswith(mark):
                        return name
                is_first = False
            if not chunk.isascii():
                text = decoder.decode(chunk, final=not chunk)
                wrong = text.count(REPLACEMENT)
                bad += wrong
                good += len(text) - len(text.encode("ascii", "ignore")) - wrong
            if not chunk:
                return "utf-8" if good >= bad else "windows-1252"

"""A batch as a file: found, proved to be whole, and read line by line in flat memory."""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from cronops.errors import BadInput

PATTERN = "images_*.csv"

_BLOCK = 256 * 1024
_LONGEST_LINE = 1024 * 1024
_BOM = b"\xef\xbb\xbf"


class ChangedWhileRead(Exception):
    """Somebody is still writing the file: another run will take it."""


@dataclass(frozen=True)
class Found:
    """A name that fits, in the directory of batches."""

    name: str
    modified: float
    """When its content or its name last changed, by the file system's own clock."""

    @property
    def shown(self) -> str:
        """The name as text that can be stored and printed, whatever its bytes are."""
        text = os.fsencode(self.name).decode("utf-8", "backslashreplace")
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

    def is_settled(self, seconds: float) -> bool:
        """Whether it has been left alone for so long."""
        return time.time() - self.modified >= seconds


def find_batches(parent: int) -> list[Found]:
    """What is called like a batch, the oldest first, whatever it is."""
    found: list[tuple[int, Found]] = []
    with os.scandir(parent) as entries:
        for entry in entries:
            if not fnmatchcase(entry.name, PATTERN):
                continue
            try:
                facts = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # taken back since the directory was read
                continue
            # The time of the last change of status: no upload can set it to the past.
            found.append((facts.st_mtime_ns, Found(entry.name, facts.st_ctime)))
    return [one for _, one in sorted(found, key=lambda pair: (pair[0], pair[1].name))]


@dataclass(frozen=True)
class Content:
    """What a file held when it was first read."""

    sha256: str
    size: int
    stamp: tuple[int, int, int]
    """Size, time of change, and inode."""

    @property
    def inode(self) -> int:
        """Which file of the file system it was."""
        return self.stamp[2]


def fingerprint(file: int) -> Content:
    """Read an open file once. Raises `ChangedWhileRead`."""
    before = _stamp(file)
    digest, size = hashlib.sha256(), 0
    for block in _blocks(file):
        digest.update(block)
        size += len(block)
        if size > before[0]:  # whoever writes as fast as this reads would never let it end
            raise ChangedWhileRead
    if _stamp(file) != before or size != before[0]:
        raise ChangedWhileRead
    return Content(digest.hexdigest(), size, before)


def read_lines(file: int, content: Content, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """The file's lines, many at once, with the number of the first; without their ends.

    Raises `BadInput` at the first line that shows the file to be damaged, and
    `ChangedWhileRead` at the end where it is not what `content` says any more.
    """
    digest = hashlib.sha256()
    number, rest, size = 1, b"", 0
    for block in _blocks(file):
        digest.update(block)
        size += len(block)
        if size > content.size:
            raise ChangedWhileRead
        if number == 1 and not rest:
            block = block.removeprefix(_BOM)
        whole, newline, tail = block.rpartition(b"\n")
        if not newline:
            rest += block
        else:
            lines = _decoded(rest + whole, encoding, number)
            yield number, lines
            number += len(lines)
            rest = tail
        if len(rest) > _LONGEST_LINE:
            raise BadInput(f"line {number} is longer than {_LONGEST_LINE:,} bytes")
    if rest:
        yield number, _decoded(rest, encoding, number)
    if digest.hexdigest() != content.sha256 or _stamp(file) != content.stamp:
        raise ChangedWhileRead


def still_as_read(file: int, content: Content) -> bool:
    """Whether nobody has written to it since."""
    return _stamp(file) == content.stamp


def _decoded(block: bytes, encoding: str, number: int) -> list[str]:
    try:
        text = block.decode(encoding)
    except UnicodeDecodeError as error:
        line = number + block.count(b"\n", 0, error.start)
        raise BadInput(
            f"line {line} is not {encoding}: byte 0x{block[error.start]:02x}; save the file as "
            f"{encoding}, or set CRONOPS_IMAGES__ENCODING"
        ) from None
    if "\0" in text:
        line = number + text.count("\n", 0, text.index("\0"))
        raise BadInput(f"line {line} has a NUL byte: the file is damaged")
    lines = text.split("\n")
    if "\r" in text:
        lines = [line.removesuffix("\r") for line in lines]
    if len(text) > _LONGEST_LINE:
        for at, text_of in enumerate(lines, number):
            if len(text_of) > _LONGEST_LINE:
                raise BadInput(f"line {at} is longer than {_LONGEST_LINE:,} bytes")
    return lines


def _blocks(file: int) -> Iterator[bytes]:
    os.lseek(file, 0, os.SEEK_SET)
    while block := os.read(file, _BLOCK):
        yield block


def _stamp(file: int) -> tuple[int, int, int]:
    facts = os.fstat(file)
    return facts.st_size, facts.st_mtime_ns, facts.st_ino

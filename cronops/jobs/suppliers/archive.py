"""The parts of a supplier's file: itself, or the members of a ZIP, none of them trusted."""

import errno
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from cronops.errors import BadInput

MOST_BYTES = 4 * 1024**3
"""What a ZIP may hold, unpacked."""
HIGHEST_RATIO = 200
"""Unpacked to packed; stock files reach 20, and bombs 1,000."""
MOST_MEMBERS = 1_000
_SMALL = 10 * 1024**2
_ZIP_MARK = b"PK"
_IS_ENCRYPTED = 0x1
# The library unpacks bzip2 and LZMA a block at once, however large that becomes: 800 bytes a GB.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class Part:
    """Something to be read from its beginning, more than once if need be."""

    name: str
    size: int
    """In bytes, unpacked."""
    open: Callable[[], BinaryIO]


@contextmanager
def parts_of(path: Path, member_glob: str) -> Iterator[Sequence[Part]]:
    """The parts of the file, in the order of their names. Raises `BadInput`."""
    with path.open("rb") as file:
        is_zip = file.read(2) == _ZIP_MARK
    if not is_zip:
        yield [Part(path.name, path.stat().st_size, lambda: path.open("rb"))]
        return
    with _told(path.name):
        archive = zipfile.ZipFile(path)
    with archive:
        yield _members(path.name, archive, member_glob, size=path.stat().st_size)


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Whatever the library makes of a damaged ZIP, and that are a dozen kinds of errors."""
    try:
        yield
    except (BadInput, MemoryError):
        raise
    except OSError as error:
        # A place before the beginning, or behind the end; anything else is this machine's trouble.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise BadInput(f"{name} is no whole ZIP: {error}") from None
    except Exception as error:
        raise BadInput(f"{name} is no whole ZIP: {error}") from None


def _members(name: str, archive: zipfile.ZipFile, member_glob: str, *, size: int) -> Sequence[Part]:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise BadInput(f"{name} has {len(members):,} members; {MOST_MEMBERS:,} are allowed")
    for member in members:
        _check(name, member)
    wanted = [
        member
        for member in members
        if not member.is_dir() and fnmatchcase(PurePosixPath(member.filename).name, member_glob)
    ]
    if not wanted:
        raise BadInput(f"{name} has no member that fits {member_glob!r}")
    # Members may overlap, or say that they are packed larger than the file is.
    budget = _Budget(name, min(size, sum(member.compress_size for member in wanted)))
    budget.check(sum(member.file_size for member in wanted))
    wanted.sort(key=lambda member: member.filename)
    return [
        Part(
            f"{name}/{_shown(member.filename)}",
            member.file_size,
            lambda member=member: _opened(archive, member, budget),  # type: ignore[misc]
        )
        for member in wanted
    ]


def _opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: "_Budget") -> BinaryIO:
    # What the directory of a ZIP says of sizes need not be so: what comes is counted.
    with _told(budget.name):
        return cast("BinaryIO", _Counted(archive.open(member), budget))


def _shown(inside: str) -> str:
    return (inside if inside.isprintable() else ascii(inside)[1:-1])[:200]


def _check(name: str, member: zipfile.ZipInfo) -> None:
    inside = member.filename
    path = PurePosixPath(inside.replace("\\", "/"))
    is_drive = len(inside) > 1 and inside[1] == ":"
    if path.is_absolute() or ".." in path.parts or is_drive:
        raise BadInput(f"{name}: a member is called {inside[:200]!r}, which leads outside")
    if member.flag_bits & _IS_ENCRYPTED:
        raise BadInput(f"{name}: {inside[:200]!r} is encrypted")
    if member.compress_type not in _METHODS:
        raise BadInput(
            f"{name}: {inside[:200]!r} is packed by method {member.compress_type}; "
            "deflate (8) and none (0) are read"
        )
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadInput(f"{name}: {inside[:200]!r} is no regular file")


class _Budget:
    """How much may come out of a ZIP, all its members together, each time they are read."""

    def __init__(self, name: str, packed: int) -> None:
        self.name = name
        self._most = min(MOST_BYTES, max(_SMALL, packed * HIGHEST_RATIO))

    def check(self, unpacked: int) -> None:
        if unpacked > self._most:
            raise BadInput(
                f"{self.name} unpacks to more than {self._most:,} bytes, which no stock file "
                "does: it was not read"
            )


class _Counted:
    """A member's bytes, counted as they come."""

    def __init__(self, stream: IO[bytes], budget: _Budget) -> None:
        self._stream, self._budget, self._count = stream, budget, 0

    def read(self, size: int = -1) -> bytes:
        with _told(self._budget.name):
            got = self._stream.read(size)
        self._count += len(got)
        self._budget.check(self._count)
        return got

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> "_Counted":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

"""Names of files, as they may be taken from a partner or given to one."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from cronops.errors import BadInput

TEMPORARY = ".part"
"""What a file's name ends with at the other end until all of it is there."""
_LONGEST = 255 - len(TEMPORARY)
_UNFINISHED = (TEMPORARY, ".tmp")
_MOST_NUMBERED = 10_000


def check_name(name: str) -> str:
    """`name`, where it names a file and nothing else. Raises `BadInput`."""
    reason = _wrong_with(name)
    if reason:
        raise BadInput(f"{name!r} is no name of a file: {reason}")
    return name


def is_listed(name: str, pattern: str) -> bool:
    """Whether a listing shows `name`: it fits the pattern, and is neither hidden nor unfinished."""
    if _wrong_with(name) or name.lower().endswith(_UNFINISHED):
        return False
    return fnmatchcase(name, pattern)


def numbered(name: str) -> Iterator[str]:
    """`name`, then ``stock.1.csv``, ``stock.2.csv`` …: what it may be called where it is taken."""
    yield name
    path = PurePosixPath(name)
    for number in range(1, _MOST_NUMBERED):
        yield f"{path.stem}.{number}{path.suffix}"


def _wrong_with(name: str) -> str:
    if not name or name.startswith("."):
        return "it is empty or starts with a dot"
    if "/" in name or "\\" in name:
        return "it has a slash"
    if not name.isprintable():
        return "it has control characters, or is not UTF-8"
    if len(name.encode()) > _LONGEST:
        return f"it is longer than {_LONGEST} bytes"
    return ""

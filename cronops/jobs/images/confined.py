"""Files below a root that nothing leads out of: each directory is opened in the one above it.

Symbolic links are not followed, wherever they point: what is checked is what is opened.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cronops.errors import TransientError

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Opening a pipe without a writer, or a device, would otherwise wait for ever.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class Standstill(TransientError):
    """A directory that everything needs is not there, or cannot be written."""


class NotAFile(Exception):
    """What has that name is something else; the text says what."""


@contextmanager
def directory(root: Path, *parts: str, make: bool = False) -> Iterator[int]:
    """A directory's descriptor; `make` makes what is missing below the root.

    Raises `OSError`; `NotADirectoryError` also for a symbolic link below the root. The root
    itself may be one: it is the operator's.
    """
    held = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            _refuse_paths(part)
            if make:
                _make(part, held)
            below = os.open(part, _DIRECTORY, dir_fd=held)
            os.close(held)
            held = below
        yield held
    finally:
        os.close(held)


def _refuse_paths(name: str) -> None:
    # Whoever wrote the name, a row of a table included: `..` is no link, and leads out as well.
    if name in ("", ".", "..") or "/" in name:
        raise FileNotFoundError(errno.ENOENT, "no name of anything in a directory", name)


def _make(name: str, parent: int) -> None:
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        return
    os.fsync(parent)


def open_file(name: str, parent: int) -> int:
    """A regular file's descriptor. Raises `NotAFile` for anything else, or `OSError`."""
    _refuse_paths(name)
    facts = os.stat(name, dir_fd=parent, follow_symlinks=False)
    refuse_unless_regular(facts)
    file = os.open(name, _FILE, dir_fd=parent)
    try:
        # Looked at again: another one may have come by that name in between.
        refuse_unless_regular(os.fstat(file))
    except BaseException:
        os.close(file)
        raise
    return file


def refuse_unless_regular(facts: os.stat_result) -> None:
    """Raise `NotAFile` unless these are the facts of a regular file."""
    if stat.S_ISREG(facts.st_mode):
        return
    for fits, name in _KINDS:
        if fits(facts.st_mode):
            raise NotAFile(f"it is {name}, not a file")
    raise NotAFile("it is not a file")


def exists(name: str, parent: int) -> bool:
    """Whether anything has that name, a dangling link included."""
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def write_part(part: str, parent: int, blocks: Iterable[bytes]) -> None:
    """Write a file under a temporary name, synced; `os.rename` then gives it its own.

    Where it cannot be written to its end, nothing is left of it.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(part, flags, 0o644, dir_fd=parent), "wb") as file:
            file.writelines(blocks)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            remove(part, parent)
        raise


def remove(name: str, parent: int) -> None:
    """Remove a file; one that is gone already is no matter."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=parent)

"""Files below a root that nothing leads out of: each directory is opened in the one above it.

Symbolic links are not followed, wherever they point: what is checked is what is opened, and what
is held open stays the same whatever becomes of its name. The one module that walks by descriptors,
for rooms and clients alike.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_ROOT = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_DIRECTORY = _ROOT | os.O_NOFOLLOW
# Whoever only passes through needs no permission to list what lies there.
_PASSAGE = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
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


class NotAFile(Exception):
    """What has that name is something else; the text says what."""


def open_below(root: Path, *parts: str, make: bool = False, follow_root: bool = True) -> int:
    """The descriptor of a directory below `root`; `make` makes what is missing on the way.

    Raises `OSError`; `NotADirectoryError` also for a symbolic link below the root. The root
    itself may be one, as it is the operator's, unless `follow_root` says otherwise.
    """
    held = os.open(root, _ROOT if follow_root else _DIRECTORY)
    for number, part in enumerate(parts, start=1):
        try:
            _refuse_paths(part)
            if make:
                _make(part, held)
            # A directory that is made in is synced, which takes more than a passage.
            flags = _DIRECTORY if make or number == len(parts) else _PASSAGE
            below = os.open(part, flags, dir_fd=held)
        finally:
            os.close(held)
        held = below
    return held


@contextmanager
def directory(root: Path, *parts: str, make: bool = False) -> Iterator[int]:
    """`open_below`, closed at the end."""
    held = open_below(root, *parts, make=make)
    try:
        yield held
    finally:
        os.close(held)


def open_directory(name: str, parent: int) -> int:
    """The descriptor of a directory in another one; `NotADirectoryError` for a symbolic link."""
    _refuse_paths(name)
    return os.open(name, _DIRECTORY, dir_fd=parent)


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
    # Looked at again: another one may have come by that name in between.
    try:
        file = os.open(name, _FILE, dir_fd=parent)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotAFile("it is a symbolic link, not a file") from None
        if error.errno == errno.ENXIO:
            raise NotAFile("it is a socket, not a file") from None
        raise
    try:
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


def remove(name: str, parent: int) -> None:
    """Remove a file; one that is gone already is no matter."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=parent)

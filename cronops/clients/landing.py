"""A file that arrives: under a temporary name until all of it is there and on the disk."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from cronops.clients.patience import Deadline
from cronops.errors import BadInput, ConfigurationError, TransientError

BLOCK = 1 << 18
"""Bytes that are read and written at a time."""
_LONGEST_NAME = 255


class Landing:
    """Takes a file's bytes; refuses more than `limit`, and goes on no longer than it may."""

    def __init__(
        self, write: Callable[[bytes], object], limit: int, origin: str, deadline: Deadline
    ) -> None:
        self._write = write
        self._limit = limit
        self._origin = origin
        self._deadline = deadline
        self.size = 0
        """Bytes that have come so far."""

    def take(self, block: bytes) -> None:
        """Write the next bytes. Raises `BadInput` past the limit, `TimeUp` past the deadline."""
        self._deadline.check()
        self.size += len(block)
        if self.size > self._limit:
            raise too_large(self._origin, self._limit)
        try:
            self._write(block)
        except OSError as error:
            raise told(error, f"{self._origin}: cannot write what comes") from error

    def expect(self, size: int | None) -> None:
        """Raise `TransientError` where not as many bytes have come as there should be."""
        if size is not None and size != self.size:
            raise TransientError(
                f"{self._origin}: {self.size:,} bytes came where there should be {size:,}; it was "
                "cut off, or is still being written"
            )


@contextmanager
def landing(target: Path, *, limit: int, origin: str, deadline: Deadline) -> Iterator[Landing]:
    """A `Landing` whose bytes become `target` when the block ends without an error.

    They are written beside it under a temporary name, synced, and renamed. `origin` says in
    errors where they come from.
    """
    temporary = target.with_name(temporary_name(target.name))
    try:
        with temporary.open("wb") as file:
            arriving = Landing(file.write, limit, origin, deadline)
            yield arriving
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        sync_directory(target.parent)
    except OSError as error:
        raise told(error, f"{origin}: cannot write {target}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def temporary_name(name: str) -> str:
    """The hidden name beside `name` that it has while it arrives; always the same one."""
    hidden = f".{name}.part"
    if len(os.fsencode(hidden)) <= _LONGEST_NAME:
        return hidden
    return f".{sha256(os.fsencode(name)).hexdigest()}.part"


def sync_directory(directory: Path | int) -> None:
    """Have the disk know of the names in a directory, given by path or descriptor."""
    if isinstance(directory, int):
        os.fsync(directory)
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def too_large(origin: str, limit: int) -> BadInput:
    """The error for what is larger than `limit` bytes."""
    return BadInput(
        f"{origin} is larger than {limit:,} bytes, which is the most that is taken here"
    )


def told(error: OSError, doing: str) -> ConfigurationError | TransientError:
    """The error for what the operating system refused: a wrong place, or one that may recover."""
    reason = f"{doing}: {error.strerror or error}"
    if isinstance(
        error, FileNotFoundError | PermissionError | NotADirectoryError | IsADirectoryError
    ):
        return ConfigurationError(f"{reason}; check that it exists and may be used")
    return TransientError(reason)

"""How this room writes a file: whole under a temporary name, or not at all."""

import os
from collections.abc import Iterable
from contextlib import suppress

from cronops.clients.confined import remove
from cronops.errors import TransientError


class Standstill(TransientError):
    """A directory that everything needs is not there, or cannot be written."""


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

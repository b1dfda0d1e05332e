"""Which directory may be purged, and how it is opened: without a link anywhere on the way."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cronops.clients.confined import open_below
from cronops.errors import ConfigurationError, TransientError

_DIRECTORY = "CRONOPS_SESSIONS__DIRECTORY"
_ALLOWED = "CRONOPS_SESSIONS__ALLOWED"
_ROOT = Path("/")


def check_place(directory: Path, allowed: Sequence[Path]) -> None:
    """Raise `ConfigurationError` unless `directory` may be purged, by its name alone."""
    if not directory.is_absolute() or directory.anchor != "/":
        raise ConfigurationError(f"{_DIRECTORY}: {directory} must be absolute")
    if ".." in directory.parts:
        raise ConfigurationError(f"{_DIRECTORY}: {directory} must not hold '..'")
    if directory == _ROOT:
        raise ConfigurationError(f"{_DIRECTORY}: / itself is never purged")
    if not any(directory.is_relative_to(one) for one in allowed if one != _ROOT):
        listed = ", ".join(map(str, allowed)) or "nothing"
        raise ConfigurationError(
            f"{_DIRECTORY}: {directory} lies outside of what {_ALLOWED} allows ({listed})"
        )


@contextmanager
def opened(directory: Path) -> Iterator[int]:
    """The directory's descriptor, opened name by name from the root of all down."""
    try:
        held = open_below(_ROOT, *directory.parts[1:])
    except OSError as error:
        raise _told(error, directory) from None
    try:
        yield held
    finally:
        os.close(held)


def _told(error: OSError, directory: Path) -> Exception:
    if isinstance(error, FileNotFoundError):
        return ConfigurationError(f"{_DIRECTORY}: there is no {directory}; is it mounted?")
    if isinstance(error, NotADirectoryError) or error.errno == errno.ELOOP:
        return ConfigurationError(
            f"{_DIRECTORY}: {directory}, or a directory above it, is a symbolic link or no "
            "directory; links are not followed: name the place itself"
        )
    if isinstance(error, PermissionError):
        return ConfigurationError(
            f"{_DIRECTORY}: {directory} may not be read by this user (uid {os.getuid()})"
        )
    return TransientError(f"{directory} cannot be opened: {error.strerror}")

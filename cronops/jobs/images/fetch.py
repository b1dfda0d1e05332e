"""Gets a source, whole, into memory: a file below the root, or what a server gives."""

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

from cronops.errors import BadInput, TransientError
from cronops.jobs.images.confined import NotAFile, directory, open_file
from cronops.jobs.images.sources import is_url

if TYPE_CHECKING:
    from cronops.contract.context import JobContext

# The storage's trouble and not the file's: another try may find it well.
_PASSING = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EINTR})


class RootMissing(TransientError):
    """The directory of all sources is not there: a volume that is not mounted, say."""


def fetch(source: str, ctx: "JobContext") -> bytes:
    """The bytes of a source.

    Raises `TransientError` where another try may help; `BadInput`, `PermanentError` or
    `ConfigurationError` where none will.
    """
    settings = ctx.settings.images
    if is_url(source):
        return _download(source, ctx)
    return read_file(source, settings.source_root, limit=settings.max_bytes)


def read_file(source: str, root: Path, *, limit: int) -> bytes:
    """A file below `root`, by a path relative to it that leads through no symbolic link."""
    *parts, name = source.split("/")
    if not root.is_dir():
        raise RootMissing(f"there is no directory {root} (CRONOPS_IMAGES__SOURCE_ROOT)")
    try:
        with directory(root, *parts) as there:
            file = open_file(name, there)
    except NotAFile as error:
        raise BadInput(f"{source}: {error}") from None
    except (FileNotFoundError, NotADirectoryError):
        raise BadInput(
            f"{source}: there is no such file below {root}, or a symbolic link leads to it"
        ) from None
    except OSError as error:
        raise _unreadable(source, error) from None
    with os.fdopen(file, "rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        if size > limit:
            raise _too_large(source, limit)
        try:
            content = opened.read(limit + 1)
        except OSError as error:
            raise _unreadable(source, error) from None
    if len(content) > limit:
        raise _too_large(source, limit)
    return content


def _download(url: str, ctx: "JobContext") -> bytes:
    from cronops.clients.http import HttpClient

    settings = ctx.settings.images
    with HttpClient(
        ctx.settings,
        correlation_id=ctx.correlation_id,
        allow_http=settings.plain_http,
        public_only=settings.public_only,
        pause=ctx.pause,
    ) as http:
        return http.get(url, limit=settings.max_bytes).content


def _unreadable(source: str, error: OSError) -> BadInput | TransientError:
    said = f"{source} cannot be read: {error.strerror or error}"
    return TransientError(said) if error.errno in _PASSING else BadInput(said)


def _too_large(source: str, limit: int) -> BadInput:
    return BadInput(f"{source} is larger than {limit:,} bytes (CRONOPS_IMAGES__MAX_BYTES)")

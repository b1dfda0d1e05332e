"""Gets a source, whole, into memory: a file below the root, or what a server gives."""

import errno
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cronops.clients.confined import NotAFile, directory, open_file
from cronops.errors import BadInput, TransientError
from cronops.jobs.images.sources import host_of, is_url
from cronops.jobs.images.writing import Standstill

if TYPE_CHECKING:
    from cronops.clients.http import HttpClient
    from cronops.contract.context import JobContext

# The storage's trouble and not the file's: another try may find it well.
_PASSING = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EINTR})
# One bad address is no server that is down; each costs a long wait.
_DOWN_AFTER = 3


class Fetcher:
    """Gets one source after another; connections are kept until it is closed.

    `fetch` raises `TransientError` where another try may help; `BadInput`, `PermanentError` or
    `ConfigurationError` where none will.
    """

    def __init__(self, ctx: "JobContext") -> None:
        self._ctx = ctx
        self._settings = ctx.settings.images
        self._opened = ExitStack()
        self._http: HttpClient | None = None
        self._failures: dict[str, list[str]] = {}
        """By host: how it failed, since it last answered."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def fetch(self, source: str) -> bytes:
        """The bytes of a source."""
        if not is_url(source):
            settings = self._settings
            return read_file(source, settings.source_root, limit=settings.max_bytes)
        failures = self._failures.setdefault(host_of(source), [])
        try:
            content = self._client().get(source, limit=self._settings.max_bytes).content
        except TransientError as error:
            failures.append(str(error))
            raise
        except ValueError as error:
            # Hosts that no name server could know: `xn--`. The client's libraries each say so.
            raise BadInput(f"{source} is no URL: {error}") from None
        failures.clear()
        return content

    def why_not_now(self, source: str) -> str | None:
        """Why a source is not even asked for: its server has failed several times in a row."""
        failures = self._failures.get(host_of(source), []) if is_url(source) else []
        return failures[-1] if len(failures) >= _DOWN_AFTER else None

    def _client(self) -> "HttpClient":
        if self._http is None:
            from cronops.clients.http import HttpClient

            client = HttpClient(
                self._ctx.settings,
                correlation_id=self._ctx.correlation_id,
                allow_http=self._settings.plain_http,
                public_only=self._settings.public_only,
                pause=self._ctx.pause,
            )
            self._http = self._opened.enter_context(client)
        return self._http


def read_file(source: str, root: Path, *, limit: int) -> bytes:
    """A file below `root`, by a path relative to it that leads through no symbolic link."""
    *parts, name = source.split("/")
    if not root.is_dir():
        raise Standstill(f"there is no directory {root} (CRONOPS_IMAGES__SOURCE_ROOT)")
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


def _unreadable(source: str, error: OSError) -> BadInput | TransientError:
    said = f"{source} cannot be read: {error.strerror or error}"
    return TransientError(said) if error.errno in _PASSING else BadInput(said)


def _too_large(source: str, limit: int) -> BadInput:
    return BadInput(f"{source} is larger than {limit:,} bytes (CRONOPS_IMAGES__MAX_BYTES)")

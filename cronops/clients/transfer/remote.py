"""What SFTP and FTP have in common: a `Transfer` made of the few things such a server can do."""

import posixpath
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self, TypeVar

from cronops.clients.landing import landing, told, too_large
from cronops.clients.patience import Deadline, Pause, persist, watched
from cronops.clients.transfer.names import TEMPORARY, check_name, is_listed, numbered
from cronops.clients.transfer.protocol import RemoteFile
from cronops.config.outside import ClientSettings
from cronops.errors import BadInput, ConfigurationError, CronopsError, TransientError

T = TypeVar("T")
Take = Callable[[bytes], None]
Explain = Callable[[Exception], CronopsError | None]
"""What an error of a session means; None where it is not one of the network or the server."""


class Session(Protocol):
    """One connection, logged in, at its directory; paths are relative to that.

    Every method raises what its library raises, and whoever opened it knows how to explain that.
    """

    def abort(self) -> None:
        """Wake whoever waits on the connection, from another thread; it is of no use then."""

    def close(self) -> None:
        """End the connection; never raises."""

    def entries(self, fits: Callable[[str], bool]) -> Iterator[RemoteFile]:
        """The regular files whose name fits."""

    def look_at(self, path: str) -> RemoteFile | None:
        """What has this name; None where nothing has."""

    def read(self, file: RemoteFile, take: Take) -> None:
        """Give the bytes of a file to `take`, block by block."""

    def write(self, source: BinaryIO, name: str, deadline: Deadline) -> None:
        """Make a file, or make it anew, of all of `source`."""

    def replace(self, part: str, name: str) -> None:
        """Rename, over what has that name."""

    def rename(self, name: str, path: str) -> None:
        """Rename to a path that is free."""

    def make_directory(self, path: str) -> None:
        """Make a directory where there is none."""

    def remove(self, name: str) -> None:
        """Remove a file."""


class RemoteTransfer:
    """A `Transfer` over a `Session`, which is opened anew where it was lost.

    Connecting, listing and downloading are tried up to `clients.attempts` times. A connection
    whose operation takes longer than it may is ended, whatever it waits for.
    """

    def __init__(
        self,
        where: str,
        connect: Callable[[], Session],
        explain: Explain,
        *,
        limits: ClientSettings,
        pause: Pause,
    ) -> None:
        self.where = where
        self._connect = connect
        self._explain = explain
        self._limits = limits
        self._pause = pause
        self._session: Session | None = None

    def __enter__(self) -> Self:
        self._persist(self._connected)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hang_up()

    def list(self, pattern: str = "*") -> Sequence[RemoteFile]:
        """The regular files whose name fits the shell pattern, by name."""

        def entries() -> Sequence[RemoteFile]:
            with self._operation(self.where) as (session, _):
                found = session.entries(lambda name: is_listed(name, pattern))
                return sorted(found, key=lambda file: file.name)

        return self._persist(entries)

    def download(self, name: str, target: Path, *, limit: int) -> RemoteFile:
        """Fetch a file to `target`; one that changes while it is read is not taken."""
        place = self._named(name)

        def fetch() -> RemoteFile:
            with self._operation(place) as (session, deadline):
                before = session.look_at(name)
                if before is None:
                    raise _gone(place)
                if before.size is not None and before.size > limit:
                    raise too_large(place, limit)
                with landing(target, limit=limit, origin=place, deadline=deadline) as arriving:
                    with self._explained(place):
                        session.read(before, arriving.take)
                        after = session.look_at(name)
                    arriving.expect(before.size)
                    if after != before:
                        raise TransientError(f"{place} changed while it was read; is it complete?")
            return before

        return self._persist(fetch)

    def upload(self, source: Path, name: str) -> None:
        """Publish a file: under a temporary name, its size checked, then renamed."""
        place = self._named(name)
        part = name + TEMPORARY
        try:
            file = source.open("rb")
        except OSError as error:
            raise told(error, str(source)) from None
        with file, self._operation(place) as (session, deadline):
            try:
                session.write(file, part, deadline)
                _compare(file.tell(), session.look_at(part), place)
                session.replace(part, name)
            except Exception as error:
                if not isinstance(self._explain(error), TransientError):
                    with suppress(Exception):
                        session.remove(part)
                raise

    def move(self, name: str, directory: str) -> str:
        """Move a file to a directory, made where missing; its name there."""
        place = self._named(name)
        with self._operation(place) as (session, _):
            if session.look_at(name) is None:
                raise _gone(place)
            for above in _with_those_above(posixpath.normpath(directory)):
                session.make_directory(above)
            for candidate in numbered(name):
                path = posixpath.join(directory, candidate)
                if session.look_at(path) is None:
                    session.rename(name, path)
                    return candidate
        raise ConfigurationError(f"{place}: every name for it in {directory} is taken; clear out")

    def _persist(self, action: Callable[[], T]) -> T:
        return persist(action, attempts=self._limits.attempts, pause=self._pause)

    def _connected(self) -> Session:
        if self._session is None:
            deadline = Deadline(self._limits.total_timeout, self.where)
            try:
                with self._explained(self.where):
                    self._session = self._connect()
            except CronopsError as error:
                if isinstance(error, TransientError):
                    deadline.check()
                if str(error).startswith(self.where):
                    raise
                raise type(error)(f"{self.where}: {error}") from None
        return self._session

    def _hang_up(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    @contextmanager
    def _operation(self, place: str) -> Iterator[tuple[Session, Deadline]]:
        """A session for one operation; a connection that fails in it is not used again."""
        session = self._connected()
        deadline = Deadline(self._limits.total_timeout, place)
        try:
            with watched(self._limits.total_timeout, session.abort), self._explained(place):
                yield session, deadline
        except BaseException as error:
            session.abort()
            self._hang_up()
            if isinstance(error, TransientError):
                deadline.check()  # the watchdog may have been what ended the connection
            raise

    @contextmanager
    def _explained(self, place: str) -> Iterator[None]:
        try:
            yield
        except CronopsError:
            raise
        except Exception as error:
            explained = self._explain(error)
            if explained is None:
                raise
            raise type(explained)(f"{place}: {explained}") from None

    def _named(self, name: str) -> str:
        return f"{self.where.removesuffix('/')}/{check_name(name)}"


def _with_those_above(directory: str) -> Iterator[str]:
    """``a``, ``a/b`` of ``a/b``; nothing that is surely there."""
    above = posixpath.dirname(directory)
    if posixpath.basename(directory) in ("", ".", ".."):
        return
    yield from _with_those_above(above)
    yield directory


def _gone(place: str) -> BadInput:
    return BadInput(f"{place}: there is no such file, or no longer")


def _compare(sent: int, there: RemoteFile | None, place: str) -> None:
    if there is None:
        raise TransientError(f"{place}: what was sent is not there")
    if there.size is not None and there.size != sent:
        raise TransientError(
            f"{place}: {there.size:,} bytes arrived there where {sent:,} were sent"
        )

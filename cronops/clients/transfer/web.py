"""Files of a web server, over HTTPS; a server of this kind cannot list or move them."""

import posixpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, unquote

from cronops.clients.credentials import find_credential, plain
from cronops.clients.http import Answer, HttpClient
from cronops.clients.patience import Pause
from cronops.clients.transfer.location import Location
from cronops.clients.transfer.names import check_name, is_listed
from cronops.clients.transfer.protocol import RemoteFile
from cronops.errors import (
    BadInput,
    ConfigurationError,
    CronopsError,
    PermanentError,
    TransientError,
)

if TYPE_CHECKING:
    from cronops.config import Settings

_TOKEN = "{token}"  # noqa: S105 - the place of one, not one


class WebTransfer:
    """The file at a URL, or the files below one that ends with a slash; a `Transfer`.

    A listing holds the one file that the URL names. An upload is one PUT: whether readers may
    see a part of it is up to the server. Moving is refused.
    """

    def __init__(
        self,
        location: Location,
        settings: "Settings",
        *,
        credential: str | None,
        correlation_id: str,
        pause: Pause,
    ) -> None:
        self.where = location.shown
        self._path = location.path
        host = f"[{location.host}]" if ":" in location.host else location.host
        self._origin = f"https://{host}:{location.port}"
        self._query = location.query
        self._token = _token(settings, credential) if _TOKEN in location.query else ""
        in_query = bool(self._token)
        self._query = location.query.replace(_TOKEN, quote(self._token, safe=""))
        self._http = HttpClient(
            settings,
            correlation_id=correlation_id,
            credential=None if in_query else credential,
            pause=pause,
        )

    def __enter__(self) -> Self:
        self._http.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.__exit__(kind, error, trace)

    def list(self, pattern: str = "*") -> Sequence[RemoteFile]:
        """The file that the URL names, where it fits the pattern."""
        name = self._only_name()
        if not name:
            raise ConfigurationError(
                f"{self.where}: a web server does not list what it has; give the URL of one file, "
                "without a slash at its end"
            )
        if not is_listed(name, pattern):
            return []
        with self._hiding_the_token():
            found = self._look_at(self._url(name), name)
        return [found or RemoteFile(name, None, None)]

    def download(self, name: str, target: Path, *, limit: int) -> RemoteFile:
        """Fetch the file to `target`; as long as the server says it is."""
        with self._hiding_the_token():
            answer = self._http.download(self._url(name), target, limit=limit)
        return RemoteFile(name, target.stat().st_size, _modified(answer))

    def upload(self, source: Path, name: str) -> None:
        """PUT the file; where the server answers to HEAD, its size there is checked."""
        url = self._url(name)
        with self._hiding_the_token():
            self._http.upload(url, source)
            there = self._look_at(url, name, unless=(PermanentError, ConfigurationError, BadInput))
        size = source.stat().st_size
        if there is not None and there.size is not None and there.size != size:
            raise TransientError(
                f"{self.where}: {name} has {there.size:,} bytes there and {size:,} here"
            )

    def move(self, name: str, directory: str) -> str:
        """Refused: HTTP has nothing to move a file with."""
        raise ConfigurationError(
            f"{self.where}: a web server cannot move {check_name(name)} to {directory}; leave it "
            "there, or fetch by SFTP or FTPS"
        )

    def _look_at(
        self, url: str, name: str, unless: tuple[type[CronopsError], ...] = (PermanentError,)
    ) -> RemoteFile | None:
        """What HEAD tells; None where it is refused: many answer to GET only, or to PUT."""
        try:
            return _described(name, self._http.head(url))
        except unless:
            return None

    @contextmanager
    def _hiding_the_token(self) -> Iterator[None]:
        try:
            yield
        except CronopsError as error:
            text = str(error)
            if self._token:
                for spelling in (self._token, quote(self._token, safe=""), quote(self._token)):
                    text = text.replace(spelling, "***")
            raise type(error)(text) from None

    def _only_name(self) -> str:
        return unquote(posixpath.basename(self._path))

    def _url(self, name: str) -> str:
        check_name(name)
        only = self._only_name()
        if only and name != only:
            raise ConfigurationError(
                f"{self.where} is the file {only}, and {name} is another; end the URL with a "
                "slash where files of any name lie below it"
            )
        path = self._path if only else self._path + quote(name)
        return f"{self._origin}{path}" + (f"?{self._query}" if self._query else "")


def _token(settings: "Settings", credential: str | None) -> str:
    token = plain(find_credential(settings, credential).token) if credential else ""
    if not token:
        raise ConfigurationError(
            f"the URL has a place for {_TOKEN}, and the credential {credential or ''!r} has none"
        )
    return token


def _described(name: str, answer: Answer) -> RemoteFile:
    length = answer.headers.get("content-length", "")
    is_plain = not answer.headers.get("content-encoding")
    size = int(length) if length.isascii() and length.isdigit() and is_plain else None
    return RemoteFile(name, size, _modified(answer))


def _modified(answer: Answer) -> datetime | None:
    with suppress(ValueError):
        moment = parsedate_to_datetime(answer.headers.get("last-modified", ""))
        return moment if moment.tzinfo is not None else None
    return None

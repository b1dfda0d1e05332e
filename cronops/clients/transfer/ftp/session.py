"""One FTP connection at its directory."""

import ftplib
import logging
import posixpath
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from socket import SHUT_RDWR, socket
from typing import TYPE_CHECKING, BinaryIO

from cronops.clients.credentials import plain
from cronops.clients.landing import BLOCK
from cronops.clients.patience import Deadline, watched
from cronops.clients.tls import tls_context
from cronops.clients.transfer.ftp.listings import UnknownListing, read_listing
from cronops.clients.transfer.ftp.replies import REPLIES, reply_code, text_of
from cronops.clients.transfer.ftp.tls import FtpTls
from cronops.clients.transfer.location import Location
from cronops.clients.transfer.protocol import RemoteFile
from cronops.clients.transfer.remote import Take
from cronops.config.outside import Credential
from cronops.durations import format_duration
from cronops.errors import ConfigurationError, PermanentError, TransientError

if TYPE_CHECKING:
    from cronops.config import Settings

_log = logging.getLogger("cronops.clients.ftp")
_warned: set[str] = set()
_NOT_KNOWN = ("500", "501", "502", "504")
_NOT_THERE = "550"


class FtpSession:
    """A `Session` over FTP, passive; with TLS both its connections are encrypted and verified.

    `replace` is one step on servers whose RNTO overwrites, which most do. Where it refuses, the
    old file is deleted first: who reads between the two finds neither. `rename` looks first
    whether the name is taken; who takes it at that very moment is overwritten.
    """

    def __init__(
        self, location: Location, credential: Credential | None, settings: "Settings"
    ) -> None:
        self._limits = settings.clients
        self._data: socket | None = None
        if location.scheme == "ftps":
            self._ftp: ftplib.FTP = FtpTls(context=tls_context(settings))
        else:
            self._ftp = ftplib.FTP()  # noqa: S321 - asked for by its URL, and warned of
            _warn_once(location)
        try:
            with watched(self._limits.total_timeout, self.abort):
                self._connect(location)
                self._log_in(credential)
                self._features = self._learn_features()
                self._enter(location.path)
        except BaseException:
            self._ftp.close()
            raise

    def abort(self) -> None:
        """Shut both connections down, which wakes who waits on them; closing them would not."""
        for connection in filter(None, (self._data, self._ftp.sock)):
            with suppress(OSError):
                socket.shutdown(connection, SHUT_RDWR)

    def close(self) -> None:
        """Say good-bye, and end the connection."""
        with suppress(Exception):
            self._ftp.quit()
        with suppress(Exception):
            self._ftp.close()

    def entries(self, fits: Callable[[str], bool]) -> Iterator[RemoteFile]:
        """The regular files whose name fits, by the best of the listings that the server has."""
        if "MLST" in self._features:
            for name, facts in self._ftp.mlsd():
                if facts.get("type", "file").lower() == "file" and fits(name):
                    yield RemoteFile(name, _number(facts.get("size")), _moment(facts.get("modify")))
            return
        lines: list[str] = []
        self._ftp.retrlines("LIST", lines.append)
        try:
            found = [file for file in read_listing(lines) if fits(file.name)]
        except UnknownListing:
            found = [RemoteFile(name, None, None) for name in self._names() if fits(name)]
        for file in found:
            looked_at = self.look_at(file.name)
            if looked_at is not None:
                yield RemoteFile(file.name, looked_at.size or file.size, looked_at.modified)

    def look_at(self, path: str) -> RemoteFile | None:
        """What has this name, as far as the server tells."""
        name = posixpath.basename(path)
        try:
            self._ftp.voidcmd("TYPE I")
            return RemoteFile(name, self._ftp.size(path), self._modified(path))
        except ftplib.error_perm as error:
            if reply_code(error) in _NOT_KNOWN:
                return self._found_by_listing(path)
            if reply_code(error) == _NOT_THERE:
                return None
            raise

    def read(self, file: RemoteFile, take: Take) -> None:
        """Fetch a file; that all of it has come is for the caller to compare."""
        with self._transferring(f"RETR {file.name}") as data:
            while block := data.recv(BLOCK):
                take(block)

    def write(self, source: BinaryIO, name: str, deadline: Deadline) -> None:
        """Store a file."""
        with self._transferring(f"STOR {name}") as data:
            while block := source.read(BLOCK):
                deadline.check()
                data.sendall(block)

    @contextmanager
    def _transferring(self, command: str) -> Iterator[socket]:
        """The data connection of one command, which has succeeded when the block is left."""
        self._ftp.voidcmd("TYPE I")
        with closing(self._ftp.transfercmd(command)) as data:
            self._data = data
            try:
                yield data
                # A server that does not answer to the end of TLS has got all the same; what
                # counts is its reply, and the size.
                if isinstance(data, ssl.SSLSocket):
                    with suppress(OSError, ValueError):
                        data.unwrap()
            finally:
                self._data = None
        self._ftp.voidresp()

    def replace(self, part: str, name: str) -> None:
        """Rename, in one step where the server can."""
        try:
            self._ftp.rename(part, name)
        except ftplib.error_perm:
            if self.look_at(name) is None:
                raise
            self._ftp.delete(name)
            self._ftp.rename(part, name)

    def rename(self, name: str, path: str) -> None:
        """Rename to a path that is free."""
        self._ftp.rename(name, path)

    def make_directory(self, path: str) -> None:
        """Make a directory where there is none."""
        try:
            self._ftp.mkd(path)
        except ftplib.error_perm:
            self._ftp.cwd(path)  # refused where it does not exist, either
            self._ftp.cwd(self._home)

    def remove(self, name: str) -> None:
        """Remove a file."""
        self._ftp.delete(name)

    def _connect(self, location: Location) -> None:
        self._ftp.encoding = REPLIES
        try:
            self._ftp.connect(
                location.host, location.port, self._limits.connect_timeout.total_seconds()
            )
        except TimeoutError:
            what = "no connection" if self._ftp.sock is None else "no greeting"
            raise TransientError(
                f"{what} within {format_duration(self._limits.connect_timeout)} "
                "(clients.connect_timeout)"
            ) from None
        except OSError as error:
            raise TransientError(f"no connection: {error.strerror or error}") from None
        self._ftp.timeout = self._limits.read_timeout.total_seconds()
        self._control.settimeout(self._ftp.timeout)

    def _log_in(self, credential: Credential | None) -> None:
        if isinstance(self._ftp, ftplib.FTP_TLS):
            try:
                self._ftp.auth()
            except ftplib.error_perm as error:
                raise ConfigurationError(
                    f"the server offers no TLS ({text_of(str(error))}); ftps:// is FTP with "
                    "explicit TLS"
                ) from None
        # From here on names that are sent, and listings; the replies' reader has been made.
        self._ftp.encoding = "utf-8"
        if credential is None:
            self._ftp.login()
        else:
            self._ftp.login(credential.username, plain(credential.password))
        if isinstance(self._ftp, ftplib.FTP_TLS):
            self._ftp.prot_p()

    def _learn_features(self) -> frozenset[str]:
        try:
            lines = self._ftp.sendcmd("FEAT").splitlines()[1:-1]
        except ftplib.error_perm:
            return frozenset()
        features = frozenset(line.split()[0].upper() for line in lines if line.strip())
        if "UTF8" in features:
            with suppress(ftplib.error_perm):
                self._ftp.sendcmd("OPTS UTF8 ON")
        return features

    def _enter(self, directory: str) -> None:
        try:
            self._ftp.cwd(directory)
            self._home = self._ftp.pwd().encode(REPLIES).decode()
        except ftplib.error_perm as error:
            raise ConfigurationError(
                f"there is no such directory for this login ({text_of(str(error))})"
            ) from None

    @property
    def _control(self) -> socket:
        if self._ftp.sock is None:
            raise EOFError("the connection is closed")
        return self._ftp.sock

    def _modified(self, path: str) -> datetime | None:
        if "MDTM" not in self._features:
            return None
        try:
            return _moment(self._ftp.sendcmd(f"MDTM {path}").partition(" ")[2])
        except ftplib.error_perm:
            return None

    def _names(self) -> list[str]:
        try:
            return [posixpath.basename(name) for name in self._ftp.nlst()]
        except ftplib.error_perm as error:
            if reply_code(error) == _NOT_THERE:  # what some servers say of an empty directory
                return []
            raise

    def _found_by_listing(self, path: str) -> RemoteFile | None:
        directory, name = posixpath.split(path)
        lines: list[str] = []
        try:
            self._ftp.retrlines(f"LIST {directory}".strip(), lines.append)
        except ftplib.error_perm:
            return None
        try:
            return next((file for file in read_listing(lines) if file.name == name), None)
        except UnknownListing:
            raise PermanentError(
                "the server tells no file's size, and lists files in a form that is not known here"
            ) from None


def _warn_once(location: Location) -> None:
    if location.shown not in _warned:
        _warned.add(location.shown)
        _log.warning(
            "%s is FTP without TLS: the password and every file go in clear; ask for ftps or sftp",
            location.shown,
        )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _moment(text: str | None) -> datetime | None:
    """A time as MLSD and MDTM tell it: ``20261124040000``, in UTC."""
    try:
        return datetime.strptime((text or "")[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None

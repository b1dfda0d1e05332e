"""One SFTP connection at its directory."""

import posixpath
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import BinaryIO

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from cronops.clients.patience import Deadline, watched
from cronops.clients.transfer.location import Location
from cronops.clients.transfer.protocol import RemoteFile
from cronops.clients.transfer.remote import Take
from cronops.clients.transfer.sftp.ahead import REQUEST, ReadAhead
from cronops.clients.transfer.sftp.login import logged_in
from cronops.config.outside import ClientSettings, Credential
from cronops.durations import format_duration
from cronops.errors import BadInput, ConfigurationError, CronopsError, TransientError


class SftpSession:
    """A `Session` over SSH.

    The server has to prove itself by the `host_key` of the credential; there is no first time
    at which whoever answers is trusted. Nothing of the machine is used: no agent, no ``~/.ssh``.

    `replace` is one step where the server knows OpenSSH's ``posix-rename``. Elsewhere the old
    file is removed before the new one gets its name: who reads between the two finds neither,
    and a cut there leaves the new one, complete, under its temporary name.
    """

    def __init__(self, location: Location, credential: Credential, limits: ClientSettings) -> None:
        self._limits = limits
        self._base = location.path
        self._transport = logged_in(location, credential, limits)
        try:
            with watched(limits.total_timeout, self.abort):
                self._sftp = self._opened()
                self._check_directory()
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """End the connection at once."""
        with suppress(Exception):
            self._transport.close()

    def close(self) -> None:
        """End the connection."""
        with suppress(Exception):
            self._sftp.close()
        self.abort()

    def entries(self, fits: Callable[[str], bool]) -> Iterator[RemoteFile]:
        """The regular files whose name fits; links are not followed."""
        for found in self._sftp.listdir_attr(self._base):
            if fits(found.filename) and stat.S_ISREG(found.st_mode or stat.S_IFREG):
                yield _described(found.filename, found)

    def look_at(self, path: str) -> RemoteFile | None:
        """What has this name."""
        try:
            return _described(posixpath.basename(path), self._sftp.stat(self._path(path)))
        except FileNotFoundError:
            return None

    def read(self, file: RemoteFile, take: Take) -> None:
        """Read as many bytes as the file has, or all there are."""
        with self._sftp.open(self._path(file.name), "rb") as opened:
            if file.size is None:
                while block := opened.read(REQUEST):
                    take(block)
            else:
                for block in ReadAhead(self._sftp, opened, file.size):
                    take(block)

    def write(self, source: BinaryIO, name: str, deadline: Deadline) -> None:
        """Write without waiting for the answer to each request."""
        with self._sftp.open(self._path(name), "wb") as file:
            file.set_pipelined(True)
            while block := source.read(REQUEST):
                deadline.check()
                file.write(block)

    def replace(self, part: str, name: str) -> None:
        """Rename, in one step where the server can."""
        old, new = self._path(part), self._path(name)
        try:
            self._sftp.posix_rename(old, new)
        except OSError as error:
            if not _is_unspecific(error):
                raise
            # A server that does not know this says no more than that it failed.
            if self.look_at(name) is not None:
                self._sftp.remove(new)
            self._sftp.rename(old, new)

    def rename(self, name: str, path: str) -> None:
        """Rename; servers refuse a name that is taken."""
        self._sftp.rename(self._path(name), self._path(path))

    def make_directory(self, path: str) -> None:
        """Make a directory where there is none."""
        try:
            self._sftp.mkdir(self._path(path))
        except OSError:
            if self.look_at(path) is None:
                raise

    def remove(self, name: str) -> None:
        """Remove a file."""
        self._sftp.remove(self._path(name))

    def _path(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(self._base, path))

    def _opened(self) -> paramiko.SFTPClient:
        silence = self._limits.read_timeout.total_seconds()
        channel = self._transport.open_session(timeout=silence)
        channel.settimeout(silence)
        try:
            channel.invoke_subsystem("sftp")
        except paramiko.ChannelException:
            raise ConfigurationError("the server offers SSH to this login, but no SFTP") from None
        return paramiko.SFTPClient(channel)

    def _check_directory(self) -> None:
        try:
            found = self._sftp.stat(self._base)
        except FileNotFoundError:
            raise ConfigurationError("there is no such directory for this login") from None
        if not stat.S_ISDIR(found.st_mode or stat.S_IFDIR):
            raise ConfigurationError("it is no directory")


def explain(error: Exception, limits: ClientSettings) -> CronopsError | None:
    """What an error of paramiko, or of the socket below it, means."""
    if isinstance(error, paramiko.AuthenticationException):
        if "timeout" in str(error).lower() or "EOF" in str(error):
            return TransientError("the connection was cut in the middle of the login")
        return ConfigurationError(
            "the login was refused: check username, password and private_key of the credential"
        )
    if isinstance(error, IncompatiblePeer):
        return ConfigurationError(
            f"the server has no host key of the kind of the credential's, or is too old: {error}"
        )
    if isinstance(error, TimeoutError):
        silence = format_duration(limits.read_timeout)
        return TransientError(f"silent for {silence} (clients.read_timeout)")
    if isinstance(error, FileNotFoundError):
        return BadInput("there is no such file or directory")
    if isinstance(error, PermissionError):
        return ConfigurationError("the login may not do that there")
    if isinstance(error, OSError) and _is_unspecific(error):
        return TransientError(f"the server says no more than: {error}")
    if isinstance(error, paramiko.SSHException | EOFError | OSError):
        reason = str(error) or type(error).__name__
        return TransientError(f"the connection was cut: {reason}")
    if isinstance(error, UnicodeError):
        return BadInput("the server has file names in another encoding than UTF-8")
    return None


def _is_unspecific(error: OSError) -> bool:
    """Whether it is an answer that says no more than that it failed; paramiko gives no number."""
    return type(error) is OSError and error.errno is None


def _described(name: str, found: paramiko.SFTPAttributes) -> RemoteFile:
    modified = None if found.st_mtime is None else datetime.fromtimestamp(found.st_mtime, UTC)
    return RemoteFile(name, found.st_size, modified)

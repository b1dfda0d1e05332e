"""An SFTP server over a directory, with a host key of its own."""

import logging
import os
import posixpath
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from tests.partners.trouble import SHORT, STALL, Trouble


@dataclass
class SftpPartner:
    """A running server."""

    directory: Path
    port: int
    host_key: str
    """As ``ssh-keyscan`` prints it, without the host."""
    credential: dict[str, str]
    logins: list[str] = field(default_factory=list)
    """How each login was made: ``password`` or the kind of the key."""
    ca_file: None = None

    @property
    def url(self) -> str:
        """Its root, which is `directory`."""
        return f"sftp://127.0.0.1:{self.port}/"


@contextmanager
def sftp_server(
    directory: Path,
    *,
    user: str = "partner",
    password: str | None = "pass word",
    public_key: str | None = None,
    trouble: Trouble | None = None,
    posix_rename: bool = True,
    largest_read: int = 1 << 20,
) -> Iterator[SftpPartner]:
    """A server over `directory`; ``client_settings(server)`` knows its login as ``partner``.

    A login is by `password` or by the key whose public part is `public_key`; with both given, it
    takes both, one after the other.
    """
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    key = _host_key()
    host_key = f"{key.get_name()} {key.get_base64()}"
    listening = socket.create_server(("127.0.0.1", 0))
    credential = {"username": user, "password": password or "", "host_key": host_key}
    state = SftpPartner(directory, listening.getsockname()[1], host_key, credential)
    site = _Site(
        state, user, password, public_key, trouble, posix_rename, largest_read, threading.Event()
    )

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            site.serve(connection)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield state
    finally:
        site.stopped.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
        site.close()


@dataclass
class _Site:
    state: SftpPartner
    user: str
    password: str | None
    public_key: str | None
    trouble: Trouble | None
    posix_rename: bool
    largest_read: int
    stopped: threading.Event
    open: list[Any] = field(default_factory=list)
    files: list[Any] = field(default_factory=list)

    def serve(self, connection: socket.socket) -> None:
        self.open.append(connection)
        if self.trouble is not None and self.trouble.strikes("connect"):
            if self.trouble.how != STALL:
                connection.close()
            return
        transport = paramiko.Transport(connection)
        self.open.append(transport)
        transport.add_server_key(_host_key())
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, self, transport)
        with suppress(EOFError, paramiko.SSHException, OSError):
            transport.start_server(server=_Logins(self, transport), event=threading.Event())

    def struck(self, point: str, transport: paramiko.Transport, moved: int = 0) -> bool:
        if self.trouble is None or not self.trouble.strikes(point, moved):
            return False
        if self.trouble.how == STALL:
            self.stopped.wait(60)
        if self.trouble.how != SHORT:
            transport.sock.close()
        return True

    def close(self) -> None:
        for one in reversed(self.open):
            one.close()
            if isinstance(one, paramiko.Transport):
                one.join(5)
        for file in self.files:
            with suppress(OSError):
                file.close()


class _Logins(paramiko.ServerInterface):
    def __init__(self, site: _Site, transport: paramiko.Transport) -> None:
        self._site = site
        self._transport = transport
        self._has_shown_key = False

    def get_allowed_auths(self, username: str) -> str:
        if self._site.public_key and self._site.password:
            return "password" if self._has_shown_key else "publickey"
        return "publickey" if self._site.public_key else "password"

    def check_auth_password(self, username: str, password: str) -> int:
        self._site.struck("login", self._transport)
        missing_key = self._site.public_key is not None and not self._has_shown_key
        if missing_key or (username, password) != (self._site.user, self._site.password):
            return paramiko.AUTH_FAILED
        self._site.state.logins.append("password")
        return paramiko.AUTH_SUCCESSFUL

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._site.struck("login", self._transport)
        if username != self._site.user or key.get_base64() != self._site.public_key:
            return paramiko.AUTH_FAILED
        self._has_shown_key = True
        self._site.state.logins.append(key.get_name())
        both = self._site.password is not None
        return paramiko.AUTH_PARTIALLY_SUCCESSFUL if both else paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, server: Any, site: _Site, transport: paramiko.Transport) -> None:
        super().__init__(server)
        self._site = site
        self._transport = transport

    def _path(self, path: str) -> Path:
        inside = posixpath.normpath(posixpath.join("/", path)).lstrip("/")
        return self._site.state.directory / inside

    def list_folder(self, path: str) -> Any:
        self._site.struck("list", self._transport)
        try:
            return [self._described(one.name, one.lstat()) for one in self._path(path).iterdir()]
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    def stat(self, path: str) -> Any:
        return self._attributes(self._path(path), follow=True)

    def lstat(self, path: str) -> Any:
        return self._attributes(self._path(path), follow=False)

    def open(self, path: str, flags: int, attr: Any) -> Any:
        try:
            descriptor = os.open(self._path(path), flags, 0o666)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        handle = _Handle(flags, self._site, self._transport)
        mode = "wb" if flags & os.O_WRONLY else "rb"
        handle.readfile = handle.writefile = os.fdopen(descriptor, mode)
        self._site.files.append(handle.readfile)
        return handle

    def remove(self, path: str) -> int:
        return self._done(lambda: self._path(path).unlink())

    def rename(self, oldpath: str, newpath: str) -> int:
        if self._path(newpath).exists():
            return paramiko.SFTP_FAILURE
        return self._renamed(oldpath, newpath)

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        if not self._site.posix_rename:
            return paramiko.SFTP_OP_UNSUPPORTED
        return self._renamed(oldpath, newpath)

    def mkdir(self, path: str, attr: Any) -> int:
        return self._done(lambda: self._path(path).mkdir())

    def _renamed(self, old: str, new: str) -> int:
        if self._site.struck("rename", self._transport):
            return paramiko.SFTP_FAILURE
        return self._done(lambda: self._path(old).rename(self._path(new)))

    def _attributes(self, path: Path, *, follow: bool) -> Any:
        try:
            return self._described(path.name, path.stat() if follow else path.lstat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    def _done(self, action: Any) -> int:
        try:
            action()
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        return paramiko.SFTP_OK

    @staticmethod
    def _described(name: str, found: os.stat_result) -> paramiko.SFTPAttributes:
        return paramiko.SFTPAttributes.from_stat(found, name)


class _Handle(paramiko.SFTPHandle):
    def __init__(self, flags: int, site: _Site, transport: paramiko.Transport) -> None:
        super().__init__(flags)
        self._site = site
        self._transport = transport

    def read(self, offset: int, length: int) -> Any:
        if self._site.struck("download", self._transport, offset):
            return paramiko.SFTP_EOF
        return super().read(offset, min(length, self._site.largest_read))

    def write(self, offset: int, data: bytes) -> Any:
        if self._site.struck("upload", self._transport, offset):
            return paramiko.SFTP_OK
        return super().write(offset, data)

    def stat(self) -> Any:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))


@cache
def _host_key() -> paramiko.PKey:
    return new_key()


def new_key() -> paramiko.PKey:
    """A new ed25519 key."""
    return paramiko.Ed25519Key.from_private_key(StringIO(new_private_key()))


def new_private_key() -> str:
    """The text of a new ed25519 key's file."""
    made = Ed25519PrivateKey.generate()
    return made.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()

"""An FTP server, in clear or with TLS, over a directory."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.filesystems import AbstractedFS
from pyftpdlib.handlers import FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from tests.partners.tls import HOSTS, identity
from tests.partners.trouble import SHORT, STALL, Trouble

_POINTS = {"MLSD": "list", "LIST": "list", "NLST": "list", "RNTO": "rename", "PASS": "login"}


@dataclass
class FtpPartner:
    """A running server."""

    directory: Path
    port: int
    scheme: str
    credential: dict[str, str]
    ca_file: Path | None
    commands: list[str] = field(default_factory=list)
    """What it was told, in order."""
    reused_sessions: list[bool] = field(default_factory=list)
    """Of each encrypted data connection, whether it went on with a TLS session it knew."""

    @property
    def url(self) -> str:
        """Its root, which is `directory`."""
        return f"{self.scheme}://127.0.0.1:{self.port}/"


@contextmanager
def ftp_server(
    directory: Path,
    *,
    tls: bool = False,
    user: str = "partner",
    password: str = "pass word",
    hosts: tuple[str, ...] = HOSTS,
    trouble: Trouble | None = None,
    without: tuple[str, ...] = (),
    overwrites: bool = True,
    wants_known_session: bool = False,
    permissions: str = "elradfmwMT",
    encoding: str = "utf8",
    greeting: bytes = b"ready",
) -> Iterator[FtpPartner]:
    """A server over `directory`; ``client_settings(server)`` knows its login as ``partner``.

    With `tls` it takes nothing in clear, and as many servers do it may insist that a data
    connection goes on with the control connection's TLS session. It does not know the commands
    `without`; where it does not overwrite, RNTO refuses a name that is taken. `permissions` are
    pyftpdlib's, `encoding` is that of names.
    """
    logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)
    stopped = threading.Event()
    of_names = encoding
    with ExitStack() as stack:
        proof = stack.enter_context(identity(hosts)) if tls else None
        state = FtpPartner(
            directory,
            0,
            "ftps" if tls else "ftp",
            {"username": user, "password": password},
            proof.ca_file if proof else None,
        )
        authorizer = DummyAuthorizer()
        authorizer.add_user(user, password, str(directory), perm=permissions)

        class Handler(TLS_FTPHandler if tls else FTPHandler):  # type: ignore[misc]
            proto_cmds = {  # noqa: RUF012
                name: facts for name, facts in FTPHandler.proto_cmds.items() if name not in without
            }
            use_sendfile = False
            encoding = of_names
            banner = greeting.decode("latin-1")
            auth_failed_timeout = 0

            def push(self, data: str) -> None:
                # The greeting goes out in the bytes that it was given in.
                self.encoding = "latin-1" if data.startswith("220 ") else of_names
                super().push(data)

            def on_connect(self) -> None:
                self.struck("connect")

            def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
                state.commands.append(line)
                if not self.struck(_POINTS.get(cmd, "")):
                    super().pre_process_command(line, cmd, arg)

            def ftp_RNTO(self, path: str) -> Any:
                if not overwrites and os.path.exists(path):  # noqa: PTH110
                    self.respond("550 The name is taken.")
                    return None
                return super().ftp_RNTO(path)

            def struck(self, point: str, moved: int = 0) -> bool:
                if trouble is None or not trouble.strikes(point, moved):
                    return False
                if trouble.how == STALL:
                    stopped.wait(60)
                if trouble.how != SHORT:
                    self.close()
                return True

        if tls:
            assert proof is not None
            Handler.proto_cmds |= {
                name: TLS_FTPHandler.proto_cmds[name] for name in ("AUTH", "PBSZ", "PROT")
            }

            class Data(TLS_DTPHandler):
                def handle_ssl_established(self) -> None:
                    reused = bool(SSL._lib.SSL_session_reused(self.socket._ssl))
                    state.reused_sessions.append(reused)
                    if wants_known_session and not reused:
                        self.cmd_channel.respond("522 The TLS session is another one.")
                        self.close()

            Handler.dtp_handler = Data
            Handler.certfile = str(proof.key_and_chain)
            Handler.get_ssl_context().set_session_id(b"partner")
            Handler.tls_control_required = Handler.tls_data_required = True
        Handler.authorizer = authorizer
        Handler.abstracted_fs = _Files
        server = FTPServer(("127.0.0.1", 0), Handler, ioloop=IOLoop())
        state.port = server.socket.getsockname()[1]

        def serve() -> None:
            while not stopped.is_set():
                server.serve_forever(timeout=0.02, blocking=False, handle_exit=False)
            server.close_all()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield state
        finally:
            stopped.set()
            thread.join()


class _Files(AbstractedFS):
    def open(self, filename: str, mode: str) -> Any:
        return _File(super().open(filename, mode), self.cmd_channel)


class _File:
    """A file whose reading and writing may meet with trouble."""

    def __init__(self, file: Any, channel: Any) -> None:
        self._file = file
        self._channel = channel
        self._moved = 0

    def read(self, size: int) -> bytes:
        if self._channel.struck("download", self._moved):
            return b""
        block = self._file.read(size)
        self._moved += len(block)
        return block

    def write(self, block: bytes) -> None:
        if not self._channel.struck("upload", self._moved):
            self._file.write(block)
            self._moved += len(block)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

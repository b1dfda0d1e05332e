"""A web server over TLS that answers as a test says, and misbehaves where told."""

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.partners.tls import HOSTS, identity
from tests.servers import Request, ThreadedServer

_PIECE = 1 << 16


@dataclass(frozen=True)
class Reply:
    """One answer, and what goes wrong with it."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    stall_before: bool = False
    """Say nothing at all."""
    stall_after: int | None = None
    """Fall silent after so many bytes of the body."""
    cut_after: int | None = None
    """Cut the connection after so many bytes of the body; its announced length stays."""
    drip: float | None = None
    """Seconds between single bytes of the body."""
    length: int | None = None
    """Announce this length, not the body's."""


@dataclass
class HttpsServer:
    """A running server."""

    port: int
    ca_file: Path | None
    scheme: str = "https"
    requests: list[Request] = field(default_factory=list)
    """What was asked, in order."""
    credential: dict[str, str] | None = None

    @property
    def url(self) -> str:
        """Its URL, without a path."""
        return f"{self.scheme}://127.0.0.1:{self.port}"


@contextmanager
def https_server(
    answer: Callable[[Request], Reply],
    *,
    hosts: tuple[str, ...] = HOSTS,
    tls: bool = True,
    credential: dict[str, str] | None = None,
) -> Iterator[HttpsServer]:
    """A server that answers with what `answer` makes of each request, in threads.

    Its certificate is for `hosts`; ``client_settings(server)`` trusts it, and knows
    `credential` as ``partner``. Without `tls` it is a plain one.
    """
    stopped = threading.Event()

    class Handler(_Handler):
        def reply(self, request: Request) -> Reply:
            state.requests.append(request)
            return answer(request)

        def wait(self, seconds: float) -> bool:
            return stopped.wait(seconds)

    with identity(hosts) as proof:
        server = _Server(("127.0.0.1", 0), Handler)
        server.context = proof.context() if tls else None
        state = HttpsServer(
            server.server_address[1],
            proof.ca_file if tls else None,
            "https" if tls else "http",
            credential=credential,
        )
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
        thread.start()
        try:
            yield state
        finally:
            stopped.set()
            server.shutdown()
            server.close_connections()
            server.server_close()
            thread.join()


def gzipped(body: bytes) -> Reply:
    """A packed answer, of however much."""
    return Reply(gzip.compress(body), headers={"Content-Encoding": "gzip"})


class _Server(ThreadedServer):
    """Hands connections to threads, which end with it."""

    context: ssl.SSLContext | None = None
    daemon_threads = False
    block_on_close = True

    def __init__(self, *arguments: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*arguments)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self.context is not None:
            # The handshake belongs to the connection's thread: one that never comes would
            # stop the server.
            connection = self.context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        with suppress(OSError):
            super().shutdown_request(request)
        request.close()

    def close_connections(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, request: Request) -> Reply:
        raise NotImplementedError

    def wait(self, seconds: float) -> bool:
        raise NotImplementedError

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        reply = self.reply(Request(self.command, self.path, dict(self.headers), body))
        if reply.stall_before:
            self._stall()
            return
        self.send_response_only(reply.status)
        if "Date" not in reply.headers:
            self.send_header("Date", self.date_time_string())
        for name, value in reply.headers.items():
            self.send_header(name, value)
        length = len(reply.body) if reply.length is None else reply.length
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command == "HEAD":
            return
        if reply.drip is not None:
            self._drip(reply.body, reply.drip)
        elif reply.stall_after is not None:
            self.wfile.write(reply.body[: reply.stall_after])
            self._stall()
        elif reply.cut_after is not None:
            self.wfile.write(reply.body[: reply.cut_after])
            self._cut()
        else:
            for at in range(0, len(reply.body), _PIECE):
                self.wfile.write(reply.body[at : at + _PIECE])
            if length > len(reply.body):
                self._cut()

    do_GET = do_POST = do_PUT = do_HEAD = handle_request

    def _stall(self) -> None:
        self.wait(60)
        self.close_connection = True

    def _cut(self) -> None:
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def _drip(self, body: bytes, seconds: float) -> None:
        for byte in body:
            if self.wait(seconds):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, *_: Any) -> None:
        pass

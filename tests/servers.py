"""Real servers, in this process, for whatever a run talks to: they record, hang, drip, refuse."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER, HANG, DRIP = "answer", "hang", "drip"


@dataclass(frozen=True)
class Request:
    """What was received."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebServer:
    """An HTTP server; what it does can be changed while it runs."""

    mode: str = ANSWER
    status: int = 200
    answer: bytes = b""
    requests: list[Request] = field(default_factory=list)
    port: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Its URL, without a path."""
        return f"http://{self.address}"


class ThreadedServer(ThreadingHTTPServer):
    """Takes as many connections at once as come."""

    daemon_threads = True
    block_on_close = False
    # Twenty alerts go at once. Of what finds the usual queue of five full, the kernel drops some:
    # it is a second late then, or gets no answer.
    request_queue_size = 128


@contextmanager
def web_server(**behaviour: Any) -> Iterator[WebServer]:
    """A running `WebServer`."""
    state = WebServer(**behaviour)

    class Handler(BaseHTTPRequestHandler):
        def handle_request(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            state.requests.append(Request(self.command, self.path, dict(self.headers), body))
            if state.mode == HANG:
                state.stopped.wait(60)
            elif state.mode == DRIP:
                self._drip()
            else:
                self.send_response(state.status)
                self.send_header("Content-Length", str(len(state.answer)))
                self.end_headers()
                self.wfile.write(state.answer)

        do_GET = do_POST = do_PUT = do_DELETE = handle_request

        def _drip(self) -> None:
            # Each byte comes well within a socket's timeout; the answer never ends.
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Endless: ")
                while not state.stopped.wait(0.1):
                    self.wfile.write(b"x")
            except OSError:
                pass

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadedServer(("127.0.0.1", 0), Handler)
    state.port = server.server_address[1]
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.05), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


def refusing_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Poll until `condition` holds; fails the test where it does not in time."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to that in time"
        time.sleep(0.02)

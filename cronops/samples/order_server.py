"""A platform with a REST interface and an XML feed, on this machine: for trying things, and tests.

``GET /orders?since=&cursor=&limit=`` gives pages in the order of the last change, ``POST
/orders/ID/ack`` takes an acknowledgement, ``GET /feed`` gives what is unread and marks it as read.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from cronops.samples.orders import SampleOrder, as_json_file, as_xml

_FEED_SIZE = 10


class OrderServer:
    """The running server; what it has, and does, may be changed meanwhile."""

    def __init__(
        self, some: Sequence[SampleOrder] = (), *, port: int = 0, latency: float = 0.0
    ) -> None:
        self.orders = list(some)
        self.unread = list(some)
        self.acknowledged: list[str] = []
        self.refused_acknowledgements: dict[str, int] = {}
        """The status that the acknowledgement of an order is answered with."""
        self.latency = latency
        """Seconds before each answer."""
        self.page_size = 100
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(
            target=lambda: self._server.serve_forever(poll_interval=0.05), daemon=True
        )

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self) -> None:
        """Until somebody interrupts."""
        with suppress(KeyboardInterrupt):
            while self._thread.is_alive():
                time.sleep(0.2)

    def answer(self, method: str, target: str) -> tuple[int, bytes]:
        """Status and body for a request."""
        parts = urlsplit(target)
        words = parts.path.strip("/").split("/")
        if method == "POST" and len(words) == 3 and words[2] == "ack":
            if status := self.refused_acknowledgements.get(words[1]):
                return status, b"no"
            self.acknowledged.append(words[1])
            return 200, b"{}"
        if method == "GET" and words == ["orders"]:
            return 200, self._page(parse_qs(parts.query))
        if method == "GET" and words == ["feed"]:
            given, self.unread = self.unread[:_FEED_SIZE], self.unread[_FEED_SIZE:]
            return 200, as_xml(given)
        return 404, b"there is nothing here"

    def _page(self, query: dict[str, list[str]]) -> bytes:
        since = datetime.fromisoformat(query.get("since", ["1970-01-01T00:00:00Z"])[0])
        size = min(int(query.get("limit", ["100"])[0]), self.page_size)
        after = query.get("cursor", [""])[0]
        known = sorted(self.orders, key=_place)
        rest = [one for one in known if one.updated_at >= since and _token(one) > after]
        page = rest[:size]
        return as_json_file(page, next_cursor=_token(page[-1]) if len(rest) > size else None)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server.requests.append(f"{self.command} {self.path}")
                if server.latency:
                    time.sleep(server.latency)
                status, body = server.answer(self.command, self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(OSError):
                    self.wfile.write(body)

            do_GET = do_POST = answer

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        return Handler


def _place(order: SampleOrder) -> tuple[datetime, str]:
    return order.updated_at, order.id


def _token(order: SampleOrder) -> str:
    return f"{order.updated_at.astimezone(UTC):%Y%m%d%H%M%S%f}-{order.id}"

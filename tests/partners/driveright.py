"""DriveRight's web service: pages of vehicles, and what goes wrong with them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.partners.web import HttpsServer, Reply, https_server
from tests.servers import Request

KEY = "drive key"


def vehicle(number: int, **facts: Any) -> dict[str, Any]:
    """A vehicle with a tyre and a wheel that fit."""
    given: dict[str, Any] = {
        "id": f"V{number}",
        "make": "Aurora",
        "model": f"Model {number}",
        "generation": "II",
        "variant": "1.4",
        "builtFrom": 2010,
        "builtUntil": 2014,
        "fitments": [tyre(), wheel()],
    }
    return {**given, **facts}


def tyre(**facts: Any) -> dict[str, Any]:
    """A tyre that fits."""
    given = {"productType": "tyre", "position": "both", "oe": True}
    return {**given, "tyreWidth": 205, "tyreAspect": 55, "tyreDiameter": 16, **facts}


def wheel(**facts: Any) -> dict[str, Any]:
    """A wheel that fits."""
    given = {"productType": "wheel", "wheelDiameter": 16, "wheelWidth": 6.5, "pcd": "5x112"}
    return {**given, "centreBore": 57.1, "offsetMin": 35, "offsetMax": 50, **facts}


@dataclass
class DriveRightServer:
    """A running service; its vehicles may be changed while it runs."""

    web: HttpsServer
    vehicles: list[dict[str, Any]] = field(default_factory=list)
    total: int | None = None
    """What it says there are, where that is not true."""
    trouble: Callable[[int], Reply | None] = lambda _: None
    """What it answers to its nth request, from 1, in place of a page."""
    asked: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """Settings for a process of its own."""
        return {
            "CRONOPS_DRIVERIGHT__BASE_URL": f"{self.web.url}/v1",
            "CRONOPS_DRIVERIGHT__API_KEY": KEY,
            "CRONOPS_DRIVERIGHT__PAGE_SIZE": "4",
            "CRONOPS_CLIENTS__CA_FILE": str(self.web.ca_file),
        }

    def reply(self, request: Request) -> Reply:
        """Answer one request."""
        self.asked += 1
        if request.headers.get("X-API-Key") != KEY:
            return Reply(b"{}", status=401)
        wrong = self.trouble(self.asked)
        if wrong is not None:
            return wrong
        parts = urlsplit(request.path)
        if parts.path != "/v1/vehicles":
            return Reply(b"{}", status=404)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        begin, size = int(asked.get("cursor", "0")), int(asked["limit"])
        more = begin + size < len(self.vehicles)
        page = {
            "total": len(self.vehicles) if self.total is None else self.total,
            "vehicles": self.vehicles[begin : begin + size],
            "next": str(begin + size) if more else None,
        }
        return Reply(json.dumps(page).encode(), headers={"Content-Type": "application/json"})


@contextmanager
def driveright_server(count: int = 0) -> Iterator[DriveRightServer]:
    """A service with `count` vehicles."""
    holder: list[DriveRightServer] = []
    with https_server(lambda request: holder[0].reply(request)) as web:
        holder.append(DriveRightServer(web, [vehicle(number) for number in range(1, count + 1)]))
        yield holder[0]

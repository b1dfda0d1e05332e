"""What each peer's process can be told to do, and what it answers; the standard library only.

Run as ``python -m benchmarks.peers.NAME VERB URL COUNT`` in the peers' own environment. The last
line of the output is the answer as JSON. Workers say "ready" once connected and begin at "go";
they answer when the first message was in a handler's hands and when all of it was committed.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass
class Clock:
    """When the first message came into a handler's hands, and how many did."""

    first: float | None = None
    handled: int = 0

    def tick(self) -> None:
        if self.first is None:
            self.first = time.time()
        self.handled += 1


class Peer(Protocol):
    """One queue library."""

    async def install(self, url: str) -> None:
        """Create its tables."""

    async def fill(self, url: str, count: int) -> None:
        """Empty the queue, then enqueue so many no-op messages."""

    async def work(self, url: str, clock: Clock, ready: Callable[[], Awaitable[None]]) -> None:
        """Connect, await `ready`, work until nothing is left and all of it is committed."""

    async def enqueue(self, url: str, count: int, bulk: int) -> float:
        """Enqueue `count` messages, `bulk` a call; the seconds it took, connecting left out."""


def main(peer: Peer) -> None:
    """Do what the command line says and print the answer."""
    verb, url, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    answer: dict[str, float] = {}
    if verb == "install":
        run(peer.install(url))
    elif verb == "fill":
        run(peer.fill(url, count))
    elif verb in ("work", "first"):
        clock = Clock()
        run(peer.work(url, clock, _ready if verb == "work" else _no_wait))
        answer = {
            "first": clock.first or 0.0,
            "last": time.time(),
            "handled": float(clock.handled),
        }
    elif verb == "enqueue":
        answer = {"seconds": run(peer.enqueue(url, count, int(sys.argv[4])))}
    print(json.dumps(answer), flush=True)


def run(awaitable: Awaitable[float | None]) -> float:
    """Run on uvloop where it is installed: every peer gains by it."""

    async def inner() -> float | None:
        return await awaitable

    try:
        import uvloop
    except ImportError:
        return asyncio.run(inner()) or 0.0
    return uvloop.run(inner()) or 0.0


async def _ready() -> None:
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)


async def _no_wait() -> None:
    return

"""How long anything may take, and how often it is tried."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock, Timer
from typing import TypeVar

from cronops.durations import format_duration
from cronops.errors import TransientError

T = TypeVar("T")
Pause = Callable[[float], bool]
"""Sleeps for so many seconds; False where the run is to stop."""

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0


def sleep(seconds: float) -> bool:
    """The `Pause` of whoever is never told to stop."""
    time.sleep(seconds)
    return True


class Pace:
    """Turns, so many in a second at most, however many threads take them."""

    def __init__(self, per_second: float | None = None) -> None:
        self._apart = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._lock = Lock()

    def turn(self) -> float:
        """Take the next turn; in how many seconds it is."""
        with self._lock:
            now = time.monotonic()
            mine = max(now, self._next)
            self._next = mine + self._apart
        return mine - now


class TimeUp(TransientError):
    """One request or file took longer than it may: not tried again before the next run."""


class Deadline:
    """The moment by which one request or file has to be done."""

    def __init__(self, allowed: timedelta, doing: str) -> None:
        self._allowed = allowed
        self._doing = doing
        self._until = time.monotonic() + allowed.total_seconds()

    def within(self, seconds: float) -> float:
        """`seconds`, or what is left of the time where that is less; raises when none is."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeUp(
                f"{self._doing}: not done within {format_duration(self._allowed)} "
                "(clients.total_timeout); it goes on too slowly, or not at all"
            )
        return min(seconds, left)

    def check(self) -> None:
        """Raise `TimeUp` where the time is up."""
        self.within(0)


@contextmanager
def watched(allowed: timedelta, abort: Callable[[], None]) -> Iterator[None]:
    """Call `abort`, from another thread, where the block takes longer than `allowed`.

    It is to wake who waits in the block on a server that drips: each of its bytes comes in time.
    """
    watchdog = Timer(allowed.total_seconds(), abort)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row: doubling, with jitter, bounded."""
    wait = min(_FIRST_WAIT * 2.0 ** (failures - 1), _LONGEST_WAIT)
    return wait * (0.75 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing


def persist(action: Callable[[], T], *, attempts: int, pause: Pause) -> T:
    """What `action` returns, tried up to `attempts` times while it raises `TransientError`.

    Where `pause` says that the run is to stop, the last error is raised at once.
    """
    for failures in range(1, attempts):
        try:
            return action()
        except TransientError as error:
            if isinstance(error, TimeUp) or not pause(backoff(failures)):
                raise
    return action()

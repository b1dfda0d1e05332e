"""Runs something that may hang, and goes on without it when its time is up."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Bounded(Generic[T]):
    """A call in a daemon thread, which neither outlives the process nor holds it up.

    A socket's own timeout bounds one read, not a server that sends a byte a second: only
    walking away bounds that.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._result: list[T] = []
        self.error: BaseException | None = None
        """What the call raised, or None."""
        self._thread = threading.Thread(target=self._work, name="cronops bounded", daemon=True)
        self._thread.start()

    def wait(self, until: float) -> None:
        """Wait for the call to be over, until `until` on the monotonic clock at most."""
        self._thread.join(max(0.0, until - time.monotonic()))

    @property
    def is_over(self) -> bool:
        """Whether the call has returned or raised."""
        return not self._thread.is_alive()

    @property
    def result(self) -> T:
        """What the call returned; raises what it raised. Only for a call that is over."""
        if self.error is not None:
            raise self.error
        return self._result[0]

    def _work(self) -> None:
        try:
            self._result.append(self._call())
        except BaseException as error:  # reported, not lost: a thread has nobody to raise to
            self.error = error


def run_bounded(calls: Sequence[Callable[[], T]], seconds: float) -> list[Bounded[T]]:
    """Start all `calls` at once and wait for them, `seconds` at most for all together."""
    until = time.monotonic() + seconds
    started = [Bounded(call) for call in calls]
    for one in started:
        one.wait(until)
    return started

"""The request to stop, safe to make from a signal handler."""

import contextlib
import os
import select
from types import FrameType


class StopRequest:
    """Set once, by SIGTERM; whoever sleeps wakes up.

    Not a `threading.Event`: setting one from a signal handler that interrupted its ``wait``
    deadlocks on the lock inside.
    """

    def __init__(self) -> None:
        self.requested = False
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """A signal handler that makes the request."""
        self.requested = True
        with contextlib.suppress(BlockingIOError):
            os.write(self._write, b".")

    def pause(self, seconds: float) -> bool:
        """Sleep so long, or until the request is made; False once it is."""
        if not self.requested and seconds > 0:
            select.select([self._read], [], [], seconds)
        return not self.requested

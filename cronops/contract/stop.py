"""The request to stop, safe to make from a signal handler; and how long a run takes to obey."""

import contextlib
import os
import select
from datetime import timedelta
from types import FrameType

from cronops.config import Settings


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


def longest_stop(settings: Settings) -> timedelta:
    """What a run may need after SIGTERM to end and to tell how; a pod is to be given as much.

    Its processes have the grace, and whatever is stuck in the kernel some seconds more; the
    outcome is stored again and again for the grace, the last time with a whole attempt to
    connect; then the metrics. Alerts are left to a later run.
    """
    from cronops.contract.metrics import LONGEST_SECONDS
    from cronops.contract.process import STUCK_SECONDS

    grace = settings.supervisor.grace
    return (
        2 * grace + settings.db.connect_timeout + timedelta(seconds=STUCK_SECONDS + LONGEST_SECONDS)
    )

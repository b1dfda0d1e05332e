"""What a worker has done, and how far it may go."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from cronops.queue.host import WorkerHost
from cronops.queue.message import Status


@dataclass(slots=True)
class Tally:
    """What became of the messages a worker touched."""

    processed: int = 0
    failed: int = 0
    """Attempts that failed and will be made again."""
    crashed: int = 0
    restarted: int = 0
    """Found unfinished, their worker gone, and put back."""
    given_back: int = 0
    remaining: int | None = None
    """Due messages left when a limit ended the work; None where the queue was drained."""

    @property
    def worked(self) -> int:
        """Messages that were worked, well or badly."""
        return self.processed + self.failed + self.crashed

    def add_verdicts(self, statuses: Collection[Status]) -> None:
        """Count failed attempts by what they led to."""
        for status in statuses:
            if status is Status.CRASH:
                self.crashed += 1
            else:
                self.failed += 1


class Limits:
    """When to stop claiming."""

    def __init__(
        self, host: WorkerHost, *, max_messages: int | None, max_time: timedelta | None
    ) -> None:
        self._host = host
        self._max_messages = max_messages
        self._until = None if max_time is None else time.monotonic() + max_time.total_seconds()

    def time_is_up(self) -> bool:
        """Whether the run is to stop, or its time is used."""
        return self._host.stopping or (self._until is not None and time.monotonic() >= self._until)

    def full(self, worked: int) -> bool:
        """Whether as many messages were worked as may be."""
        return self.room(worked) == 0

    def room(self, worked: int) -> int | None:
        """How many more may be claimed after `worked`; None for any number."""
        return None if self._max_messages is None else max(0, self._max_messages - worked)

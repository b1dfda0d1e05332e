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
        self,
        host: WorkerHost,
        *,
        max_messages: int | None = None,
        max_time: timedelta | None = None,
        deadline: timedelta | None = None,
    ) -> None:
        now = time.monotonic()
        self._host = host
        self._max_messages = max_messages
        self._latest = None if max_time is None else now + max_time.total_seconds()
        self._allowed = None if deadline is None else deadline.total_seconds()
        self._deadline = None if deadline is None else now + deadline.total_seconds()
        self._longest_handler = 0.0
        self._until = self._latest
        self.leave_room_for(0.0)

    def leave_room_for(self, seconds: float) -> None:
        """Stop so early that a handler of that timeout ends before the deadline.

        Half the time at most is kept free: a handler with a longer timeout than that is worked
        all the same.
        """
        self._longest_handler = max(self._longest_handler, seconds)
        if self._deadline is not None and self._allowed is not None:
            reserve = min(self._longest_handler, self._allowed / 2)
            latest = self._deadline - reserve
            self._until = latest if self._latest is None else min(self._latest, latest)

    def time_is_up(self) -> bool:
        """Whether the run is to stop, or its time is used."""
        if self._host.stopping:
            return True
        return self._until is not None and time.monotonic() >= self._until

    def full(self, worked: int) -> bool:
        """Whether as many messages were worked as may be."""
        return self.room(worked) == 0

    def room(self, worked: int) -> int | None:
        """How many more may be claimed after `worked`; None for any number."""
        return None if self._max_messages is None else max(0, self._max_messages - worked)

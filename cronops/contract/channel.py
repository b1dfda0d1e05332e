"""How supervisor and worker talk: a pipe each way with a JSON object a line, and a shared page.

Success is a message on the pipe, never an exit code alone: a library that calls ``os._exit(0)``
has not done the work.
"""

import json
import mmap
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cronops.errors import CronopsError

_PAGE = 4096
_UNIT, _DEADLINE, _LEASE_UNTIL, _STOP, _COUNTS = 0, 1, 2, 3, 8
_LONGEST_LINE = 1 << 20


def now() -> float:
    """Seconds on the clock both processes measure with; it goes on while a machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SharedPage:
    """A page of memory between supervisor and worker: no system call to write, none to read.

    The worker writes the unit in hand, its deadline, and what it has counted, which so outlives
    it; the supervisor until when the lease is sure, and that the worker is to stop: a signal may
    be blocked by what it runs. Each is one aligned 8-byte store.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._map = mmap.mmap(fd, _PAGE)
        self._integers = memoryview(self._map).cast("q")
        self._floats = memoryview(self._map).cast("d")

    @classmethod
    def create(cls) -> "SharedPage":
        """A new page, all zero."""
        fd = os.memfd_create("cronops-worker")
        os.ftruncate(fd, _PAGE)
        return cls(fd)

    def begin_unit(self, unit: int, seconds: float) -> None:
        """The worker takes `unit` in hand for at most so many seconds."""
        self._floats[_DEADLINE] = now() + seconds
        self._integers[_UNIT] = unit

    def end_unit(self) -> None:
        """The worker's hands are empty."""
        self._integers[_UNIT] = 0

    def clear(self) -> None:
        """For the next process: nothing is in hand, and nothing has been."""
        self._integers[_UNIT] = 0
        self._floats[_DEADLINE] = 0.0
        for place in range(_COUNTS, len(self._integers)):
            self._integers[place] = 0

    def set_count(self, place: int, number: int) -> None:
        """The worker has counted so many of the count declared at `place`."""
        if _COUNTS + place < len(self._integers):
            self._integers[_COUNTS + place] = number

    def counts(self, names: Sequence[str]) -> dict[str, int]:
        """What the worker has counted, by the names its job declares."""
        found = {}
        for place, name in enumerate(names[: len(self._integers) - _COUNTS]):
            if number := self._integers[_COUNTS + place]:
                found[name] = number
        return found

    @property
    def has_begun_a_unit(self) -> bool:
        """Whether any unit has been taken in hand since the page was cleared."""
        return self._floats[_DEADLINE] > 0

    @property
    def unit(self) -> int | None:
        """The unit in hand, or None."""
        return self._integers[_UNIT] or None

    @property
    def unit_deadline(self) -> float:
        """When the unit in hand must be done, on the clock of `now`."""
        return self._floats[_DEADLINE]

    @property
    def stop_requested(self) -> bool:
        """Whether the supervisor wants the worker to stop."""
        return bool(self._integers[_STOP])

    def request_stop(self) -> None:
        """The supervisor wants the worker to stop."""
        self._integers[_STOP] = 1

    @property
    def lease_until(self) -> float:
        """Until when the run's lease is sure, on the clock of `now`; 0 before it is known."""
        return self._floats[_LEASE_UNTIL]

    @lease_until.setter
    def lease_until(self, until: float) -> None:
        self._floats[_LEASE_UNTIL] = until


@dataclass
class Ends:
    """One side's file descriptors of the two pipes."""

    read: int
    write: int

    def close(self) -> None:
        """Close both."""
        os.close(self.read)
        os.close(self.write)


def open_pipes() -> tuple[Ends, Ends]:
    """The supervisor's ends and the worker's ends."""
    to_worker_read, to_worker_write = os.pipe()
    to_supervisor_read, to_supervisor_write = os.pipe()
    # A descendant may keep the other end open for ever: the supervisor never waits in a read.
    os.set_blocking(to_supervisor_read, False)
    return Ends(to_supervisor_read, to_worker_write), Ends(to_worker_read, to_supervisor_write)


def send(fd: int, message: dict[str, Any]) -> None:
    """Write one message whole; a reader that is gone is not an error worth telling."""
    data = json.dumps(message, default=str).encode() + b"\n"
    try:
        while data:
            data = data[os.write(fd, data) :]
    except BrokenPipeError:
        return


class Receiver:
    """Collects what has arrived into messages."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._buffer = b""

    def read(self) -> list[dict[str, Any]] | None:
        """The messages that are complete, after one read; None at the end of the pipe."""
        try:
            data = os.read(self.fd, 65536)
        except BlockingIOError:
            return []
        if not data:
            return None
        self._buffer += data
        if len(self._buffer) > _LONGEST_LINE and b"\n" not in self._buffer:
            raise CronopsError("the worker process sent a message of more than 1 MiB")
        *lines, self._buffer = self._buffer.split(b"\n")
        messages = []
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                continue  # a library that writes to every open descriptor has not reported
            if isinstance(message, dict):
                messages.append(message)
        return messages

    def wait_one(self) -> dict[str, Any] | None:
        """Block until a message is there; None at the end of the pipe."""
        while (messages := self.read()) is not None:
            if messages:
                return messages[0]
        return None

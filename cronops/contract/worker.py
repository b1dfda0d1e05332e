"""One worker process, as its supervisor holds it: started, told, heard, killed, buried."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cronops.config import Settings
from cronops.contract.channel import Ends, Receiver, SharedPage, open_pipes, send
from cronops.contract.child import run_worker
from cronops.contract.job import Job
from cronops.contract.process import descendants, describe_end, signal_all
from cronops.contract.units import DeathCause, WorkerDeath
from cronops.contract.verdict import WorkerEnd
from cronops.contract.wiring import Wiring


@dataclass(frozen=True)
class Go:
    """The word to go: what every worker is told."""

    run_id: str
    correlation_id: str
    schedule: str | None
    scheduled_at: str | None
    tokens: tuple[int, ...]
    holder: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Worker:
    """One worker process; its page outlives it and serves its replacement."""

    number: int
    page: SharedPage
    pid: int = 0
    ends: Ends | None = None
    receiver: Receiver | None = None
    report: dict[str, Any] | None = None
    """What it said came of its work."""
    status: int | None = None
    """Its wait status, once it is reaped."""
    killed_for: DeathCause | None = None
    """Why its supervisor killed it, if it did."""
    was_sent_go: bool = False
    overdue: int | None = None
    """The unit that its supervisor killed it for."""
    deaths_in_a_row: int = 0
    """How many processes in this place ended without a word and without beginning a unit."""
    _process: subprocess.Popen[bytes] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the process has been started and not been reaped."""
        return self.pid != 0 and self.status is None

    @property
    def end(self) -> WorkerEnd:
        """What is known of the process once it is over."""
        return WorkerEnd(self.report, self.status, was_killed=self.killed_for is not None)

    @property
    def death(self) -> WorkerDeath:
        """How it died, with the unit that was in its hands."""
        detail, _ = describe_end(self.status or 0)
        cause = self.killed_for or DeathCause.DIED
        if cause is DeathCause.UNIT_TIMEOUT and self.page.unit != self.overdue:
            # It was through with that one before it died: the next is not to blame.
            cause = DeathCause.STOPPED
        return WorkerDeath(self.page.unit, cause, detail, self.pid)

    def fork(
        self,
        job: Job,
        arguments: Mapping[str, Any],
        settings: Settings,
        wiring: Wiring,
        *,
        siblings: Sequence["Worker"],
    ) -> None:
        """Start the process by fork: cheap, and only safe while there is but one thread."""
        ours, theirs = open_pipes()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.setsid()
            ours.close()
            for sibling in siblings:
                sibling.close_ends()
            run_worker(
                job,
                settings,
                wiring,
                ends=theirs,
                page=self.page,
                parent=parent,
                worker=self.number,
                arguments=arguments,
            )
        theirs.close()
        self.pid, self.ends, self.receiver = pid, ours, Receiver(ours.read)

    def execute(self, command: Sequence[str]) -> None:
        """Start the process by exec: what a supervisor that has threads may do."""
        ours, theirs = open_pipes()
        self.page.clear()
        descriptors = (theirs.read, theirs.write, self.page.fd)
        numbers = (*descriptors, os.getpid(), self.number)
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*command, *map(str, numbers)], pass_fds=descriptors, start_new_session=True
        )
        theirs.close()
        self.pid, self.ends, self.receiver = self._process.pid, ours, Receiver(ours.read)

    def send_go(self, go: Go, *, lease_until: float) -> None:
        """Tell it to begin."""
        self.page.lease_until = lease_until
        self.was_sent_go = True
        if self.ends is not None:
            send(self.ends.write, {"go": go.__dict__})

    def receive(self) -> bool:
        """Take in what it sent; False where there was nothing more."""
        if self.receiver is None:
            return False
        messages = self.receiver.read()
        if messages is None:
            self.close_ends()
            return False
        for message in messages:
            if "succeeded" in message or "failed" in message:
                self.report = message
        return bool(messages)

    def kill(self) -> None:
        """Kill it, and everything below it."""
        if self.is_alive:
            signal_all([*descendants(self.pid), self.pid], signal.SIGKILL)

    def ended(self, status: int) -> None:
        """It was reaped: read what it said last."""
        self.status = status
        while self.receive():
            pass
        self.close_ends()
        if self._process is not None:
            self._process.returncode = os.waitstatus_to_exitcode(status)

    def close_ends(self) -> None:
        """Close our ends of the pipes; a worker that waits for the word to go then leaves."""
        if self.ends is not None:
            self.ends.close()
            self.ends = self.receiver = None

"""Watches over a run's worker processes from outside: only a parent can stop a hang in C."""

import os
import selectors
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cronops.config import Settings
from cronops.contract.channel import SharedPage, now
from cronops.contract.job import Job
from cronops.contract.lease_keeper import LeaseKeeper
from cronops.contract.process import adopt_orphans, end_descendants, reap, signal_all
from cronops.contract.result import RunResult
from cronops.contract.signals import Signals
from cronops.contract.units import DeathCause, WorkerDeath
from cronops.contract.verdict import StopCause, verdict
from cronops.contract.wiring import Wiring
from cronops.contract.worker import Go, Worker

_MOST_DEATHS_IN_A_ROW = 5
_LONGEST_SLEEP = 5.0


class Supervisor:
    """Forks the workers first, then lets one run use them."""

    def __init__(
        self, job: Job, arguments: Mapping[str, Any], settings: Settings, wiring: Wiring
    ) -> None:
        self._job = job
        self._settings = settings
        self._wiring = wiring
        self._grace = settings.supervisor.grace.total_seconds()
        count = int(arguments[job.processes]) if job.processes else 1
        self.signals = Signals()
        self.workers = [Worker(number, SharedPage.create()) for number in range(count)]
        # Before any connection or thread exists: a child that closes an inherited connection
        # breaks its parent's, and a lock held by a thread that was not forked stays held.
        for worker in self.workers:
            worker.fork(job, arguments, settings, wiring, siblings=self.workers)
        self.signals.listen()
        self._stop_cause: StopCause | None = None
        self._kill_at = 0.0
        self._unsettled: list[tuple[Worker, WorkerDeath]] = []
        self._counted: list[dict[str, int]] = []

    def dismiss(self) -> None:
        """There is nothing to do, or not any more: let the workers leave, and wait for them."""
        for worker in self.workers:
            if worker.was_sent_go:
                worker.kill()
            worker.close_ends()
        for worker in self.workers:
            if worker.is_alive:
                _, worker.status = os.waitpid(worker.pid, 0)

    def run(
        self,
        go: Go,
        keeper: LeaseKeeper,
        *,
        deadline: float | None,
        settle_death: Callable[[int, WorkerDeath], None] | None,
        spare: Sequence[int],
        log: Any,
    ) -> RunResult:
        """Let the workers work until they are done, fail, or have to be ended.

        `deadline` is on the clock of `channel.now`; `settle_death` charges a dead worker's unit
        and may raise while the database is away: it is called again; None where a death ends the
        run. `spare` are processes that are not the run's, though below it.
        """
        adopt_orphans()
        self._go, self._keeper, self._log = go, keeper, log
        self._settle_death = settle_death
        for worker in self.workers:
            worker.send_go(go, lease_until=keeper.until)
        while True:
            self._wait(deadline)
            self._check_limits(deadline)
            self._reap_workers()
            if self._is_over():
                break
        count, reaped = end_descendants(
            self._grace if self._stop_cause is None else 0.0, spare=spare
        )
        if count:
            log.warning("processes were left behind and have been ended", count=count)
        for worker in self.workers:
            worker.status = reaped.get(worker.pid, worker.status)
            worker.close_ends()
        return verdict(
            [worker.end for worker in self.workers],
            self._stop_cause,
            timeout=self._job.timeout,
            grace=self._settings.supervisor.grace,
            stop_signal=self.signals.stop_signal,
            counts=self._job.counts,
            counted=self._counted,
        )

    # --- one turn of the watch -----------------------------------------------------------------

    def _wait(self, deadline: float | None) -> None:
        moments = [now() + _LONGEST_SLEEP, self._lease_limit(0.25)]
        if deadline is not None and self._stop_cause is None:
            moments.append(deadline)
        if self._stop_cause is not None:
            moments.append(self._kill_at)
        moments += [w.page.unit_deadline for w in self.workers if w.is_alive and w.page.unit]
        if self._settle_death is not None:
            moments.append(now() + 0.2)  # a unit may begin at any time
        if self._unsettled:
            moments.append(now() + 0.2)
        with selectors.DefaultSelector() as selector:
            selector.register(self.signals.wakeup_fd, selectors.EVENT_READ, None)
            for worker in self.workers:
                if worker.receiver is not None:
                    selector.register(worker.receiver.fd, selectors.EVENT_READ, worker)
            for key, _ in selector.select(max(0.01, min(moments) - now())):
                if key.data is None:
                    self.signals.drain()
                else:
                    key.data.receive()

    def _check_limits(self, deadline: float | None) -> None:
        at = now()
        for worker in self.workers:
            worker.page.lease_until = self._keeper.until
        if self.signals.stop_signal is not None:
            self._begin_stop(StopCause.SIGNAL, at + self._grace)
        if deadline is not None and at >= deadline:
            self._begin_stop(StopCause.DEADLINE, at + self._grace)
        if self._keeper.lost:
            self._begin_stop(StopCause.LEASE, at)
        elif at >= self._lease_limit(0.25):
            self._begin_stop(StopCause.LEASE, min(at + self._grace, self._lease_limit(0.1)))
        if self.signals.insisted:
            self._kill_at = at
        if self._stop_cause is not None and at >= self._kill_at:
            for worker in self.workers:
                if worker.is_alive and worker.report is None:
                    worker.killed_for = worker.killed_for or DeathCause.STOPPED
                worker.kill()
        for worker in self.workers:
            unit = worker.page.unit
            if worker.is_alive and unit and at >= worker.page.unit_deadline:
                if worker.killed_for is None:
                    worker.killed_for, worker.overdue = DeathCause.UNIT_TIMEOUT, unit
                worker.kill()

    def _lease_limit(self, share: float) -> float:
        """When only this share of the lease's time to live is left."""
        return self._keeper.until - share * self._settings.lock.ttl.total_seconds()

    def _begin_stop(self, cause: StopCause, kill_at: float) -> None:
        if self._stop_cause is not None:
            if cause is StopCause.LEASE:
                self._kill_at = min(self._kill_at, kill_at)
            return
        self._stop_cause, self._kill_at = cause, kill_at
        for worker in self.workers:
            worker.page.request_stop()
        living = [worker.pid for worker in self.workers if worker.is_alive]
        self._log.info("stopping", cause=cause.value, grace_seconds=round(kill_at - now(), 1))
        signal_all(living, signal.SIGTERM)
        signal_all(living, signal.SIGCONT)

    def _reap_workers(self) -> None:
        ended = reap()
        for worker in self.workers:
            if worker.pid in ended and worker.is_alive:
                worker.ended(ended[worker.pid])
                if worker.report is None:
                    self._counted.append(worker.page.counts(self._job.counts))
                if worker.report is None and self._settle_death is not None:
                    self._unsettled.append((worker, worker.death))
        while self._unsettled and self._settle_death is not None:
            worker, death = self._unsettled[0]
            try:
                self._settle_death(worker.number, death)
            except Exception as error:
                self._log.warning("could not settle a dead worker's units", error=str(error))
                return
            self._unsettled.pop(0)
            if self._stop_cause is None:
                self._replace(worker, death)

    def _replace(self, worker: Worker, death: WorkerDeath) -> None:
        """Start another process in its place; by exec, for this one has threads by now."""
        in_a_row = 0 if worker.page.has_begun_a_unit else worker.deaths_in_a_row + 1
        if in_a_row >= _MOST_DEATHS_IN_A_ROW:
            return
        self._log.warning("a worker process ended and is replaced", detail=death.detail)
        if in_a_row:
            time.sleep(0.1 * in_a_row)
        replacement = Worker(worker.number, worker.page, deaths_in_a_row=in_a_row)
        replacement.execute(self._wiring.worker_command(self._job.name))
        self.workers[worker.number] = replacement
        replacement.send_go(self._go, lease_until=self._keeper.until)

    def _is_over(self) -> bool:
        if any(worker.is_alive for worker in self.workers):
            return False
        # With the lease going, nobody else may charge the dead one's units in our name.
        return not self._unsettled or self._stop_cause is not None

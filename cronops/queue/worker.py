"""The worker's loop: claim, work, until the queue is empty, a limit is reached or it is told."""

import time
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from cronops.errors import DatabaseUnavailable
from cronops.queue.bench import Bench
from cronops.queue.catalog import Catalog, FindHandler
from cronops.queue.failure import OnCrash
from cronops.queue.hands import Hands
from cronops.queue.host import WorkerHost
from cronops.queue.recovery import restart_abandoned
from cronops.queue.session import Session
from cronops.queue.tally import Limits, Tally

_SHORTEST_POLL = 0.05
_LONGEST_POLL = 1.0
_BETWEEN_RECOVERIES = 30.0
_BETWEEN_PROGRESS = 0.25
_COUNTED = ("processed", "failed", "crashed", "restarted", "given_back")


@dataclass(frozen=True, kw_only=True)
class WorkOptions:
    """What to work, and how long."""

    queue: str = "general"
    direction: str | None = None
    """None works both."""
    max_messages: int | None = None
    max_time: timedelta | None = None
    """Claim nothing more after so long."""
    deadline: timedelta | None = None
    """All must be done by then: claiming ends the longest handler's timeout before it."""
    follow: bool = False
    """Wait for more when the queue is empty."""
    force_restart: bool = False
    """Begin by restarting every unfinished message, whoever holds it."""


def work_queue(
    host: WorkerHost, options: WorkOptions, *, find_handler: FindHandler, on_crash: OnCrash
) -> Tally:
    """Work a queue's messages until it is empty, a limit is reached or `host` is to stop.

    What is left in hand goes back to NEW. The counts are also added to the run's.

    Raises:
        LeaseLost: another run took over; nothing was committed since.
        DatabaseUnavailable: the database went away and did not come back.
    """
    return _Worker(host, options, find_handler, on_crash).run()


class _Worker:
    def __init__(
        self, host: WorkerHost, options: WorkOptions, find_handler: FindHandler, on_crash: OnCrash
    ) -> None:
        self._host = host
        self._options = options
        self._on_crash = on_crash
        self._catalog = Catalog(find_handler)
        self._tally = Tally()
        self._limits = Limits(
            host,
            max_messages=options.max_messages,
            max_time=options.max_time,
            deadline=options.deadline,
        )
        self._session = Session(host, queue=options.queue, direction=options.direction)
        shared = (host, self._session, self._catalog, self._limits, self._tally)
        self._hands = Hands(*shared, on_crash, queue=options.queue)
        self._bench = Bench(*shared, self._hands)
        self._next_recovery = 0.0
        self._next_progress = 0.0
        self._published = dict.fromkeys(_COUNTED, 0)

    def run(self) -> Tally:
        try:
            self._drain()
        except psycopg.OperationalError as error:
            raise DatabaseUnavailable(f"the queue's database failed: {error}") from error
        finally:
            self._session.close()
            self._publish()
        self._host.count("remaining", self._tally.remaining or 0)
        return self._tally

    def _drain(self) -> None:
        wait = _SHORTEST_POLL
        force = self._options.force_restart
        # Left by an earlier attempt of this run, or by the process that this one replaces.
        self._hands.release()
        while not self._is_over():
            try:
                self._recover(force=force)
                force = False
                if self._hands.pending or self._hands.claim():
                    self._bench.work_next()
                    self._publish()
                    wait = _SHORTEST_POLL
                elif not self._options.follow or not self._host.pause(wait):
                    break
                else:
                    wait = min(_LONGEST_POLL, wait * 2)
                self._show_progress()
            except psycopg.Error:
                if not self._session.lost:
                    raise
                self._hands.in_hand = []
                self._hands.reconnect()
        self._leave()

    def _is_over(self) -> bool:
        return self._limits.time_is_up() or self._limits.full(self._tally.worked)

    def _leave(self) -> None:
        ended_early = self._is_over()
        if self._session.lost:
            self._session.reopen()
        self._hands.give_back()
        if ended_early:
            self._tally.remaining = self._session.store.count_due()

    def _recover(self, *, force: bool) -> None:
        now = time.monotonic()
        if self._host.worker != 0 or now < self._next_recovery:
            return
        found = restart_abandoned(
            self._session.connection,
            queue=self._options.queue,
            settings=self._host.settings.queue,
            owners_of=self._catalog.owners_of,
            on_crash=self._on_crash,
            own_token=self._host.tokens[0],
            force=force,
        )
        self._next_recovery = now + _BETWEEN_RECOVERIES
        self._tally.restarted += found.restarted
        self._tally.crashed += found.crashed
        if found.restarted or found.crashed:
            self._host.log.warning(
                "restarted messages whose worker is gone",
                restarted=found.restarted,
                crashed=found.crashed,
            )

    def _publish(self) -> None:
        """Add what is new to the run's counts, at once: they outlive a worker that is killed."""
        for name in _COUNTED:
            number = getattr(self._tally, name)
            if number != self._published[name]:
                self._host.count(name, number - self._published[name])
                self._published[name] = number

    def _show_progress(self) -> None:
        now = time.monotonic()
        if now >= self._next_progress:
            self._next_progress = now + _BETWEEN_PROGRESS
            self._host.progress(self._tally.worked, self._options.max_messages)

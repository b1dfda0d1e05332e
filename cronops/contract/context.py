"""What a job's function is given: who it is, its database, its queue, and when to stop."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cronops.config import Settings
from cronops.contract.channel import SharedPage, now
from cronops.contract.job import Job
from cronops.contract.stop import StopRequest
from cronops.contract.wiring import Wiring

# Who only reads a job's declaration imports this for its name, and needs no driver.
if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Connection

    from cronops.contract.further_leases import FurtherLeases
    from cronops.contract.handler_context import MessageContext


@dataclass(frozen=True)
class RunFacts:
    """All that a worker process is told about its run, sent with the word to go."""

    run_id: str
    correlation_id: str
    schedule: str | None
    scheduled_at: datetime | None
    tokens: tuple[int, ...]
    """Leases that must be held at every commit; the first names the run."""
    holder: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


class JobContext:
    """A run as its job sees it.

    `run_id`, `correlation_id`, `schedule`, `scheduled_at` (None by hand), `attempt` (from 1),
    `settings`, `arguments`, `worker` (this process among several, from 0), `tokens`.
    """

    def __init__(
        self,
        job: Job,
        facts: RunFacts,
        settings: Settings,
        wiring: Wiring,
        *,
        page: SharedPage,
        stop: StopRequest,
        log: Any,
        worker: int = 0,
        show_progress: Callable[[int, int | None], None] | None = None,
    ) -> None:
        self.job = job
        self.facts = facts
        self.run_id = facts.run_id
        self.correlation_id = facts.correlation_id
        self.schedule = facts.schedule
        self.scheduled_at = facts.scheduled_at
        self.settings = settings
        self.worker = worker
        self.attempt = 1
        self.counts: dict[str, int] = {}
        self._places = {name: place for place, name in enumerate(job.counts)}
        self.was_told_to_stop = False
        self.tokens: Sequence[int] = facts.tokens
        self._log = log
        self._wiring = wiring
        self._page = page
        self._stop = stop
        self._show_progress = show_progress
        self._db: Connection | None = None
        self._transaction_open = False
        self._further_leases: FurtherLeases | None = None

    @property
    def log(self) -> Any:
        """A structlog logger whose every line names this run."""
        return self._log

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The job's own options, defaults included."""
        return self.facts.arguments

    @property
    def stopping(self) -> bool:
        """Whether to leave off: the run was told to stop, or its lease is not sure any more.

        A job that has seen True and returns counts as interrupted, unless it declares `drains`:
        then what it left undone is safe where it is.
        """
        until = self._page.lease_until
        asked = self._stop.requested or self._page.stop_requested
        stopping = asked or (until > 0 and now() > until)
        if stopping:
            self.was_told_to_stop = True
        return stopping

    def pause(self, seconds: float) -> bool:
        """Sleep, but wake when told to stop; False where the run is to stop."""
        self._stop.pause(seconds)
        return not self.stopping  # asked in any case: a job told to stop has to be known as such

    def step(self, name: str, **facts: Any) -> None:
        """Log that a step of the work begins: what a run that dies was at is then to be seen."""
        self.log.info("step", step=name, **facts)

    def count(self, name: str, by: int = 1) -> None:
        """Add to one of the run's counts; they go to the run's record and its metrics."""
        self.counts[name] = total = self.counts.get(name, 0) + by
        place = self._places.get(name)
        if place is not None:
            self._page.set_count(place, total)

    def keep_counts(self, *names: str) -> None:
        """Start the other counts anew: for a job that drains, and sees again what it only saw."""
        for name in set(self.counts) - set(names):
            self.count(name, -self.counts[name])

    def progress(self, done: int, total: int | None = None) -> None:
        """Show how far the run is: a bar at a terminal, nothing elsewhere."""
        if self._show_progress is not None:
            self._show_progress(done, total)

    def connect(self, purpose: str = "") -> "psycopg.Connection[Any]":
        """A new psycopg connection of this run, in autocommit mode; the caller closes it.

        For COPY and hot paths. What it commits is fenced only inside of `fenced`.
        """
        from cronops.contract.lock import session_name
        from cronops.db.connect import connect

        name = session_name(self.tokens[0], f"{self.job.name} {purpose}".strip())
        deadline = self.job.deadline_for(self.arguments)
        return connect(
            self.settings,
            name,
            statement_timeout=deadline * 0.9 if deadline else None,
            lock_timeout=deadline / 2 if deadline else timedelta(minutes=5),
            idle_in_transaction_timeout=timedelta(minutes=10),
        )

    @property
    def db(self) -> "Connection":
        """A SQLAlchemy connection, opened when first used. Its every commit is fenced."""
        if self._db is None:
            from cronops.contract.fenced import fenced_connection

            self._db = fenced_connection(self.connect, lambda: self.tokens)
        return self._db

    @contextmanager
    def transaction(self) -> "Iterator[Connection]":
        """A transaction that commits only while the run still holds its lease.

        Inside another one it is a savepoint. Raises `LeaseLost` in place of the commit.
        """
        db = self.db
        if self._transaction_open:
            with db.begin_nested():
                yield db
            return
        self._transaction_open = True
        try:
            if not db.in_transaction():
                db.begin()
            yield db
            db.commit()
        except BaseException:
            if not db.invalidated and not db.closed:
                db.rollback()
            raise
        finally:
            self._transaction_open = False

    @contextmanager
    def fenced(self, connection: "psycopg.Connection[Any]") -> Iterator[None]:
        """A transaction on a connection of the job's own (`connect`), fenced as `transaction` is.

        Inside another one it is a savepoint.
        """
        from cronops.contract.lock import fence

        with connection.transaction():
            yield
            fence(connection, self.tokens)

    @contextmanager
    def lock(self, key: str, *, wait: timedelta = timedelta(0)) -> Iterator[None]:
        """Hold a further lease; while it is held, every commit is fenced by it too.

        Raises `Locked`, naming the holder, where it is busy for longer than `wait`.
        """
        if self._further_leases is None:
            self._further_leases = self._make_further_leases()
        with self._further_leases.hold(key, wait) as token:
            outer, self.tokens = self.tokens, (*self.tokens, token)
            try:
                yield
            finally:
                self.tokens = outer

    def _make_further_leases(self) -> "FurtherLeases":
        from cronops.contract.further_leases import FurtherLeases
        from cronops.contract.lock import Claimant

        claimant = Claimant(
            run_id=self.run_id,
            job=self.job.name,
            holder=self.facts.holder,
            ttl=self.settings.lock.ttl,
            owner_token=self.facts.tokens[0],
        )
        return FurtherLeases(self.connect, claimant, self.pause)

    def enqueue(self, handler: str, payload: Any = None, **fields: Any) -> int | None:
        """Put a message into the queue, in the open transaction or in one of its own.

        `fields`: ``queue``, ``direction``, ``priority``, ``available_at``, ``max_attempts``,
        ``dedupe_key``, ``correlation_id`` (this run's by default). The message's id, or None
        where an unfinished message has the same deduplication key.
        """
        fields.setdefault("correlation_id", self.correlation_id)
        with self._joined() as connection:
            return self._wiring.enqueue(connection, handler, payload, **fields)

    def enqueue_many(self, handler: str, payloads: Iterable[Any], **fields: Any) -> int:
        """Put many messages into the queue by COPY, streaming; how many there were.

        A payload may be a `NewMessage`, which names its own fields.
        """
        fields.setdefault("correlation_id", self.correlation_id)
        with self._joined() as connection:
            return self._wiring.enqueue_many(connection, handler, payloads, **fields)

    @contextmanager
    def _joined(self) -> "Iterator[psycopg.Connection[Any]]":
        if self._transaction_open:
            yield _driver_connection(self.db)
        else:
            with self.transaction() as db:
                yield _driver_connection(db)

    def handler_context(self, connection: "psycopg.Connection[Any]") -> "MessageContext":
        """The context for message handlers that work on `connection`."""
        from cronops.contract.handler_context import MessageContext

        return MessageContext(self, connection)

    def begin_unit(self, unit: int, seconds: float) -> None:
        """Tell the supervisor which unit is in hand, and for how long at most."""
        self._page.begin_unit(unit, seconds)

    def end_unit(self) -> None:
        """Tell the supervisor that no unit is in hand."""
        self._page.end_unit()

    def begin_attempt(self, number: int) -> None:
        """Start over: what a failed attempt counted, or left open, is not the next one's.

        Unless the job drains: what it had done is done.
        """
        self.attempt = number
        if not self.job.drains:
            self.counts = {}
            self._page.clear()
        self._log = self._log.bind(attempt=number)
        self.close()

    def close(self) -> None:
        """Close what was opened; uncommitted work is rolled back."""
        for opened in (self._db, self._further_leases):
            if opened is not None:
                try:
                    opened.close()
                except Exception as error:
                    self._log.debug("closing a connection failed", error=str(error))
        self._db = self._further_leases = None
        self._transaction_open = False


def _driver_connection(db: "Connection") -> "psycopg.Connection[Any]":
    import psycopg

    driver = db.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - the one dialect there is
    return driver

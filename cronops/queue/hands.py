"""The messages a worker holds, and every status write for them."""

import random
from collections import deque
from collections.abc import Collection, Sequence

import psycopg

from cronops.errors import LeaseLost
from cronops.queue.catalog import Catalog
from cronops.queue.failure import OnCrash, is_collision, judge, record_failure
from cronops.queue.host import WorkerHost
from cronops.queue.message import Status
from cronops.queue.pace import Pace
from cronops.queue.recovery import release
from cronops.queue.session import Session
from cronops.queue.store import Claimed
from cronops.queue.tally import Limits, Tally

TRIES = 6
"""How often a message or a commit that collides with somebody else's is tried."""

Failure = tuple[Claimed, BaseException]


class Stolen(Exception):
    """A message of the chunk was taken away: nothing of the chunk may be committed."""


class Hands:
    """What one worker holds: messages in hand, and pending ones in the order of their claim."""

    def __init__(
        self,
        host: WorkerHost,
        session: Session,
        catalog: Catalog,
        limits: Limits,
        tally: Tally,
        on_crash: OnCrash,
        *,
        queue: str,
    ) -> None:
        self.pending: deque[Claimed] = deque()
        self.in_hand: list[Claimed] = []
        self.pace = Pace(host.settings.queue.batch_size)
        self._host = host
        self._session = session
        self._catalog = catalog
        self._limits = limits
        self._tally = tally
        self._on_crash = on_crash
        self._queue = queue
        self._settings = host.settings.queue
        self._batch_size = self._settings.batch_size

    def claim(self) -> bool:
        """Claim the next messages; False where there is none to claim."""
        self.finish((), ())
        return bool(self.pending)

    def give_back(self) -> None:
        """Return whatever this worker still holds to NEW, uncharged."""
        self.pending.clear()
        self.in_hand = []
        self._tally.given_back += self.release()

    # Commits --------------------------------------------------------------------------------

    def start(self, items: Sequence[Claimed]) -> bool:
        """Commit the start of messages; False where one of them was taken away."""
        step = self._session.store.step(start=items)
        if not step.held:
            raise _lease_lost()
        for item in items:
            item.started = True
        if step.started == len(items):
            return True
        self._keep_what_is_ours()
        return False

    def finish(self, done: Collection[Claimed], failures: Collection[Failure]) -> None:
        """Settle a chunk, start the next and claim the one after, in one commit.

        In a handler's transaction it is the last statement before the commit. Raises `Stolen`
        or `LeaseLost` where the fences do not hold; the caller undoes what was written.
        """
        context = self._session.context
        verdicts = self._record(failures) if failures else []
        start = self._next_to_start()
        claim = self._claim_size(len(done) + len(failures))
        with_effects = context.in_transaction
        step = self._session.store.step(
            settle=done, start=start, claim=claim, batch_handlers=self._catalog.in_batches
        )
        stolen = len(done) - step.settled
        if not step.held:
            self._session.roll_back()
            raise _lease_lost()
        if with_effects:
            if stolen:
                raise Stolen
            context.commit()
        elif stolen:
            self.tell_stolen(stolen)
        self._tally.processed += step.settled
        self._tally.add_verdicts(verdicts)
        for item in start:
            item.started = True
        self.pending.extend(step.claimed)
        if step.started != len(start):
            self._keep_what_is_ours()

    def finish_effects(self, done: Collection[Claimed], failures: Collection[Failure] = ()) -> bool:
        """Finish a chunk whose handlers wrote; False where it was rolled back instead."""
        try:
            self.finish(done, failures)
        except (Stolen, psycopg.Error):
            self.undo()
            return False
        return True

    def finish_surely(self, done: Collection[Claimed], failures: Collection[Failure]) -> None:
        """Finish what has no effects in the database, as often as it takes."""
        for tries in range(1, TRIES + 1):
            try:
                self.finish(done, failures)
            except Stolen:
                self.undo()
            except psycopg.Error as error:
                innocent = self.is_innocent(error)
                self.undo()
                if not innocent or tries == TRIES:
                    raise
                self._host.pause(jitter(tries))
            else:
                return
            done = self.still_ours(done)
            kept = {item.message.id for item in self.still_ours([item for item, _ in failures])}
            failures = [one for one in failures if one[0].message.id in kept]

    def _record(self, failures: Collection[Failure]) -> list[Status]:
        context, connection = self._session.context, self._session.connection
        context.begin()
        recorded: list[Status] = []
        for item, error in failures:
            message = item.message
            known = self._catalog[message.handler]
            verdict = judge(message, known.handler, error, self._settings)
            if not record_failure(connection, message.id, item.token, verdict):
                continue
            recorded.append(verdict.status)
            if verdict.status is Status.CRASH:
                owners = self._catalog.owners_of(message.handler)
                self._on_crash(connection, message.handler, owners, message.id, verdict.error)
            self._host.log.warning(
                "message failed",
                message=message.id,
                handler=message.handler,
                attempt=message.attempts + 1,
                status=verdict.status.value,
                error=verdict.error,
                retry_in_seconds=round(verdict.delay.total_seconds(), 1),
            )
        return recorded

    # What comes next ------------------------------------------------------------------------

    def chunk_length(self) -> int:
        """How many of the first pending messages make the next chunk."""
        length = 0
        for item in self.pending:
            if item.message.alone or not self._catalog[item.message.handler].in_batches:
                return length or 1
            length += 1
            if length == self._batch_size:
                break
        return length

    def _next_to_start(self) -> list[Claimed]:
        if not self.pending or self._limits.time_is_up() or self._limits.full(self._tally.worked):
            return []
        length = self.chunk_length()
        return [self.pending[place] for place in range(length) if not self.pending[place].started]

    def _claim_size(self, finishing: int) -> int:
        if self.pending or self._limits.time_is_up():
            return 0
        room = self._limits.room(self._tally.worked + finishing)
        return 0 if room == 0 else self.pace.next_claim(room)

    # When things go wrong -------------------------------------------------------------------

    def is_innocent(self, error: BaseException) -> bool:
        """Whether the chunk, not the message in hand, is to blame for `error`.

        Raises it where it says that the lease is lost: then there is nothing left to do.
        """
        if isinstance(error, LeaseLost):
            raise error
        return self._session.lost or is_collision(error)

    def undo(self) -> None:
        """Roll back; where the connection is gone, make another and see what is still ours."""
        if not self._session.lost:
            try:
                self._session.roll_back()
            except psycopg.Error:
                # Often only now is it seen that the connection is gone.
                if not self._session.lost:
                    raise
            else:
                return
        self.reconnect()

    def reconnect(self) -> None:
        """Connect again, give back what the lost answers had claimed, keep what is ours."""
        self._session.reopen()
        self.release()
        self._keep_what_is_ours()

    def still_ours(self, items: Collection[Claimed]) -> list[Claimed]:
        """Those of `items` that nobody has taken away, read afresh."""
        if not items:
            return []
        ours, settled = self._session.store.reload(items)
        # Committed after all: only the answer was lost with the connection.
        self._tally.processed += len(settled)
        self.tell_stolen(len(items) - len(ours) - len(settled))
        return ours

    def release(self, keep: Collection[Claimed] = ()) -> int:
        """Give back, uncharged, whatever this worker has claimed and does not hold; how many."""
        held = [*keep, *self.in_hand, *self.pending]
        return release(
            self._session.connection,
            queue=self._queue,
            token=self._host.tokens[0],
            worker=self._host.worker,
            keep=[item.message.id for item in held],
        )

    def tell_stolen(self, count: int) -> None:
        """Log that messages were taken away."""
        if count:
            self._host.log.warning(
                "messages were taken away by a reset; nothing was written for them", messages=count
            )

    def _keep_what_is_ours(self) -> None:
        self.pending = deque(self.still_ours(self.pending))


def jitter(tries: int) -> float:
    """Seconds to wait after so many collisions."""
    return 0.02 * (1 << tries) * (0.5 + random.random())  # noqa: S311 - spreads load, guards nothing


def _lease_lost() -> LeaseLost:
    return LeaseLost(
        "the queue's lock was taken over by another run, so nothing was committed; "
        "see: cronops locks list"
    )

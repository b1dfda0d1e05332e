"""Works claimed messages, chunk by chunk, and commits each chunk behind its fences.

A chunk runs without savepoints. If one of its handlers fails, or one of its messages turns
out to have been taken away, it is rolled back and done again: first with a savepoint for each
message; where even that collides with somebody else's transaction, message by message.
"""

import random
import time
from collections import deque
from collections.abc import Collection, Sequence

import psycopg
from psycopg.pq import TransactionStatus

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

_CHUNK_SECONDS = 0.5
_LOOK_UP_SECONDS = 0.005
_TRIES = 6

Failure = tuple[Claimed, BaseException]


class _Stolen(Exception):
    """A message of the chunk was taken away: nothing of the chunk may be committed."""


class _BrokenTransaction(Exception):
    """The handler went on after a database error; its transaction cannot be committed."""

    def __init__(self) -> None:
        super().__init__(
            "the handler went on after a database error, so that nothing it wrote can be kept; "
            "let the error out, or put the statement into ctx.transaction()"
        )


class Bench:
    """What one worker holds, and how it is worked."""

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
        self._host = host
        self._session = session
        self._catalog = catalog
        self._limits = limits
        self._tally = tally
        self._on_crash = on_crash
        self._queue = queue
        self._settings = host.settings.queue
        self._pace = Pace(self._settings.batch_size)
        self._in_hand: list[Claimed] = []

    def claim(self) -> bool:
        """Claim the next messages; False where there is none to claim."""
        self._finish((), ())
        return bool(self.pending)

    def work_next(self) -> None:
        """Work the first chunk of what is pending."""
        began = time.monotonic()
        done_before = self._tally.worked
        known = self._catalog[self.pending[0].message.handler]
        self._limits.leave_room_for(known.seconds)
        if known.in_batches and not self.pending[0].message.alone:
            self._work_chunk()
        else:
            self._work_single(self.pending.popleft())
        self._in_hand = []
        self._pace.worked(self._tally.worked - done_before, time.monotonic() - began)

    def give_back(self) -> None:
        """Return whatever this worker still holds to NEW, uncharged."""
        self.pending.clear()
        self._in_hand = []
        self._tally.given_back += self._release()

    def recover_connection(self) -> None:
        """After an error between chunks: connect again, and go on with what is still ours."""
        self._in_hand = []
        self._reconnect()

    def _reconnect(self) -> None:
        self._session.reopen()
        self._release()
        self._keep_what_is_ours()

    # Chunks ---------------------------------------------------------------------------------

    def _work_chunk(self) -> None:
        length = self._chunk_length()
        unstarted = [item for item in list(self.pending)[:length] if not item.started]
        if unstarted and not self._start(unstarted):
            return
        items = self._in_hand = [self.pending.popleft() for _ in range(length)]
        done, failure = self._call_all(items)
        tried = [*done, failure[0]] if failure else done
        self.pending.extendleft(reversed(items[len(tried) :]))
        self._in_hand = tried
        context = self._session.context
        if failure and self._is_innocent(failure[1]):
            self._undo()
            self._singly(tried)
        elif not context.in_transaction:
            self._finish_surely(done, [failure] if failure else [])
        elif failure:
            self._undo()
            self._replay(tried)
        elif not self._finish_effects(done):
            self._replay(done)

    def _call_all(self, items: Sequence[Claimed]) -> tuple[list[Claimed], Failure | None]:
        done: list[Claimed] = []
        now = time.monotonic()
        ends, next_look = now + _CHUNK_SECONDS, now + _LOOK_UP_SECONDS
        for item in items:
            error = self._attempt(item)
            if error is not None:
                self._host.end_unit()
                return done, (item, error)
            done.append(item)
            now = time.monotonic()
            if now >= next_look:
                next_look = now + _LOOK_UP_SECONDS
                if now >= ends or self._limits.time_is_up():
                    break
        self._host.end_unit()
        return done, None

    def _replay(self, items: Collection[Claimed]) -> None:
        """Do a chunk again that was rolled back, with a savepoint for each message."""
        items = self._in_hand = self._still_ours(items)
        if not items:
            return
        context = self._session.context
        context.begin()
        good: list[Claimed] = []
        failures: list[Failure] = []
        for item in items:
            error = self._attempt_in_savepoint(item)
            if error is None:
                good.append(item)
            elif self._is_innocent(error):
                self._host.end_unit()
                self._undo()
                self._singly(items)
                return
            else:
                failures.append((item, error))
        self._host.end_unit()
        if not self._finish_effects(good, failures):
            self._singly(items)

    def _singly(self, items: Collection[Claimed]) -> None:
        """Do messages again, each in a transaction of its own."""
        waiting = deque(self._still_ours(items))
        while waiting:
            if self._host.stopping:
                self.pending.extendleft(reversed(waiting))
                return
            self._in_hand = list(waiting)
            self._work_single(waiting.popleft())

    # One message ----------------------------------------------------------------------------

    def _work_single(self, item: Claimed) -> None:
        if item.message.alone and any(other.started for other in self.pending):
            # If it kills us, nobody else must come under suspicion.
            self.pending.clear()
            self._release(keep=[item])
        if not item.started and not self._start([item]):
            return
        self._in_hand = self._in_hand or [item]
        for tries in range(1, _TRIES + 1):
            error = self._attempt(item)
            self._host.end_unit()
            if error is None:
                if not self._session.context.in_transaction:
                    self._finish_surely([item], ())
                    return
                try:
                    self._finish([item], ())
                except _Stolen:
                    self._undo()
                    self._tell_stolen(1)
                    return
                except psycopg.Error as refused:
                    error = refused
                else:
                    return
            innocent = self._is_innocent(error)
            self._undo()
            if not innocent or tries == _TRIES:
                self._finish_surely((), [(item, error)])
                return
            ours = self._still_ours([item])
            if not ours:
                return
            item = ours[0]
            if not self._host.pause(_jitter(tries)):
                self.pending.appendleft(item)
                return

    def _attempt(self, item: Claimed) -> BaseException | None:
        """Call the handler; its error, whatever it is, belongs to the message."""
        try:
            self._call(item)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return error
        return None

    def _attempt_in_savepoint(self, item: Claimed) -> BaseException | None:
        try:
            with self._session.context.savepoint():
                self._call(item)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return error
        return None

    def _call(self, item: Claimed) -> None:
        message, session = item.message, self._session
        known = self._catalog[message.handler]
        context = session.context
        context.use(message)
        self._host.begin_unit(message.id, known.seconds)
        known.call(context, message)
        if (
            context.in_transaction
            and session.connection.info.transaction_status == TransactionStatus.INERROR
        ):
            raise _BrokenTransaction

    # Commits --------------------------------------------------------------------------------

    def _start(self, items: Sequence[Claimed]) -> bool:
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

    def _finish(self, done: Collection[Claimed], failures: Collection[Failure]) -> None:
        """Settle a chunk, start the next and claim the one after, in one commit.

        In a handler's transaction it is the last statement before the commit. Raises `_Stolen`
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
                raise _Stolen
            context.commit()
        elif stolen:
            self._tell_stolen(stolen)
        self._tally.processed += step.settled
        self._tally.add_verdicts(verdicts)
        for item in start:
            item.started = True
        self.pending.extend(step.claimed)
        if step.started != len(start):
            self._keep_what_is_ours()

    def _finish_effects(
        self, done: Collection[Claimed], failures: Collection[Failure] = ()
    ) -> bool:
        """Finish a chunk whose handlers wrote; False where it was rolled back instead."""
        try:
            self._finish(done, failures)
        except (_Stolen, psycopg.Error):
            self._undo()
            return False
        return True

    def _finish_surely(self, done: Collection[Claimed], failures: Collection[Failure]) -> None:
        """Finish what has no effects in the database, as often as it takes."""
        for tries in range(1, _TRIES + 1):
            try:
                self._finish(done, failures)
            except _Stolen:
                self._undo()
            except psycopg.Error as error:
                innocent = self._is_innocent(error)
                self._undo()
                if not innocent or tries == _TRIES:
                    raise
                self._host.pause(_jitter(tries))
            else:
                return
            done = self._still_ours(done)
            kept = {item.message.id for item in self._still_ours([item for item, _ in failures])}
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

    # What is ours ---------------------------------------------------------------------------

    def _chunk_length(self) -> int:
        """How many of the first pending messages make the next chunk."""
        length = 0
        for item in self.pending:
            if item.message.alone or not self._catalog[item.message.handler].in_batches:
                return length or 1
            length += 1
            if length == self._settings.batch_size:
                break
        return length

    def _next_to_start(self) -> list[Claimed]:
        if not self.pending or self._limits.time_is_up() or self._limits.full(self._tally.worked):
            return []
        length = self._chunk_length()
        return [self.pending[place] for place in range(length) if not self.pending[place].started]

    def _claim_size(self, finishing: int) -> int:
        if self.pending or self._limits.time_is_up():
            return 0
        room = self._limits.room(self._tally.worked + finishing)
        return 0 if room == 0 else self._pace.next_claim(room)

    def _is_innocent(self, error: BaseException) -> bool:
        """Whether the chunk, not the message, is to blame."""
        if isinstance(error, LeaseLost):
            raise error
        return self._session.lost or is_collision(error)

    def _undo(self) -> None:
        if self._session.lost:
            self._reconnect()
        else:
            self._session.roll_back()

    def _still_ours(self, items: Collection[Claimed]) -> list[Claimed]:
        if not items:
            return []
        ours, settled = self._session.store.reload(items)
        # Committed after all: only the answer was lost with the connection.
        self._tally.processed += len(settled)
        self._tell_stolen(len(items) - len(ours) - len(settled))
        return ours

    def _keep_what_is_ours(self) -> None:
        self.pending = deque(self._still_ours(self.pending))

    def _release(self, keep: Collection[Claimed] = ()) -> int:
        held = [*keep, *self._in_hand, *self.pending]
        return release(
            self._session.connection,
            queue=self._queue,
            token=self._host.tokens[0],
            worker=self._host.worker,
            keep=[item.message.id for item in held],
        )

    def _tell_stolen(self, count: int) -> None:
        if count:
            self._host.log.warning(
                "messages were taken away by a reset; nothing was written for them", messages=count
            )


def _jitter(tries: int) -> float:
    return 0.02 * (1 << tries) * (0.5 + random.random())  # noqa: S311 - spreads load, guards nothing


def _lease_lost() -> LeaseLost:
    return LeaseLost(
        "the queue's lock was taken over by another run, so nothing was committed; "
        "see: cronops locks list"
    )

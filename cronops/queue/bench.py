"""Works claimed messages, chunk by chunk.

A chunk runs without savepoints. If one of its handlers fails, or one of its messages turns
out to have been taken away, it is rolled back and done again: first with a savepoint for each
message; where even that collides with somebody else's transaction, message by message.
"""

import os
import time
from collections import deque
from collections.abc import Collection, Sequence

import psycopg
from psycopg.pq import TransactionStatus

from cronops.queue.catalog import Catalog
from cronops.queue.failure import forget_frames
from cronops.queue.hands import TRIES, Failure, Hands, Stolen, jitter
from cronops.queue.host import WorkerHost
from cronops.queue.session import Session
from cronops.queue.store import Claimed
from cronops.queue.tally import Limits, Tally

_CHUNK_SECONDS = 0.5
_LOOK_UP_SECONDS = 0.005


class _BrokenTransaction(Exception):
    """The handler went on after a database error; its transaction cannot be committed."""

    def __init__(self) -> None:
        super().__init__(
            "the handler went on after a database error, so that nothing it wrote can be kept; "
            "let the error out, or put the statement into ctx.transaction()"
        )


class _Undo(Exception):
    """Rolls a message's savepoint back."""


class _SavepointFailed(Exception):
    """What a message wrote may still be there: nothing of the chunk may be committed."""


class Bench:
    """Where one worker calls the handlers for the messages in its hands."""

    def __init__(
        self,
        host: WorkerHost,
        session: Session,
        catalog: Catalog,
        limits: Limits,
        tally: Tally,
        hands: Hands,
    ) -> None:
        self._host = host
        self._session = session
        self._catalog = catalog
        self._limits = limits
        self._tally = tally
        self._hands = hands
        self._pid = os.getpid()

    def work_next(self) -> None:
        """Work the first chunk of what is pending."""
        hands = self._hands
        began = time.monotonic()
        worked_before = self._tally.worked
        first = hands.pending[0].message
        known = self._catalog[first.handler]
        self._limits.leave_room_for(known.seconds)
        if known.in_batches and not first.alone:
            self._work_chunk()
        else:
            self._work_single(hands.pending.popleft())
        hands.in_hand = []
        hands.pace.worked(self._tally.worked - worked_before, time.monotonic() - began)

    # Chunks ---------------------------------------------------------------------------------

    def _work_chunk(self) -> None:
        length = self._hands.chunk_length()
        unstarted = [item for item in list(self._hands.pending)[:length] if not item.started]
        if unstarted and not self._hands.start(unstarted):
            return
        items = self._hands.in_hand = [self._hands.pending.popleft() for _ in range(length)]
        done, failure = self._call_all(items)
        tried = [*done, failure[0]] if failure else done
        self._hands.pending.extendleft(reversed(items[len(tried) :]))
        self._hands.in_hand = tried
        context = self._session.context
        if failure and self._hands.is_innocent(failure[1]):
            self._hands.undo()
            self._singly(tried)
        elif not context.in_transaction:
            self._hands.finish_surely(done, [failure] if failure else [])
        elif failure:
            self._hands.undo()
            self._replay(tried)
        elif not self._hands.finish_effects(done):
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
        items = self._hands.in_hand = self._hands.still_ours(items)
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
            elif isinstance(error, _SavepointFailed) or self._hands.is_innocent(error):
                self._host.end_unit()
                self._hands.undo()
                self._singly(items)
                return
            else:
                failures.append((item, error))
        self._host.end_unit()
        if not self._hands.finish_effects(good, failures):
            self._singly(items)

    def _singly(self, items: Collection[Claimed]) -> None:
        """Do messages again, each in a transaction of its own."""
        waiting = deque(self._hands.still_ours(items))
        while waiting:
            if self._host.stopping:
                self._hands.pending.extendleft(reversed(waiting))
                return
            self._hands.in_hand = list(waiting)
            self._work_single(waiting.popleft())

    # One message ----------------------------------------------------------------------------

    def _work_single(self, item: Claimed) -> None:
        if item.message.alone and any(other.started for other in self._hands.pending):
            # If it kills us, nobody else must come under suspicion.
            self._hands.pending.clear()
            self._hands.release(keep=[item])
        if not item.started and not self._hands.start([item]):
            return
        self._hands.in_hand = self._hands.in_hand or [item]
        for tries in range(1, TRIES + 1):
            error = self._attempt(item)
            self._host.end_unit()
            if error is None:
                if not self._session.context.in_transaction:
                    self._hands.finish_surely([item], ())
                    return
                try:
                    self._hands.finish([item], ())
                except Stolen:
                    self._hands.undo()
                    self._hands.tell_stolen(1)
                    return
                except psycopg.Error as refused:
                    error = refused
                else:
                    return
            innocent = self._hands.is_innocent(error)
            self._hands.undo()
            if not innocent or tries == TRIES:
                self._hands.finish_surely((), [(item, error)])
                return
            ours = self._hands.still_ours([item])
            if not ours:
                return
            item = ours[0]
            if not self._host.pause(jitter(tries)):
                self._hands.pending.appendleft(item)
                return

    def _attempt(self, item: Claimed) -> BaseException | None:
        """Call the handler; its error, whatever it is, belongs to the message."""
        try:
            self._call(item)
        except BaseException as error:
            forget_frames(error)
            return error
        return None

    def _attempt_in_savepoint(self, item: Claimed) -> BaseException | None:
        error = None
        try:
            with self._session.context.savepoint():
                error = self._attempt(item)
                if error is not None:
                    raise _Undo
        except _Undo:
            return error
        except BaseException as failure:
            forget_frames(failure)
            return _SavepointFailed()
        return None

    def _call(self, item: Claimed) -> None:
        message, session = item.message, self._session
        known = self._catalog[message.handler]
        context = session.context
        context.use(message)
        self._host.begin_unit(message.id, known.seconds)
        try:
            known.call(context, message)
        finally:
            if os.getpid() != self._pid:
                # A copy that the handler forked: it must not go on in the worker's name.
                os._exit(1)
        if (
            context.in_transaction
            and session.connection.info.transaction_status == TransactionStatus.INERROR
        ):
            raise _BrokenTransaction

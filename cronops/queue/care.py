"""Care for messages from the supervising process: their heartbeat, and their worker's death.

Fulfils `cronops.contract.units.UnitSupervisor` without importing it.
"""

import time
from datetime import timedelta
from enum import Enum
from typing import Any, Protocol

import psycopg

from cronops.config.model import LockSettings, QueueSettings
from cronops.errors import DatabaseUnavailable
from cronops.queue.catalog import Catalog, FindHandler
from cronops.queue.failure import OnCrash, backoff, storable
from cronops.queue.message import Status
from cronops.queue.recovery import CLEAR_CLAIM, release

_RELEASE_TRIES = 20
_RELEASE_PAUSE = 0.05

_HEARTBEAT = """
UPDATE queue_message AS q
SET heartbeat_at = clock_timestamp()
FROM (
    SELECT id FROM queue_message
    WHERE queue = %(queue)s AND status IN ('IN_QUEUE', 'PROCESSING') AND claimed_by = %(token)s
        AND coalesce(heartbeat_at, claimed_at) < clock_timestamp() - %(age)s::interval
    ORDER BY id
    FOR UPDATE SKIP LOCKED
) AS held
WHERE q.id = held.id
"""

_IN_HAND = """
SELECT handler, attempts, crashes, max_attempts FROM queue_message
WHERE id = %(id)s AND claimed_by = %(token)s AND claimed_worker = %(worker)s
    AND status IN ('IN_QUEUE', 'PROCESSING')
FOR UPDATE
"""

_WORKED_ALONE = """
SELECT id FROM queue_message
WHERE queue = %(queue)s AND status = 'PROCESSING' AND alone
    AND claimed_by = %(token)s AND claimed_worker = %(worker)s
"""

_CHARGE = f"""
UPDATE queue_message
SET status = %(status)s, attempts = %(attempts)s, crashes = %(crashes)s, error = %(error)s,
    alone = alone OR %(suspect)s,
    available_at = CASE WHEN %(status)s = 'NEW'
        THEN clock_timestamp() + %(delay)s ELSE available_at END,
    finished_at = CASE WHEN %(status)s = 'CRASH' THEN clock_timestamp() END,
    {CLEAR_CLAIM}
WHERE id = %(id)s
"""  # noqa: S608 - made of constants

_STILL_HELD = """
SELECT EXISTS (
    SELECT FROM queue_message
    WHERE queue = %(queue)s AND status IN ('IN_QUEUE', 'PROCESSING')
        AND claimed_by = %(token)s AND claimed_worker = %(worker)s)
"""


class Death(Protocol):
    """One dead worker process; see `cronops.contract.units.WorkerDeath`."""

    @property
    def unit(self) -> int | None:
        """The message in its hands."""

    @property
    def cause(self) -> Enum:
        """``died``, ``unit timeout`` or ``stopped``."""

    @property
    def detail(self) -> str:
        """For people."""


class MessageCare:
    """Keeps one run's claims alive, and settles what a dead worker held."""

    def __init__(
        self,
        queue: str,
        settings: QueueSettings,
        lock: LockSettings,
        find_handler: FindHandler,
        on_crash: OnCrash,
    ) -> None:
        self._queue = queue
        self._settings = settings
        self._heartbeat_age = lock.ttl / 3
        self._catalog = Catalog(find_handler)
        self._on_crash = on_crash
        self.counts: dict[str, int] = {"failed": 0, "crashed": 0}
        """Messages charged so far, by what became of them."""

    def heartbeat(self, connection: psycopg.Connection[Any], token: int) -> None:
        """Keep the run's claims from going stale; never waits for a row."""
        connection.execute(
            _HEARTBEAT, {"queue": self._queue, "token": token, "age": self._heartbeat_age}
        )

    def worker_died(
        self, connection: psycopg.Connection[Any], token: int, worker: int, death: Death
    ) -> None:
        """Charge the message in the dead worker's hands, give back its neighbours uncharged.

        Where it died with its hands empty, as at a commit, any of those it had started may be
        the cause: they are worked alone, and one that was alone already is charged.

        May be called again for the same death. Raises `DatabaseUnavailable` where the dead
        worker's last transaction does not let go of its messages.
        """
        held = {"queue": self._queue, "token": token, "worker": worker}
        between_units = death.unit is None and death.cause.value == "died"
        charged = [] if death.unit is None or death.cause.value == "stopped" else [death.unit]
        if between_units:
            charged = [row[0] for row in connection.execute(_WORKED_ALONE, held).fetchall()]
        for message_id in charged:
            with connection.transaction():
                self._charge(connection, token, worker, death, message_id)
        for _ in range(_RELEASE_TRIES):
            # What the dying connection still has locked is passed over, and found next time.
            release(
                connection,
                queue=self._queue,
                token=token,
                worker=worker,
                suspect=between_units,
            )
            row = connection.execute(_STILL_HELD, held).fetchone()
            if not (row and row[0]):
                return
            time.sleep(_RELEASE_PAUSE)
        raise DatabaseUnavailable(
            f"messages of dead worker {worker} are still locked by its last transaction; "
            "they go back to NEW when it ends"
        )

    def _charge(
        self,
        connection: psycopg.Connection[Any],
        token: int,
        worker: int,
        death: Death,
        message_id: int,
    ) -> None:
        key = {"id": message_id, "token": token, "worker": worker}
        row = connection.execute(_IN_HAND, key).fetchone()
        if row is None:
            return
        name, attempts, crashes, own_limit = row
        handler = self._catalog[name].handler
        delay = timedelta(0)
        if death.cause.value == "unit timeout":
            attempts += 1
            limit = own_limit or (handler and handler.max_attempts) or self._settings.max_attempts
            given_up, failures = attempts >= limit, attempts
            longest = f"{handler.timeout.total_seconds():g} s" if handler else "its limit"
            error = f"timed out after {longest}: {death.detail}"
        else:
            crashes += 1
            given_up, failures = crashes >= self._settings.max_crashes, crashes
            error = (
                f"killed its worker process ({crashes} of {self._settings.max_crashes} times): "
                f"{death.detail}"
            )
        if not given_up:
            delay = backoff(self._settings, failures)
        status = Status.CRASH if given_up else Status.NEW
        error = storable(error)
        connection.execute(
            _CHARGE,
            {
                "id": message_id,
                "status": status.value,
                "attempts": attempts,
                "crashes": crashes,
                "error": error,
                "suspect": death.cause.value != "unit timeout",
                "delay": delay,
            },
        )
        self.counts["crashed" if status is Status.CRASH else "failed"] += 1
        if status is Status.CRASH:
            owners = self._catalog.owners_of(name)
            self._on_crash(connection, name, owners, message_id, error)

"""The worker's connection, and what is bound to it; made anew when it is cut."""

import random
import time

import psycopg
from psycopg.pq import TransactionStatus

from cronops.errors import DatabaseUnavailable
from cronops.queue.host import HandlerContext, WorkerHost
from cronops.queue.store import Store

_FIRST_WAIT = 0.1
_LONGEST_WAIT = 5.0
_GIVE_UP_AFTER = 60.0


class Session:
    """One connection to the database with the handlers' context and the store upon it."""

    connection: psycopg.Connection
    context: HandlerContext
    store: Store

    def __init__(self, host: WorkerHost, *, queue: str, direction: str | None) -> None:
        self._host = host
        self._queue = queue
        self._direction = direction
        self._open()

    @property
    def lost(self) -> bool:
        """Whether the connection is gone."""
        return self.connection.closed or self.connection.broken

    def reopen(self) -> None:
        """Connect again, trying for about a minute; once only when the run is to stop.

        Raises `DatabaseUnavailable` where the database does not come back.
        """
        self.close()
        until = time.monotonic() + _GIVE_UP_AFTER
        wait = _FIRST_WAIT
        while True:
            try:
                self._open()
            except DatabaseUnavailable as error:
                if self._host.stopping or time.monotonic() >= until:
                    raise
                self._host.log.warning("database unavailable, trying again", error=str(error))
            else:
                return
            self._host.pause(wait * (0.5 + random.random()))  # noqa: S311 - spreads load only
            wait = min(_LONGEST_WAIT, wait * 2)

    def roll_back(self) -> None:
        """Undo what is not committed, whatever failed before."""
        self.context.rollback()
        if not self.lost and self.connection.info.transaction_status != TransactionStatus.IDLE:
            self.connection.rollback()

    def close(self) -> None:
        """Close the connection; what is not committed is rolled back."""
        self.connection.close()

    def _open(self) -> None:
        self.connection = self._host.connect("queue")
        self.context = self._host.handler_context(self.connection)
        self.store = Store(
            self.connection,
            queue=self._queue,
            direction=self._direction,
            tokens=self._host.tokens,
            worker=self._host.worker,
        )

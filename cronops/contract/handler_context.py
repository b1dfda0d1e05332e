"""The context handed to message handlers: the run's, on the worker's own connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from psycopg.pq import TransactionStatus

from cronops.contract.context import JobContext
from cronops.errors import PermanentError

if TYPE_CHECKING:
    from sqlalchemy import Connection


class _Message(Protocol):
    id: int
    handler: str
    attempts: int
    correlation_id: str | None
    created_at: datetime


class MessageContext(JobContext):
    """A `JobContext` that points at one message after another.

    What a handler writes through `db` is committed together with its message's status, so it
    happens exactly once; a handler can neither commit nor roll back by itself.
    """

    def __init__(self, run: JobContext, connection: psycopg.Connection[Any]) -> None:
        super().__init__(
            run.job,
            run.facts,
            run.settings,
            run._wiring,
            page=run._page,
            stop=run._stop,
            log=run.log,
            worker=run.worker,
            show_progress=run._show_progress,
        )
        self.counts = run.counts
        self._run_log = run.log
        self._message: _Message | None = None
        self._message_log: Any = None
        self._connection = connection
        self._committing = False

    def use(self, message: _Message) -> None:
        """Point the context at `message`."""
        self._message = message
        self._message_log = None
        self.correlation_id = message.correlation_id or self.facts.correlation_id
        self.attempt = message.attempts + 1
        self._forget_refusal()

    @property
    def log(self) -> Any:
        """A logger whose every line names the run and the message."""
        if self._message_log is None:
            message = self._message
            self._message_log = self._run_log.bind(
                correlation_id=self.correlation_id,
                attempt=self.attempt,
                message=message.id if message else None,
                handler=message.handler if message else None,
            )
        return self._message_log

    @property
    def in_transaction(self) -> bool:
        """Whether a handler has used the database since the last commit or rollback."""
        return self._transaction_open

    def begin(self) -> None:
        """Open the transaction that the settle will commit."""
        if not self._transaction_open:
            # Begun at once: psycopg's own transaction blocks, in a savepoint or in enqueueing,
            # would otherwise take themselves for the outermost one and commit.
            self._connection.execute("BEGIN", prepare=False)
            self._transaction_open = True

    @property
    def db(self) -> "Connection":
        """A SQLAlchemy connection inside the message's transaction."""
        self.begin()
        if self._db is None:
            from sqlalchemy import event

            from cronops.contract.fenced import adopt

            self._db = adopt(self._connection, self.connect)
            event.listen(self._db.engine, "commit", self._refuse)
            event.listen(self._db.engine, "rollback", self._refuse)
        return self._db

    def _refuse(self, _: "Connection") -> None:
        if not self._committing:
            raise PermanentError(
                "a handler does not commit or roll back: its writes are committed with its "
                "message; use ctx.transaction() for a part that may be undone"
            )

    def _forget_refusal(self) -> None:
        # SQLAlchemy takes a transaction whose commit was refused for broken: the next message,
        # which shares it, would pay for that.
        db = self._db
        if db is not None and db.get_transaction() is not None and not db.in_transaction():
            db.rollback()  # of an inactive transaction: nothing is sent

    @contextmanager
    def transaction(self) -> "Iterator[Connection]":
        """A part of the message's transaction that is undone if the block raises."""
        with self.db.begin_nested():
            yield self.db

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A savepoint, rolled back to if the block raises."""
        self.begin()
        # Not SQLAlchemy's: that does not roll back to it once a handler's commit was refused.
        with self._connection.transaction():
            yield

    def commit(self) -> None:
        """Commit what handlers wrote and what was executed on the connection itself."""
        self._end(commit=True)

    def rollback(self) -> None:
        """Undo it."""
        self._end(commit=False)

    def _end(self, *, commit: bool) -> None:
        if not self._transaction_open:
            return
        connection = self._connection
        try:
            # By the driver, not through SQLAlchemy: the worker judges by the driver's errors.
            if not connection.closed and (
                connection.info.transaction_status != TransactionStatus.IDLE
            ):
                connection.commit() if commit else connection.rollback()
        finally:
            self._transaction_open = False
            self._tell_sqlalchemy()

    def _tell_sqlalchemy(self) -> None:
        """The transaction is over: nothing is sent any more."""
        if self._connection.closed:
            self._db = None
        elif self._db is not None and self._db.get_transaction() is not None:
            self._committing = True
            try:
                self._db.rollback()
            finally:
                self._committing = False

    @contextmanager
    def _joined(self) -> "Iterator[psycopg.Connection[Any]]":
        # SQLAlchemy is not needed to reach the connection that it would only wrap.
        self.begin()
        yield self._connection

    def close(self) -> None:
        """Drop the wrapper; the connection is the worker's."""
        self._db = None
        self._transaction_open = False

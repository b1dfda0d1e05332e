"""What the queue's worker needs of the run it is part of; the contract's context provides it."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import psycopg

from cronops.config import Settings
from cronops.queue.message import Message


class HandlerContext(Protocol):
    """The context handed to handlers, bound to the worker's own psycopg connection.

    That connection is in autocommit mode. The first use of ``ctx.db`` begins, at once, the
    transaction that the settle then commits.
    """

    def use(self, message: Message) -> None:
        """Point the context at `message`: its correlation id, attempt number and log fields."""

    @property
    def in_transaction(self) -> bool:
        """Whether a handler has used the database since the last commit or rollback."""

    def begin(self) -> None:
        """Open the transaction now, as the first use of ``ctx.db`` would."""

    def commit(self) -> None:
        """Commit what handlers wrote, and whatever was executed on the psycopg connection."""

    def rollback(self) -> None:
        """Undo it."""

    def savepoint(self) -> AbstractContextManager[None]:
        """A savepoint inside the open transaction, rolled back to if the block raises."""


class WorkerHost(Protocol):
    """The run, as its worker sees it."""

    @property
    def run_id(self) -> str:
        """The run's id."""

    @property
    def correlation_id(self) -> str:
        """The run's correlation id: for messages that carry none."""

    @property
    def settings(self) -> Settings:
        """All settings."""

    @property
    def log(self) -> Any:
        """A structlog logger, the run's fields bound."""

    @property
    def stopping(self) -> bool:
        """Whether the run was told to stop: finish the message in hand, give back the rest."""

    @property
    def tokens(self) -> Sequence[int]:
        """The leases which must still be held when anything is committed; the first one names
        this run in ``queue_message.claimed_by``."""

    @property
    def worker(self) -> int:
        """This process's number among the run's processes, from 0."""

    def connect(self, purpose: str) -> psycopg.Connection:
        """A new connection in autocommit mode with the run's time limits."""

    def handler_context(self, connection: psycopg.Connection) -> HandlerContext:
        """The context for handlers, working on `connection`."""

    def begin_unit(self, unit: int, seconds: float) -> None:
        """Tell the supervisor that message `unit` is in hand and may take so many seconds."""

    def end_unit(self) -> None:
        """Tell the supervisor that no message is in hand."""

    def count(self, name: str, by: int = 1) -> None:
        """Add to one of the run's counts."""

    def progress(self, done: int, total: int | None = None) -> None:
        """Show how far the run is, at a terminal."""

    def pause(self, seconds: float) -> bool:
        """Sleep, but wake when told to stop; False where the run is to stop."""

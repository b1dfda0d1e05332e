"""SQLAlchemy connections that cannot commit once the run has lost its lease."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import Dialect
from sqlalchemy.pool import StaticPool

from cronops.contract.lock import fence
from cronops.errors import PermanentError

_URL = make_url("postgresql+psycopg://")

OpenConnection = Callable[[], psycopg.Connection[Any]]


# SAVEPOINT, RELEASE and ROLLBACK TO are a part's own affair.
_ENDS_TRANSACTION = re.compile(
    r"\s*(COMMIT|END|ABORT|ROLLBACK(?!\s+(WORK\s+|TRANSACTION\s+)?TO\b)|PREPARE\s+TRANSACTION)\b",
    re.IGNORECASE,
)


def _refuse_ending(_connection: Connection, _cursor: Any, statement: str, *_others: Any) -> None:
    if _ENDS_TRANSACTION.match(statement):
        raise PermanentError(
            "a transaction is not ended by a statement: what ends it must check the run's lease "
            "first; use ctx.transaction() and ctx.db.commit()"
        )


def adopt(connection: psycopg.Connection[Any], open_connection: OpenConnection) -> Connection:
    """A SQLAlchemy connection over `connection`, which stays the caller's in every other way.

    `open_connection` is used once a process: a new engine asks the server about itself and then
    rolls back, which must not happen on a connection with work in it.
    """
    dialect = _dialect(open_connection)
    hook = dialect.on_connect()
    if hook is not None:
        hook(connection)
    pool = StaticPool(lambda: connection, reset_on_return=None)  # type: ignore[arg-type]
    db = Engine(pool, dialect, _URL).connect()
    event.listen(db.engine, "before_cursor_execute", _refuse_ending)
    return db


_dialects: list[Dialect] = []


def _dialect(open_connection: OpenConnection) -> Dialect:
    if not _dialects:
        engine = create_engine(_URL, creator=open_connection)
        with engine.connect():
            pass
        engine.dispose()
        _dialects.append(engine.dialect)
    return _dialects[0]


def fenced_connection(
    open_connection: OpenConnection, tokens: Callable[[], Sequence[int]]
) -> Connection:
    """A connection of its own whose every COMMIT is preceded by the fence."""
    raw = open_connection()
    raw.autocommit = False
    db = adopt(raw, open_connection)

    def check(_: Connection) -> None:
        try:
            fence(raw, tokens())
        except BaseException:
            # SQLAlchemy counts the transaction as over once a commit was tried.
            if not raw.closed:
                raw.rollback()
            raise

    def refuse_autocommit(_: Connection, options: dict[str, Any]) -> None:
        # Each statement would commit itself, with nothing before it to check the lease.
        if options.get("isolation_level") == "AUTOCOMMIT":
            raise PermanentError(
                "ctx.db cannot be set to AUTOCOMMIT: its commits are fenced by the run's lease; "
                "for a statement that needs it, such as VACUUM, use ctx.connect()"
            )

    event.listen(db.engine, "commit", check)
    event.listen(db, "set_connection_execution_options", refuse_autocommit)
    return db

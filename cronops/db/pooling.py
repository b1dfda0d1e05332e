"""Finds out whether a pooler in transaction mode stands between us and PostgreSQL."""

import psycopg

from cronops.config import Settings
from cronops.db.connect import connect

BACKEND = "SELECT pg_backend_pid()"


def uses_transaction_pooling(settings: Settings) -> bool:
    """Whether one connection's transactions may land on different server processes.

    Session settings, and locks held across transactions, are then nobody's for sure. One
    connection runs a transaction, a second one takes the server process that this freed and
    holds it, the first runs another: only behind a pooler does it then meet another process.
    """
    with (
        connect(settings, "doctor", autocommit=False) as first,
        connect(settings, "doctor", autocommit=False) as second,
    ):
        before = _backend(first)
        first.rollback()
        _backend(second)
        after = _backend(first)
        first.rollback()
        second.rollback()
    return before != after


def _backend(connection: psycopg.Connection) -> int:
    row = connection.execute(BACKEND).fetchone()
    return int(row[0]) if row else 0

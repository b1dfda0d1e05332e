"""Two questions that every run asks of the outbox, and that cost almost nothing to answer."""

from typing import Any

import psycopg

_ANYTHING_DUE = """
SELECT EXISTS (
    SELECT FROM alert
    WHERE delivered_at IS NULL AND cancelled_at IS NULL AND available_at <= clock_timestamp())
"""
_ANYTHING_TOLD = """
SELECT EXISTS (SELECT FROM alert WHERE dedup_key = %s AND cancelled_at IS NULL)
"""


def is_anything_due(connection: psycopg.Connection[Any]) -> bool:
    """Whether a delivery has anything to do."""
    return _answer(connection.execute(_ANYTHING_DUE))


def is_anything_told(connection: psycopg.Connection[Any], dedup_key: str) -> bool:
    """Whether anybody was ever told anything under this key, so that an end may be due."""
    return _answer(connection.execute(_ANYTHING_TOLD, (dedup_key,)))


def _answer(cursor: psycopg.Cursor[Any]) -> bool:
    row = cursor.fetchone()
    return row is not None and bool(row[0])

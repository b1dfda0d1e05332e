"""Customers' data does not stay for ever: raw answers and orders' payloads go after a while.

What is made of an order stays, in `sales_order`, which is the ERP's to keep or to delete.
"""

from typing import TYPE_CHECKING, Any

from cronops.errors import ConfigurationError

if TYPE_CHECKING:
    from datetime import timedelta

    import psycopg

    from cronops.contract.context import JobContext

_AT_ONCE = 500
_MOST_BATCHES = 20

# What is not read yet stays, however old: nobody has seen the orders in it.
_DELETE_FETCHES = """
DELETE FROM platform_fetch WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM platform_fetch
    WHERE fetched_at < clock_timestamp() - %(retention)s AND state NOT IN ('asked', 'raw')
    ORDER BY fetched_at LIMIT %(at_once)s
))
"""
# So does an order that no handler has worked: its message waits, or is in CRASH.
_BLANK_PAYLOADS = """
UPDATE platform_order SET payload = NULL WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM platform_order
    WHERE received_at < clock_timestamp() - %(retention)s AND payload IS NOT NULL
        AND state <> 'new'
    ORDER BY received_at LIMIT %(at_once)s
))
"""


def delete_what_is_old(ctx: "JobContext", connection: "psycopg.Connection[Any]") -> int:
    """Delete raw answers and blank payloads, oldest first, a bounded number; how many."""
    settings = ctx.settings.platform
    return _in_batches(ctx, connection, _DELETE_FETCHES, settings.raw_retention) + _in_batches(
        ctx, connection, _BLANK_PAYLOADS, settings.payload_retention
    )


def _in_batches(
    ctx: "JobContext", connection: "psycopg.Connection[Any]", statement: str, retention: "timedelta"
) -> int:
    from datetime import timedelta

    if retention <= timedelta(0):
        raise ConfigurationError("a retention must be longer than 0: it would delete everything")
    total = 0
    for _ in range(_MOST_BATCHES):
        if ctx.stopping:
            break
        with ctx.fenced(connection):
            rows = connection.execute(
                statement, {"retention": retention, "at_once": _AT_ONCE}
            ).rowcount
        total += rows
        if rows < _AT_ONCE:
            break
    return total

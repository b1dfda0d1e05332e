"""Deletes what is old from large tables, block range by block range, in nobody's way.

Each range is a transaction of its own, of some 20 ms. It goes straight to its blocks: a search by
age would walk, each time, over all that was deleted before. A row that somebody has locked is not
waited for; it is left for the next run.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from cronops.errors import ConfigurationError

if TYPE_CHECKING:
    import psycopg

# A block is 8 KiB: some 20,000 short rows at most, and some 20 ms.
MOST_BLOCKS = 256
_FEWEST_BLOCKS = 8
_FIRST_BLOCKS = 64
_AIM = 0.02
_REST_SHARE = 0.03

_CUTOFF = "SELECT clock_timestamp() - %(retention)s::interval"
_PARTS = """
WITH RECURSIVE part AS (
    SELECT to_regclass(%(table)s)::oid AS id
    UNION ALL
    SELECT inhrelid FROM pg_catalog.pg_inherits JOIN part ON inhparent = id
)
SELECT id::regclass::text, relkind::text,
    has_table_privilege(id, 'SELECT') AND has_table_privilege(id, 'DELETE')
        AND has_any_column_privilege(id, 'UPDATE')
FROM part JOIN pg_catalog.pg_class ON pg_class.oid = id
WHERE relkind <> 'p' ORDER BY 1
"""
_TABLE = "r"
_KINDS = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}
_FIND = """
SELECT count(*), (min(ctid)::text::point)[0]::bigint, (max(ctid)::text::point)[0]::bigint
FROM ONLY {table} WHERE {old}
"""
_BY_BLOCK_ONLY = """
SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off
"""
# Shorter than the server takes to look for a deadlock: there is never one with us in it.
_HARDLY_WAIT = "SET LOCAL lock_timeout = '10ms'"
_WAIT_AGAIN = "SET LOCAL lock_timeout TO DEFAULT"
_DELETE = """
DELETE FROM ONLY {table} WHERE ctid >= %(first)s::tid AND ctid < %(end)s::tid AND {old}
"""
# To lock each row first costs half as much again: only where a row is locked by somebody.
_DELETE_UNLOCKED = """
DELETE FROM ONLY {table} WHERE {old} AND ctid = ANY(ARRAY(
    SELECT ctid FROM ONLY {table}
    WHERE ctid >= %(first)s::tid AND ctid < %(end)s::tid AND {old}
    FOR UPDATE SKIP LOCKED
))
"""
_LEFT = """
SELECT count(*) FROM ONLY {table}
WHERE ctid >= %(first)s::tid AND ctid < %(end)s::tid AND {old}
"""


@dataclass(frozen=True)
class Old:
    """Which rows of a table are old."""

    table: str
    """As the search path finds it; its partitions are gone through one by one."""
    condition: str
    """SQL, of the row alone."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """The condition's parameters."""


class Part(NamedTuple):
    """A table, or a partition, with old rows in it."""

    table: str
    first_block: int
    last_block: int


@dataclass(frozen=True)
class Found:
    """What is there to be deleted."""

    old: Old
    rows: int
    parts: Sequence[Part]


@dataclass(frozen=True)
class Deleted:
    """What became of it."""

    rows: int
    left: int
    """Old rows that somebody had locked."""
    complete: bool
    """False where it was told to stop."""


def cutoff_before(connection: "psycopg.Connection[Any]", retention: timedelta) -> datetime:
    """The instant before which things are old; what is exactly that old is kept."""
    # The settings refuse it too; but what deletes everything is worth two looks.
    if retention <= timedelta(0):
        raise ConfigurationError("a retention must be longer than 0: it would delete everything")
    row = connection.execute(_CUTOFF, {"retention": retention}).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    cutoff: datetime = row[0]
    return cutoff


def find(connection: "psycopg.Connection[Any]", old: Old) -> Found:
    """Look once for what is old, by whatever index there is.

    Raises `ConfigurationError` where it could not be deleted: a view has no blocks, and a role may
    lack a right.
    """
    rows, parts = 0, []
    for table in _tables_of(connection, old.table):
        look_up = _FIND.format(table=table, old=old.condition)
        row = connection.execute(look_up, old.values).fetchone()
        if row is not None and row[0]:
            rows += row[0]
            parts.append(Part(table, row[1], row[2]))
    return Found(old, rows, parts)


def delete(
    connection: "psycopg.Connection[Any]",
    found: Found,
    *,
    settle: Callable[[int], None],
    committed: Callable[[int], None],
    pause: Callable[[float], bool],
) -> Deleted:
    """Delete what was found.

    `settle` is told the rows of each range, last in its transaction: it keeps the books, and
    fences. `committed` is told them afterwards. `pause` sleeps, and says whether to go on.
    """
    total = total_left = 0
    blocks = min(_FIRST_BLOCKS, MOST_BLOCKS)
    for part in found.parts:
        block = part.first_block
        while block <= part.last_block:
            began = time.monotonic()
            rows, left = _delete_range(connection, found.old, part.table, block, blocks, settle)
            took = time.monotonic() - began
            total += rows
            total_left += left
            if rows:
                committed(rows)
            if not pause(took * _REST_SHARE):
                return Deleted(total, total_left, complete=False)
            block += blocks
            blocks = _next_size(blocks, took)
    return Deleted(total, total_left, complete=True)


def _next_size(blocks: int, took: float) -> int:
    """So many blocks that the next range takes about as long as is aimed at."""
    if took > 1.5 * _AIM:
        blocks //= 2
    elif took < _AIM / 1.5:
        blocks *= 2
    return min(max(blocks, _FEWEST_BLOCKS), MOST_BLOCKS)


def _delete_range(
    connection: "psycopg.Connection[Any]",
    old: Old,
    table: str,
    block: int,
    blocks: int,
    settle: Callable[[int], None],
) -> tuple[int, int]:
    from psycopg.errors import LockNotAvailable

    values = {**old.values, "first": f"({block},0)", "end": f"({block + blocks},0)"}
    try:
        with connection.transaction():
            connection.execute(_BY_BLOCK_ONLY)
            connection.execute(_HARDLY_WAIT)
            rows = connection.execute(_written(_DELETE, old, table), values).rowcount
            connection.execute(_WAIT_AGAIN)
            settle(rows)
        return rows, 0
    except LockNotAvailable:
        pass
    with connection.transaction():
        connection.execute(_BY_BLOCK_ONLY)
        rows = connection.execute(_written(_DELETE_UNLOCKED, old, table), values).rowcount
        row = connection.execute(_written(_LEFT, old, table), values).fetchone()
        left = int(row[0]) if row else 0
        settle(rows)
    return rows, left


def _written(statement: str, old: Old, table: str) -> str:
    return statement.format(table=table, old=old.condition)


def _tables_of(connection: "psycopg.Connection[Any]", table: str) -> list[str]:
    """The table, or its partitions, quoted for a statement with parameters."""
    found = []
    for name, kind, allowed in connection.execute(_PARTS, {"table": table}).fetchall():
        if kind != _TABLE:
            raise ConfigurationError(
                f"{name} is {_KINDS.get(kind, 'no table')}: rows are deleted by the blocks of "
                "their table, which it has not; put the table itself into its place, or delete "
                "there by other means"
            )
        if not allowed:
            raise ConfigurationError(
                f"{name} may not be deleted from: its owner has to grant SELECT, UPDATE and "
                "DELETE on it to the role that cronops works as"
            )
        found.append(name.replace("%", "%%"))
    return found

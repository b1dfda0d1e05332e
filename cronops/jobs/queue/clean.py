"""CR-005: delete what is finished and older than its retention."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cronops.contract.context import JobContext
from cronops.contract.job import Outcome, job
from cronops.contract.retry import Retry
from cronops.errors import ConfigurationError, DatabaseUnavailable
from cronops.owners import PLATFORM_EXPORT, SHARED_OPS, STOCK_IMPORT

if TYPE_CHECKING:
    import psycopg

# Some 20,000 messages, and some 20 ms, at a time.
_BLOCKS = 256
_REST_SHARE = 0.03

_CUTOFF = "SELECT clock_timestamp() - %(retention)s::interval"


@dataclass(frozen=True)
class _Kind:
    """One kind of thing that is deleted: its count's name, its table, and which rows."""

    count: str
    table: str
    old: str


_MESSAGES = _Kind("messages", "queue_message", "status = 'PROCESSED' AND finished_at < %(cutoff)s")
_CRASHED = _Kind("crashed", "queue_message", "status = 'CRASH' AND finished_at < %(cutoff)s")
_RUNS = _Kind("runs", "run", "outcome IS NOT NULL AND finished_at < %(cutoff)s")
# One left running or unknown waits for a person, however long.
_SLOTS = _Kind("slots", "slot", "state IN ('succeeded', 'failed') AND scheduled_at < %(cutoff)s")
_ALERTS = _Kind("alerts", "alert", "coalesce(delivered_at, cancelled_at) < %(cutoff)s")
_AUDIT = _Kind("audit", "audit", "at < %(cutoff)s")

_COUNT = "SELECT count(*) FROM {table} WHERE {old}"
_BLOCK_RANGE = """
SELECT (min(ctid)::text::point)[0]::bigint, (max(ctid)::text::point)[0]::bigint
FROM {table} WHERE {old}
"""
# Each batch goes straight to its blocks: a search by age would walk, in each batch, over all
# that the batches before have deleted.
_BY_BLOCK_ONLY = "SET LOCAL enable_bitmapscan = off; SET LOCAL enable_indexscan = off"
_DELETE = """
DELETE FROM {table} WHERE ctid >= %(first)s::tid AND ctid < %(end)s::tid AND {old}
"""


@job(
    "queue clean",
    cr="CR-005",
    lock="cron.queue.clean",
    timeout=timedelta(minutes=30),
    retry=Retry(on=DatabaseUnavailable, attempts=3),
    idempotency="deletes by age only: a repeat finds less to delete",
    accountable=SHARED_OPS,
    responsible=SHARED_OPS,
    consulted=(PLATFORM_EXPORT, STOCK_IMPORT),
    counts=("messages", "crashed", "runs", "slots", "alerts", "audit"),
    impact="finished messages pile up and the database grows",
    honours_clean_window=True,
    drains=True,
)
def clean(
    ctx: JobContext,
    *,
    dry_run: Annotated[bool, "Count what would be deleted, and delete nothing."] = False,
    include_crashed: Annotated[bool, "Delete messages in CRASH of the same age as well."] = False,
) -> Outcome:
    """Delete finished messages and old records.

    PROCESSED messages strictly older than CRONOPS_RETENTION__QUEUE by finish time; then runs
    with their slots, delivered alerts and audit lines by retentions of their own.
    """
    retention = ctx.settings.retention
    kinds = [(_MESSAGES, retention.queue)]
    if include_crashed:
        kinds.append((_CRASHED, retention.queue))
    kinds += [
        (_SLOTS, retention.runs),
        (_RUNS, retention.runs),
        (_ALERTS, retention.alerts),
        (_AUDIT, retention.audit),
    ]
    _check(retention_of for _, retention_of in kinds)
    with ctx.connect("clean") as connection:
        for kind, retention_of in kinds:
            cutoff = _cutoff(connection, retention_of)
            if dry_run:
                ctx.count(kind.count, _count(connection, kind, cutoff))
            else:
                _delete(ctx, connection, kind, cutoff)
            if ctx.stopping:
                break
    if dry_run:
        ctx.log.info("dry run: nothing was deleted", **ctx.counts)
        return Outcome(warnings=("dry run: nothing was deleted",))
    return Outcome()


def _check(retentions: Iterable[timedelta]) -> None:
    for retention in retentions:
        # The settings refuse it too; but what deletes everything is worth two looks.
        if retention <= timedelta(0):
            raise ConfigurationError(
                "a retention must be longer than 0: it would delete everything"
            )


def _cutoff(connection: "psycopg.Connection[Any]", retention: timedelta) -> datetime:
    """The instant before which things are old; what is exactly that old is kept."""
    row = connection.execute(_CUTOFF, {"retention": retention}).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    cutoff: datetime = row[0]
    return cutoff


def _count(connection: "psycopg.Connection[Any]", kind: _Kind, cutoff: datetime) -> int:
    statement = _COUNT.format(table=kind.table, old=kind.old)
    row = connection.execute(statement, {"cutoff": cutoff}).fetchone()
    return int(row[0]) if row else 0


def _delete(
    ctx: JobContext, connection: "psycopg.Connection[Any]", kind: _Kind, cutoff: datetime
) -> None:
    """Delete block range by block range, each fenced and committed by itself."""
    look_up = _BLOCK_RANGE.format(table=kind.table, old=kind.old)
    row = connection.execute(look_up, {"cutoff": cutoff}).fetchone()
    if row is None or row[0] is None:
        return
    first_block, last_block = row
    for block in range(first_block, last_block + 1, _BLOCKS):
        began = time.monotonic()
        _delete_batch(ctx, connection, kind, cutoff, block)
        if not ctx.pause((time.monotonic() - began) * _REST_SHARE):
            return


def _delete_batch(
    ctx: JobContext,
    connection: "psycopg.Connection[Any]",
    kind: _Kind,
    cutoff: datetime,
    block: int,
) -> None:
    from cronops.contract.lock import fence

    statement = _DELETE.format(table=kind.table, old=kind.old)
    values = {"first": f"({block},0)", "end": f"({block + _BLOCKS},0)", "cutoff": cutoff}
    with connection.transaction():
        connection.execute(_BY_BLOCK_ONLY)
        deleted = connection.execute(statement, values).rowcount
        fence(connection, ctx.tokens)
    if deleted:
        ctx.count(kind.count, deleted)

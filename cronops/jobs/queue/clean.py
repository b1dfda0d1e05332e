"""CR-005: delete what is finished and older than its retention."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cronops.contract.context import JobContext
from cronops.contract.job import Outcome, job
from cronops.contract.retry import Retry
from cronops.errors import DatabaseUnavailable
from cronops.owners import PLATFORM_EXPORT, SHARED_OPS, STOCK_IMPORT

if TYPE_CHECKING:
    import psycopg


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
    with ctx.connect("clean") as connection:
        for kind, retention_of in kinds:
            _clean(ctx, connection, kind, retention_of, dry_run=dry_run)
            if ctx.stopping:
                break
    if dry_run:
        ctx.log.info("dry run: nothing was deleted", **ctx.counts)
        return Outcome(warnings=("dry run: nothing was deleted",))
    return Outcome()


def _clean(
    ctx: JobContext,
    connection: "psycopg.Connection[Any]",
    kind: _Kind,
    retention: timedelta,
    *,
    dry_run: bool,
) -> None:
    from cronops.contract.lock import fence
    from cronops.db.block_delete import Old, cutoff_before, delete, find

    cutoff = cutoff_before(connection, retention)
    found = find(connection, Old(kind.table, kind.old, {"cutoff": cutoff}))
    if dry_run:
        ctx.count(kind.count, found.rows)
        return
    delete(
        connection,
        found,
        settle=lambda _: fence(connection, ctx.tokens),
        committed=lambda rows: ctx.count(kind.count, rows),
        pause=ctx.pause,
    )

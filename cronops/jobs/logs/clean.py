"""CR-007: delete the shop's log of changes where it is older than its retention."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cronops.contract.context import JobContext
from cronops.contract.job import Outcome, job
from cronops.contract.retry import Retry
from cronops.errors import ConfigurationError, DatabaseUnavailable, NeedsAPerson
from cronops.owners import ALL_ISLANDS, SHARED_OPS

if TYPE_CHECKING:
    import psycopg

_TABLE = "log_update"
_OLD = "ts < %(cutoff)s"
# Two questions rather than one count: either ends at the first row that it finds in the index.
_WOULD_LEAVE_NOTHING = """
SELECT EXISTS (SELECT FROM log_update WHERE ts < %(cutoff)s)
    AND NOT EXISTS (SELECT FROM log_update WHERE ts >= %(cutoff)s AND ts <= clock_timestamp())
"""
_DRY_RUN = "dry run: nothing was deleted"


@job(
    "logs clean",
    cr="CR-007",
    lock="cron.logs.clean",
    timeout=timedelta(hours=2),
    retry=Retry(on=DatabaseUnavailable, attempts=3),
    idempotency="deletes by age only: a repeat finds less to delete",
    accountable=SHARED_OPS,
    responsible=SHARED_OPS,
    consulted=ALL_ISLANDS,
    counts=("rows", "locked"),
    impact="the shop's log of changes grows, and personal data in it is kept for too long",
    honours_clean_window=True,
    drains=True,
)
def clean(
    ctx: JobContext,
    *,
    dry_run: Annotated[bool, "Count what would be deleted, and delete nothing."] = False,
    accept_mass_delete: Annotated[
        bool, "Delete also where no row would be left that is newer than the retention."
    ] = False,
) -> Outcome:
    """Delete old rows of the shop's log of changes.

    Rows of log_update strictly older than CRONOPS_LOGS__RETENTION by their ts. Other writers are
    not held up: rows that they have locked are left for the next run.
    """
    from cronops.contract.cleaning import Cleaning
    from cronops.db.block_delete import Old, cutoff_before
    from cronops.db.shop import check_shop

    retention = ctx.settings.logs.retention
    if retention is None:
        raise ConfigurationError(
            "logs.retention is not set, and nothing is deleted by a guess; set "
            "CRONOPS_LOGS__RETENTION to how long the shop's log of changes is kept, as in 365d"
        )
    with ctx.connect("clean") as connection:
        cleaning = Cleaning(ctx, connection, _TABLE, count="rows", dry_run=dry_run)
        with cleaning.noted():
            check_shop(connection, ctx.settings, _TABLE)
            cutoff = cutoff_before(connection, retention)
            if not accept_mass_delete:
                _check_that_some_stay(connection, cutoff)
            locked = cleaning.delete(Old(_TABLE, _OLD, {"cutoff": cutoff}), cutoff)
    if dry_run:
        return Outcome(warnings=(_DRY_RUN,))
    if locked:
        ctx.count("locked", locked)
        return Outcome(warnings=(f"rows locked by others, left for the next run: {locked:,}",))
    return Outcome()


def _check_that_some_stay(connection: "psycopg.Connection[Any]", cutoff: datetime) -> None:
    """Raise `NeedsAPerson` where the whole log is old: who knows whether the clock is right."""
    row = connection.execute(_WOULD_LEAVE_NOTHING, {"cutoff": cutoff}).fetchone()
    if row is not None and row[0]:
        raise NeedsAPerson(
            f"{_TABLE} has rows, and none since {cutoff:%Y-%m-%d %H:%M:%S}Z: all of it would go. "
            "Either the shop has stopped writing it, or the database's clock is wrong, or the "
            "retention is. If it shall go: cronops logs clean --accept-mass-delete"
        )

"""CR-011: clear the shop's caches of searches and of popular articles."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cronops.contract.context import JobContext
from cronops.contract.job import Outcome, job
from cronops.contract.retry import Retry
from cronops.errors import DatabaseUnavailable
from cronops.owners import ALL_ISLANDS, SHARED_OPS

if TYPE_CHECKING:
    import psycopg

_DRY_RUN = "dry run: nothing was deleted"


@job(
    "system clean-data",
    cr="CR-011",
    lock="cron.system.clean-data",
    timeout=timedelta(hours=1),
    retry=Retry(on=DatabaseUnavailable, attempts=3),
    idempotency="deletes by age only: a repeat finds less to delete",
    accountable=SHARED_OPS,
    responsible=SHARED_OPS,
    consulted=ALL_ISLANDS,
    counts=("search", "popular", "locked", "failed"),
    impact="the shop's caches of searches and popular articles grow, and slow it down",
    honours_clean_window=True,
    drains=True,
)
def clean_data(
    ctx: JobContext,
    *,
    dry_run: Annotated[bool, "Count what would be deleted, and delete nothing."] = False,
    accept_stale: Annotated[
        bool,
        "Delete old periods of popular articles although none is newer than the retention; the "
        "newest stays.",
    ] = False,
) -> Outcome:
    """Clear the shop's caches of searches and of popular articles.

    Searches that have expired; periods of popular articles older than their retention, but pinned
    ones never. One that fails does not stop the other: the run then ends failed, and names it.
    """
    from cronops.jobs.system.failures import Failures
    from cronops.jobs.system.targets import clean_popular, clean_search

    targets: dict[str, Callable[[psycopg.Connection[Any]], int]] = {
        "search": lambda connection: clean_search(ctx, connection, dry_run=dry_run),
        "popular": lambda connection: clean_popular(
            ctx, connection, dry_run=dry_run, accept_stale=accept_stale
        ),
    }
    failures = Failures(of=len(targets))
    locked = 0
    with ctx.connect("clean data") as connection:
        for target, work in targets.items():
            if ctx.stopping:
                break
            with failures.of_one(ctx, target):
                locked += work(connection)
    if locked:
        ctx.count("locked", locked)
    failures.raise_if_any()
    if dry_run:
        return Outcome(warnings=(_DRY_RUN,))
    if locked:
        return Outcome(warnings=(f"rows locked by others, left for the next run: {locked:,}",))
    return Outcome()

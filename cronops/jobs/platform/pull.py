"""CR-008: pull the orders of sales platforms, and enqueue each for `orders.process`."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cronops.contract.context import JobContext
from cronops.contract.job import Need, Outcome, job
from cronops.contract.retry import Retry
from cronops.errors import (
    CronopsError,
    DatabaseUnavailable,
    Interrupted,
    LeaseLost,
    PermanentError,
    TransientError,
)
from cronops.owners import ERP_MIDDLEWARE, PLATFORM_EXPORT, SHARED_OPS

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    import psycopg

    from cronops.jobs.platform.platforms import Platform
    from cronops.jobs.platform.pulling import Pull, Waiting

_MOST_AT_ONCE = 16
# One that fetches, and one that fetches ahead.
_THREADS_EACH = 2


def _check(*, parallel: int, **_: Any) -> None:
    if not 1 <= parallel <= _MOST_AT_ONCE:
        raise ValueError(f"--parallel must be from 1 to {_MOST_AT_ONCE}")


@job(
    "platform pull-orders",
    cr="CR-008",
    lock="cron.platform.pull-orders",
    timeout=timedelta(minutes=15),
    retry=Retry(on=DatabaseUnavailable, attempts=3),
    idempotency="platform, the platform's order id and the payload's hash; each is enqueued once",
    accountable=PLATFORM_EXPORT,
    responsible=SHARED_OPS,
    consulted=ERP_MIDDLEWARE,
    counts=("platforms", "fetches", "orders", "known", "acknowledged", "refused", "failed"),
    impact="new orders, changes and cancellations do not reach the ERP: customers wait",
    drains=True,
    needs=(
        Need("platforms", "platform.root", "write"),
        Need("platforms", "clients.credentials", "connect"),
        Need("platform-credentials", "clients.credentials", "secret"),
    ),
    check=_check,
    legacy=("platform",),
)
def pull_orders(
    ctx: JobContext,
    *,
    platform: Annotated[list[str], "Only the platform of this code."] = [],  # noqa: B006 - read only
    parallel: Annotated[int, "So many platforms at once."] = 4,
    dry_run: Annotated[bool, "Fetch and count; store and acknowledge nothing."] = False,
) -> Outcome:
    """Pull orders from the sales platforms and enqueue them.

    Each answer is stored as it came before it is read; its orders, their messages and the cursor
    are stored together; then the orders are acknowledged, or the file is moved. A platform that
    fails does not hold up the others: the run ends as failed, and names it.
    """
    from cronops.jobs.platform.platforms import all_platforms, chosen

    with ctx.connect("pull") as connection:
        asked = chosen(all_platforms(connection), platform)
        if not asked:
            return Outcome(warnings=("no platform is active; see: cronops platform set --help",))
        ended, remarks = _pull_all(ctx, connection, asked, parallel, dry_run=dry_run)
        deleted = 0 if dry_run else _delete_what_is_old(ctx, connection)
    if dry_run:
        remarks = ["dry run: nothing was stored", *remarks]
    if deleted:
        ctx.log.info("deleted what is older than its retention", rows=deleted)
    failed = {code: problem for code, problem in sorted(ended.items()) if problem}
    if failed:
        ctx.count("failed", len(failed))
        reasons = "; ".join(f"{code}: {problem}" for code, problem in failed.items())
        raise PermanentError(f"{len(failed)} of {len(asked)} platforms failed: {reasons}")
    return Outcome(warnings=remarks)


def _pull_all(
    ctx: JobContext,
    connection: "psycopg.Connection[Any]",
    platforms: "list[Platform]",
    parallel: int,
    *,
    dry_run: bool,
) -> tuple[dict[str, str], list[str]]:
    """Pull them all; for each platform why it failed, or nothing; and remarks."""
    from concurrent.futures import ThreadPoolExecutor

    from cronops.jobs.platform.store import Fenced, Store
    from cronops.jobs.platform.together import run_together

    threads = ThreadPoolExecutor(parallel * _THREADS_EACH, "platform")
    pulls: dict[str, Pull] = {}
    ended: dict[str, str] = {}
    remarks: list[str] = []
    by_code = {one.code: one for one in platforms}
    fenced = Fenced(connection, ctx)

    def note(one: "Platform", problem: str) -> None:
        ended[one.code] = problem
        if problem:
            ctx.log.warning("platform failed", platform=one.code, reason=problem)
        if not dry_run:
            with fenced():
                Store(connection, one, ctx.run_id).pulled(problem or None)
            ctx.step("pulled", platform=one.code)
        ctx.count("platforms")
        ctx.progress(len(ended), len(platforms))

    def begun() -> "Iterator[tuple[str, Waiting[None]]]":
        for one in platforms:
            if ctx.stopping:
                return
            try:
                made = pulls[one.code] = _pull_of(ctx, connection, one, threads)
            except CronopsError as error:
                note(one, str(error))
                continue
            yield one.code, made.rehearsal() if dry_run else made.steps()

    patience = ctx.settings.supervisor.grace.total_seconds() / 4
    try:
        for code, error in run_together(
            begun(), at_once=parallel, is_stopping=lambda: ctx.stopping, patience=patience
        ):
            pull = pulls.pop(code)
            pull.close()
            note(by_code[code], _told(ctx, code, error, pull))
            remarks += pull.remarks
    except BaseException:
        for pull in pulls.values():
            pull.close()
        raise
    finally:
        # Told to stop, it does not wait for those that do not answer: the process ends.
        threads.shutdown(wait=not pulls, cancel_futures=True)
    remarks += [f"{code}: told to stop: the rest is left for the next run" for code in pulls]
    return ended, remarks


def _pull_of(
    ctx: JobContext,
    connection: "psycopg.Connection[Any]",
    platform: "Platform",
    threads: "ThreadPoolExecutor",
) -> "Pull":
    from cronops.jobs.platform.adapters.table import Caller, adapter_for
    from cronops.jobs.platform.pulling import Pull

    caller = Caller(ctx.settings, ctx.correlation_id, ctx.pause)
    return Pull(ctx, connection, platform, adapter_for(platform, caller), threads)


def _told(ctx: JobContext, code: str, error: Exception | None, pull: "Pull") -> str:
    """What is said of a platform whose pull ended so; raises what is not the platform's."""
    problems = list(pull.problems)
    if error is not None:
        _raise_what_is_not_the_platforms(error)
        if ctx.stopping and isinstance(error, TransientError | Interrupted):
            ctx.log.info("told to stop: the rest is left for the next run", platform=code)
        elif isinstance(error, CronopsError):
            problems.insert(0, str(error))
        else:
            # Its text may quote what the platform sent, customers and all.
            ctx.log.error(
                "an adapter failed unexpectedly", platform=code, error=type(error).__name__
            )
            problems.insert(0, f"{type(error).__name__} in its adapter, which is a mistake there")
    return "; ".join(problems)


def _raise_what_is_not_the_platforms(error: Exception) -> None:
    from cronops.db.connect import is_connection_lost

    cause = getattr(error, "orig", error)
    if isinstance(error, LeaseLost | DatabaseUnavailable) or is_connection_lost(cause):
        raise error


def _delete_what_is_old(ctx: JobContext, connection: "psycopg.Connection[Any]") -> int:
    from cronops.jobs.platform.retention import delete_what_is_old

    deleted = delete_what_is_old(ctx, connection)
    if deleted:
        ctx.step("deleted", rows=deleted)
    return deleted

"""CR-012: bring our vehicles up to what DriveRight says, in four stages."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cronops.contract.context import JobContext
from cronops.contract.job import Need, Outcome, job
from cronops.contract.retry import Retry
from cronops.errors import CronopsError, Interrupted, LeaseLost, TransientError, UsageError
from cronops.owners import SHARED_OPS, VEHICLE_DATA, WEBSHOP

if TYPE_CHECKING:
    from cronops.jobs.driveright.ledger import Ledger, Sync
    from cronops.jobs.driveright.stages import Work

_TOLD = ("pulled", "malformed", "added", "changed", "retired")


def _check(*, from_stage: str | None, restart: bool, status: bool, **others: Any) -> None:
    if from_stage and restart:
        raise ValueError("--from-stage goes on with a sync, --restart begins another: give one")
    if status and (from_stage or restart or any(others.values())):
        raise ValueError("--status only shows how far the sync is: give no other option with it")


@job(
    "driveright sync",
    cr="CR-012",
    lock="cron.driveright.sync",
    timeout=timedelta(hours=2),
    retry=Retry(on=TransientError, attempts=2, initial=timedelta(seconds=5)),
    idempotency="one sync at a time, resumed at the stage it came to; its report is mailed once, "
    "and its changes are made in one transaction",
    accountable=VEHICLE_DATA,
    responsible=SHARED_OPS,
    consulted=(WEBSHOP,),
    counts=_TOLD,
    impact="new vehicles, and what fits them, are missing in the shop and in the simulator",
    needs=(
        Need("driveright", "driveright.base_url", "connect"),
        Need("driveright-key", "driveright.api_key", "secret"),
        Need("mail", "mail.host", "connect"),
        Need("mail", "mail.password", "secret"),
    ),
    check=_check,
)
def sync(
    ctx: JobContext,
    *,
    from_stage: Annotated[
        Literal["pull", "sync", "email", "update"] | None,
        "Do this stage of the sync that is on its way, and what follows.",
    ] = None,
    restart: Annotated[bool, "Abandon the sync that is on its way, and begin another."] = False,
    accept_changes: Annotated[bool, "Make changes even where they are suspiciously many."] = False,
    resend_report: Annotated[bool, "Mail a report that may have arrived already."] = False,
    status: Annotated[bool, "Show how far the sync is, and do nothing."] = False,
) -> Outcome:
    """Bring vehicles and fitments up to what DriveRight says.

    Pull, sync (compare), email (the report), update. It stops at a stage that fails; the next run
    goes on from there. What people have entered wins.
    """
    from cronops.jobs.driveright.ledger import Ledger

    with ctx.connect("driveright") as connection:
        if status:
            return _show(connection)
        ledger = Ledger(ctx, connection)
        # Another attempt goes on with what the first one chose.
        is_first = ctx.attempt == 1
        chosen = _choose(ledger, from_stage, restart=restart) if is_first else _choose(ledger)
        work = _work(ctx, ledger, chosen)
        work.accept_changes, work.resend_report = accept_changes, resend_report
        _do(ctx, work)
    for name in _TOLD:
        ctx.count(name, work.sync.counts.get(name, 0))
    return Outcome(warnings=tuple(_warnings(work.sync)))


def _show(connection: Any) -> Outcome:
    import sys

    from cronops.db.driveright import sync_status

    found = sync_status(connection)
    lines = [f"{key.replace('_', ' '):<12}{value}" for key, value in found.items()]
    sys.stdout.write("\n".join(lines or ["No sync was made yet."]) + "\n")
    sys.stdout.flush()
    return Outcome()


def _choose(ledger: "Ledger", from_stage: str | None = None, *, restart: bool = False) -> "Sync":
    """The sync to go on with, or a new one."""
    found = ledger.open()
    if found is not None and restart:
        found.status = "abandoned"
        with ledger.connection.transaction():
            ledger.clear(found, found_too=False)
            ledger.save(found)
        found = None
    if from_stage is not None:
        _go_back(found, from_stage)
    return found or ledger.begin()


def _go_back(found: "Sync | None", stage: str) -> None:
    from cronops.jobs.driveright.stages import STAGES

    if found is None:
        raise UsageError("no sync is on its way; without --from-stage a new one begins")
    order = list(STAGES)
    if order.index(stage) > order.index(found.stage):
        raise UsageError(
            f"the sync is at {found.stage}, which comes before {stage}: no stage is left out"
        )
    if stage in ("pull", "sync") and found.report in ("sending", "sent", "unknown"):
        raise UsageError(
            "the report of this sync was mailed already, and would not be true any more; "
            "--restart begins another sync"
        )
    if stage == "pull":
        found.cursor = found.total = None
    # A held sync is not held any more: what fails from here on is written down as of any other.
    found.stage, found.status = stage, "running"


def _work(ctx: JobContext, ledger: "Ledger", found: "Sync") -> "Work":
    from cronops.jobs.driveright.provider import DriveRight
    from cronops.jobs.driveright.stages import Work

    return Work(ctx, ledger, found, lambda: DriveRight(ctx))


def _do(ctx: JobContext, work: "Work") -> None:
    """Do the stages that are left, in order; one that fails is where the next run begins."""
    from cronops.jobs.driveright.stages import STAGES

    sync = work.sync
    while sync.status != "done":
        if ctx.stopping:
            raise Interrupted(f"told to stop before {sync.stage}; the next run goes on from there")
        ctx.step(sync.stage)
        try:
            STAGES[sync.stage](work)
        except (LeaseLost, Interrupted):
            raise
        except CronopsError as error:
            if sync.status != "held":
                sync.status = "failed"
                work.ledger.save(sync, problem=str(error))
            raise


def _warnings(sync: "Sync") -> list[str]:
    found = []
    if sync.report == "unknown":
        found.append("nobody can tell whether the report of changes arrived; it is not sent again")
    if sync.counts.get("malformed"):
        found.append(
            f"{sync.counts['malformed']:,} vehicles are malformed, or their fitments; see: "
            "cronops driveright changes --malformed"
        )
    return found

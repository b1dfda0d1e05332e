"""CR-002: generate the exports of stock and prices, and deliver them to the sales platforms."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from cronops.contract.context import JobContext
from cronops.contract.job import Need, Outcome, job
from cronops.contract.retry import Retry
from cronops.errors import TransientError
from cronops.owners import ERP_MIDDLEWARE, PLATFORM_EXPORT, SHARED_OPS

if TYPE_CHECKING:
    import psycopg

    from cronops.jobs.stock.setting import ExportSetting

_NOTHING = "no export is active; make one with: cronops stock exports set --help"
_DRY_RUN = "dry run: nothing was kept, recorded or sent"


@job(
    "stock export",
    cr="CR-002",
    lock="cron.stock.export",
    timeout=timedelta(minutes=50),
    retry=Retry(on=TransientError, attempts=3, initial=timedelta(seconds=2)),
    idempotency="export id + content hash: what the other end has already is not sent again, and "
    "what is sent again replaces the same file",
    accountable=PLATFORM_EXPORT,
    responsible=SHARED_OPS,
    consulted=(ERP_MIDDLEWARE,),
    counts=(
        "rows",
        "delivered",
        "unchanged",
        "failed",
        "raised",
        "without_ean",
        "sold_out",
        "missing_price",
        "missing_ean",
        "inactive",
        "not_positive",
        "replaced",
    ),
    impact="the sales platforms sell at old prices, and what is not in stock any more",
    legacy=(),
    needs=(
        Need("exports", "stock.export_dir", "write"),
        Need("partners", "clients.credentials", "connect"),
        Need("partners", "clients.credentials", "secret"),
    ),
)
def export(
    ctx: JobContext,
    *,
    supplier: Annotated[int | None, "Only exports for this supplier."] = None,
    customer: Annotated[int | None, "Only exports for this customer."] = None,
    export: Annotated[int | None, "Only this export, by its id."] = None,
    skip_generation: Annotated[bool, "Send the last good file again, as it is."] = False,
    dry_run: Annotated[
        bool, "Generate and count; keep, record and send nothing. Also of one that is not active."
    ] = False,
) -> Outcome:
    """Export stock levels and prices to the sales platforms.

    Each active export setting is one file. One that fails does not stop the others; the run then
    ends failed and names it. What the other end has already is not sent again.
    """
    from cronops.jobs.stock.selection import select
    from cronops.jobs.stock.setting import load_settings

    with ctx.connect("export") as connection:
        every = load_settings(connection)
        chosen = select(
            every,
            supplier=supplier,
            customer=customer,
            export=export,
            inactive_too=dry_run,
        )
        if not chosen:
            ctx.log.warning(_NOTHING)
            return Outcome(warnings=(_NOTHING,))
        return _run(
            ctx, connection, chosen, every, skip_generation=skip_generation, dry_run=dry_run
        )


def _run(
    ctx: JobContext,
    connection: "psycopg.Connection[object]",
    chosen: "list[ExportSetting]",
    every: "list[ExportSetting]",
    *,
    skip_generation: bool,
    dry_run: bool,
) -> Outcome:
    from cronops.db.shop import check_shop
    from cronops.jobs.stock.failures import Failures
    from cronops.jobs.stock.one_export import OneExport

    if not skip_generation:
        check_shop(connection, ctx.settings)
    exporting = OneExport(ctx, connection, every=every, dry_run=dry_run)
    exporting.expect(chosen)
    failures = Failures(of=len(chosen))
    for setting in chosen:
        if ctx.stopping:
            return Outcome()
        with failures.of_one(ctx, connection, setting):
            if skip_generation:
                exporting.send_again(setting)
            else:
                exporting.run(setting)
    failures.raise_if_any()
    return Outcome(warnings=(*((_DRY_RUN,) if dry_run else ()), *exporting.warnings))

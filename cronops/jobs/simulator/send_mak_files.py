"""CR-013: build the simulator's files, and send them to MAK."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cronops.contract.context import JobContext
from cronops.contract.job import Need, Outcome, job
from cronops.contract.retry import Retry
from cronops.errors import (
    BadInput,
    ConfigurationError,
    CronopsError,
    LeaseLost,
    NeedsAPerson,
    TransientError,
)
from cronops.owners import SHARED_OPS, VEHICLE_DATA, WEBSHOP

if TYPE_CHECKING:
    from cronops.clients.transfer import Transfer
    from cronops.jobs.simulator.files import FileSet
    from cronops.jobs.simulator.ledger import Ledger

_DRY_RUN = "dry run: nothing was sent or recorded"


@job(
    "simulator send-mak-files",
    cr="CR-013",
    lock="cron.simulator.send-mak-files",
    timeout=timedelta(minutes=30),
    # The transfer itself has tried several times by then.
    retry=Retry(on=TransientError, attempts=2, initial=timedelta(seconds=2)),
    idempotency="the set's content hash: what MAK has already is not sent again, and what is sent "
    "again replaces the same files",
    accountable=VEHICLE_DATA,
    responsible=SHARED_OPS,
    consulted=(WEBSHOP,),
    counts=("vehicles", "wheels", "fitments", "delivered", "unchanged"),
    impact="the simulator shows the vehicles and wheels of the last set that was delivered",
    needs=(
        Need("mak", "simulator.destination", "connect"),
        Need("mak-credentials", "clients.credentials", "secret"),
    ),
)
def send_mak_files(
    ctx: JobContext,
    *,
    force: Annotated[bool, "Send the set even if MAK has the very same already."] = False,
    accept_drop: Annotated[
        bool, "Send even if there are far fewer rows than MAK has now (max_drop_pct)."
    ] = False,
    dry_run: Annotated[bool, "Build the files and compare; send and record nothing."] = False,
) -> Outcome:
    """Build the simulator's files and send them to MAK.

    vehicles.csv, wheels.csv and fitments.csv, of one moment; then manifest.json, which names them.
    """
    from cronops.clients.transfer import check_location
    from cronops.db.shop import check_shop
    from cronops.jobs.simulator.files import generate
    from cronops.jobs.simulator.ledger import Ledger

    of = ctx.settings.simulator
    if of.destination is None:
        raise ConfigurationError(
            "where MAK takes its files is not set; set CRONOPS_SIMULATOR__DESTINATION, to "
            "sftp://host/directory say"
        )
    try:
        check_location(of.destination, root=of.root)
    except ValueError as error:
        raise ConfigurationError(f"CRONOPS_SIMULATOR__DESTINATION: {error}") from None
    with (
        ctx.connect("mak") as connection,
        tempfile.TemporaryDirectory(prefix="cronops-mak-") as made,
    ):
        check_shop(connection, ctx.settings, "article", "wheel")
        ctx.step("generate")
        file_set = generate(connection, of, Path(made), go_on=lambda: not ctx.stopping)
        _count(ctx, file_set)
        ledger = Ledger(ctx, connection, of.destination)
        _guard(ctx, file_set, ledger, accept_drop=accept_drop)
        if ledger.has(file_set) and not force:
            ctx.count("unchanged")
            return Outcome(warnings=(_DRY_RUN,) if dry_run else ())
        if dry_run:
            return Outcome(warnings=(_DRY_RUN, f"would be sent to {of.destination}"))
        _deliver(ctx, ledger, file_set, Path(made))
    ctx.count("delivered")
    return Outcome()


def _count(ctx: JobContext, file_set: "FileSet") -> None:
    for file in file_set.files:
        ctx.count(file.name.removesuffix(".csv"), file.rows)
    ctx.log.info("generated", set=file_set.sha256[:16], **ctx.counts)


def _guard(ctx: JobContext, file_set: "FileSet", ledger: "Ledger", *, accept_drop: bool) -> None:
    """Refuse what would empty the simulator."""
    empty = [file.name for file in file_set.files if not file.rows]
    if empty:
        raise BadInput(
            f"{', '.join(empty)} would have no rows: nothing was sent. Vehicles and fitments come "
            "from cronops driveright sync, wheels from the shop's tables article and wheel"
        )
    most = ctx.settings.simulator.max_drop_pct
    before = ledger.delivered_rows()
    for file in file_set.files:
        had = before.get(file.name, 0)
        if not accept_drop and file.rows * 100 < had * (100 - most):
            raise NeedsAPerson(
                f"{file.name} would have {file.rows:,} rows, and MAK has {had:,}: a drop of more "
                f"than {most} % (simulator.max_drop_pct). Nothing was sent; where it is right: "
                "--accept-drop"
            )


def _deliver(ctx: JobContext, ledger: "Ledger", file_set: "FileSet", made: Path) -> None:
    """Send the set; the record says so before anything changes at the other end."""
    from cronops.clients.transfer import open_transfer

    of = ctx.settings.simulator
    assert of.destination is not None  # noqa: S101 - the job has looked
    ctx.step("record", set=file_set.sha256[:16])
    number = ledger.begin(file_set)
    try:
        with open_transfer(
            of.destination,
            ctx.settings,
            root=of.root,
            credential=of.login,
            correlation_id=ctx.correlation_id,
            pause=ctx.pause,
        ) as there:
            _send(ctx, there, file_set, made)
    except CronopsError as error:
        if not isinstance(error, LeaseLost):
            ledger.end(number, problem=str(error))
        raise
    ctx.step("confirm")
    ledger.end(number)
    ctx.log.info("delivered", to=there.where, set=file_set.sha256[:16])


def _send(ctx: JobContext, there: "Transfer", file_set: "FileSet", made: Path) -> None:
    """All files, and then the manifest.

    A manifest that is there already speaks of the files that are about to be replaced: it is
    replaced first, by one that says that nothing is complete.
    """
    from cronops.jobs.simulator.files import MANIFEST

    manifest = made / MANIFEST
    if any(file.name == MANIFEST for file in there.list(MANIFEST)):
        ctx.step("announce")
        manifest.write_bytes(file_set.announcement())
        there.upload(manifest, MANIFEST)
    for place, file in enumerate(file_set.files):
        ctx.step("upload", file=file.name, bytes=file.bytes)
        there.upload(made / file.name, file.name)
        ctx.progress(place + 1, len(file_set.files) + 1)
    ctx.step("publish", file=MANIFEST)
    manifest.write_bytes(file_set.manifest())
    there.upload(manifest, MANIFEST)

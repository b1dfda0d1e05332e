"""CR-001: take in batches of image edits, and enqueue the work."""

import errno
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cronops.contract.context import JobContext
from cronops.contract.job import Need, Outcome, job
from cronops.contract.retry import Retry
from cronops.errors import (
    BadInput,
    ConfigurationError,
    CronopsError,
    DatabaseUnavailable,
    TransientError,
)
from cronops.owners import SHARED_OPS, STOCK_IMPORT, WEBSHOP, WEBSHOP_ADMIN

if TYPE_CHECKING:
    import psycopg

    from cronops.jobs.images.batch_file import Found
    from cronops.jobs.images.intake import Intake

# What one file may have and others may not: somebody else's in a sticky directory, a mount point.
_OF_ONE = frozenset({errno.EACCES, errno.EPERM, errno.EBUSY, errno.EXDEV, errno.ENAMETOOLONG})
_PASSING = frozenset({errno.EIO, errno.ESTALE, errno.ENOSPC, errno.EDQUOT, errno.ETIMEDOUT})


@job(
    "images enqueue-batches",
    cr="CR-001",
    lock="cron.images.enqueue",
    timeout=timedelta(minutes=15),
    retry=Retry(on=DatabaseUnavailable, attempts=3),
    idempotency="the file's SHA-256 and the chunk's number: content that was enqueued once is "
    "never enqueued again",
    accountable=(WEBSHOP_ADMIN, STOCK_IMPORT),
    responsible=SHARED_OPS,
    consulted=WEBSHOP,
    counts=("files", "rows", "messages", "bad_rows", "rejected", "repeated", "unsettled"),
    impact="articles keep their old images: new batches of image edits wait, or were rejected",
    drains=True,
    needs=(Need("image-batches", "images.batch_dir", "write"),),
)
def enqueue_batches(
    ctx: JobContext,
    *,
    dry_run: Annotated[bool, "Check the batches; enqueue nothing, and move no file."] = False,
) -> Outcome:
    """Enqueue the image edits that batches ask for.

    Reads images_*.csv in CRONOPS_IMAGES__BATCH_DIR, each in one transaction, and files it under
    archive/ once its messages are committed, or under quarantine/ with the reason beside it.
    """
    from cronops.clients.confined import directory
    from cronops.jobs.images.batch_file import find_batches

    root = ctx.settings.images.batch_dir
    try:
        with directory(root) as here:
            found = find_batches(here)
    except FileNotFoundError:
        return Outcome(
            warnings=(
                f"there is no directory {root}, and so no batch; make it, or say where batches "
                "arrive by CRONOPS_IMAGES__BATCH_DIR",
            )
        )
    except OSError as error:
        raise _unusable(root, error) from error
    intake = take_in(ctx, found, dry_run=dry_run)
    if intake.problems:
        where = "" if dry_run else f" What was rejected lies in {root}/quarantine."
        # A run that fails has no other place for its warnings.
        besides = f" Besides: {'; '.join(intake.warnings)}." if intake.warnings else ""
        raise BadInput(
            f"{len(intake.problems)} of {len(found)} batches could not be taken: "
            f"{'; '.join(intake.problems)}.{where}{besides}"
        )
    if dry_run:
        intake.warnings.append("dry run: nothing was enqueued, and no file was moved")
    return Outcome(warnings=intake.warnings)


def take_in(ctx: JobContext, found: Sequence["Found"], *, dry_run: bool) -> "Intake":
    """Take in what was found, one after the other.

    Raises `ConfigurationError` or `TransientError` where the directory cannot be worked in; what
    is wrong with one file only, after all others were taken.
    """
    try:
        intake, stuck = _take_each(ctx, found, dry_run=dry_run)
    except OSError as error:
        raise _unusable(ctx.settings.images.batch_dir, error) from error
    if stuck is not None:
        raise _unusable(ctx.settings.images.batch_dir, stuck) from stuck
    return intake


def _take_each(
    ctx: JobContext, found: Sequence["Found"], *, dry_run: bool
) -> tuple["Intake", OSError | None]:
    from cronops.db.shop import check_shop
    from cronops.jobs.images.intake import Intake

    stuck: OSError | None = None
    with ctx.connect("batches") as connection:
        intake = Intake(ctx, connection, dry_run=dry_run)
        if found:
            check_shop(connection, ctx.settings)
        for batch in found:
            if ctx.stopping:
                break
            try:
                intake.take(batch)
            except OSError as error:
                if error.errno not in _OF_ONE:
                    raise
                ctx.log.error("a batch cannot be moved", file=batch.shown, error=str(error))
                stuck = stuck or error
        if not dry_run:
            intake.warnings += _finished(ctx, connection)
            _drop_old_edits(ctx, connection)
    return intake, stuck


def _unusable(root: Path, error: OSError) -> CronopsError:
    what = f"{error.strerror}: {error.filename!r}" if error.filename else str(error)
    said = (
        f"the directory of batches {root} (CRONOPS_IMAGES__BATCH_DIR) cannot be worked in: {what}; "
        "archive/ and quarantine/ below it must be directories on the same file system, and "
        "writable, and every file in it must be ours to move"
    )
    return TransientError(said) if error.errno in _PASSING else ConfigurationError(said)


def _finished(ctx: JobContext, connection: "psycopg.Connection[Any]") -> list[str]:
    """Tell, once, of batches that were worked to their end and have failed rows."""
    from cronops.contract.lock import fence
    from cronops.jobs.images import batches

    with connection.transaction():
        finished = batches.tell_finished(connection)
        fence(connection, ctx.tokens)
    return [
        f"{failed:,} rows of {file} failed; see: cronops images batches show {batch}"
        for batch, file, failed in finished
        if failed
    ]


def _drop_old_edits(ctx: JobContext, connection: "psycopg.Connection[Any]") -> None:
    from cronops.contract.lock import fence
    from cronops.jobs.images import batches

    for batch in batches.old_batches(connection, ctx.settings.images.keep_edits):
        if ctx.stopping:
            return
        ctx.step("drop old edits", batch=batch)
        with connection.transaction():
            dropped = batches.drop_edits(connection, batch)
            fence(connection, ctx.tokens)
        ctx.log.info("dropped the rows of an old batch", batch=batch, rows=dropped)

"""CR-009 and CR-010: import what suppliers have in stock, of all of them or of one."""

import traceback
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cronops.contract.context import JobContext
from cronops.contract.job import Need, Outcome, job
from cronops.contract.retry import Retry
from cronops.errors import (
    CronopsError,
    DatabaseUnavailable,
    Interrupted,
    PermanentError,
)
from cronops.owners import SHARED_OPS, STOCK_IMPORT, WEBSHOP

if TYPE_CHECKING:
    from cronops.jobs.suppliers.one_supplier import SupplierOutcome

ALL_KEY = "cron.suppliers.import.all"
_MOST_PROCESSES = 16
_ROOM_FOR_REASONS, _SHORTEST_REASON = 1_500, 60
_NOTHING_SET_UP = (
    "no supplier is active, so there was nothing to import; set one up: "
    "cronops suppliers set --help"
)


def supplier_key(supplier: int) -> str:
    """The lock of one supplier; an import of all suppliers takes it as well."""
    return f"cron.suppliers.import.supplier.{supplier}"


def lock_of(*, supplier: int | None, **_: Any) -> str:
    """The lock of a call."""
    return ALL_KEY if supplier is None else supplier_key(supplier)


def check(*, all: bool, supplier: int | None, parallel: int, **_: Any) -> None:
    """Raise `ValueError` unless it is clear which suppliers are meant."""
    if all == (supplier is not None):
        raise ValueError("say which suppliers: either --all, or --supplier=23")
    if supplier is not None and parallel != 1:
        raise ValueError("--parallel is for --all: one supplier's files go one by one")
    if not 1 <= parallel <= _MOST_PROCESSES:
        raise ValueError(f"--parallel must be 1 to {_MOST_PROCESSES}")


def cr_of(*, supplier: int | None, **_: Any) -> str:
    """Of the two change requests, the one that a call is."""
    return "CR-009" if supplier is None else "CR-010"


@job(
    "suppliers import-stock",
    cr=("CR-009", "CR-010"),
    cr_of=cr_of,
    check=check,
    legacy=("supplier", "update_anyway"),
    lock=lock_of,
    timeout=timedelta(hours=1),
    retry=Retry(on=DatabaseUnavailable, attempts=3),
    idempotency="supplier and the file's SHA-256: a file is merged and recorded in one "
    "transaction, and a content that was imported is not imported again",
    accountable=STOCK_IMPORT,
    responsible=SHARED_OPS,
    consulted=WEBSHOP,
    counts=(
        "suppliers",
        "failed_suppliers",
        "files",
        "rejected_files",
        "skipped_files",
        "rows",
        "rejected_rows",
        "new",
        "changed",
        "zeroed",
        "review",
    ),
    impact="the shop sells what suppliers no longer have, and does not offer what they have",
    processes="parallel",
    needs=(
        Need("suppliers", "suppliers.root", "write"),
        Need("partners", "clients.credentials", "secret"),
    ),
)
def import_stock(
    ctx: JobContext,
    *,
    all: Annotated[bool, "Every supplier whose import setting is active."] = False,  # noqa: ARG001
    supplier: Annotated[int | None, "Only this supplier, by its id."] = None,
    update_anyway: Annotated[
        bool, "Also files that were imported before or are too old; where none waits, the last one."
    ] = False,
    parallel: Annotated[int, "With --all: so many suppliers at once."] = 1,  # noqa: ARG001 - the contract reads it
    dry_run: Annotated[bool, "Say what would be imported, and change nothing."] = False,
) -> Outcome:
    """Import what suppliers have in stock.

    Files move from incoming/ through processing/ to processed/ or rejected/; a row that cannot be
    taken is listed beside its file, and a file that looks wrong as a whole changes nothing.
    """
    from cronops.jobs.suppliers.one_supplier import import_supplier

    if supplier is None:
        return _import_all(ctx, update_anyway=update_anyway, dry_run=dry_run)
    outcome = import_supplier(ctx, supplier, update_anyway=update_anyway, dry_run=dry_run)
    ctx.count("suppliers")
    return _told({supplier: outcome}, dry_run=dry_run)


def _import_all(ctx: JobContext, *, update_anyway: bool, dry_run: bool) -> Outcome:
    """Each active supplier in turn, under its own lock; one that fails does not stop the others."""
    from cronops.jobs.suppliers.setting import active_suppliers
    from cronops.jobs.suppliers.sharing import Share

    outcomes: dict[int, SupplierOutcome] = {}
    with ctx.connect("suppliers") as connection:
        suppliers = active_suppliers(connection)
        if not suppliers:
            return Outcome(warnings=() if ctx.worker else (_NOTHING_SET_UP,))
        share = Share(ctx, connection)
        for supplier in share.claimed(suppliers):
            done = _import_one_of_all(ctx, supplier, update_anyway=update_anyway, dry_run=dry_run)
            if isinstance(done, str):
                ctx.count("failed_suppliers")
                share.settle(supplier, done)
            else:
                ctx.count("suppliers")
                outcomes[supplier] = done
                share.settle(supplier, None)
        if ctx.worker == 0:
            share.wait_for_others()
            failed = share.failed()
            if failed and not ctx.stopping:
                raise PermanentError(_naming(failed, len(suppliers)))
    return _told(outcomes, dry_run=dry_run)


def _naming(failed: "dict[int, str]", of: int) -> str:
    """All that failed by their ids, and then as much of the reasons as a reason has room for."""
    share = max(_SHORTEST_REASON, _ROOM_FOR_REASONS // len(failed))
    reasons = "; ".join(f"supplier {one}: {why[:share]}" for one, why in failed.items())
    ids = ", ".join(map(str, failed))
    return f"{len(failed)} of {of} suppliers failed ({ids}), the others are done: {reasons}"


def _import_one_of_all(
    ctx: JobContext, supplier: int, *, update_anyway: bool, dry_run: bool
) -> "SupplierOutcome | str":
    """What came of it, or why it failed: also where only this supplier's own lock was lost."""
    from cronops.db.connect import first_line, is_connection_lost
    from cronops.jobs.suppliers.one_supplier import import_supplier

    try:
        with ctx.lock(supplier_key(supplier), wait=ctx.settings.suppliers.lock_wait):
            return import_supplier(ctx, supplier, update_anyway=update_anyway, dry_run=dry_run)
    except (DatabaseUnavailable, Interrupted):
        raise
    except CronopsError as error:
        reason = str(error)
    except Exception as error:
        if is_connection_lost(error):
            raise
        # Whatever it is, it is this supplier's: the others are not to wait for it.
        ctx.log.error("unexpected", supplier=supplier, traceback=traceback.format_exc(limit=-12))
        reason = f"{type(error).__name__}: {first_line(error)}"
    ctx.log.error("supplier failed", supplier=supplier, error=reason)
    return reason


def _told(outcomes: "dict[int, SupplierOutcome]", *, dry_run: bool) -> Outcome:
    warnings = [text for outcome in outcomes.values() for text in outcome.warnings]
    without = [str(supplier) for supplier, outcome in outcomes.items() if outcome.had_no_file]
    if without:
        noun = "supplier" if len(without) == 1 else "suppliers"
        warnings.append(f"no new file from {noun} {', '.join(without)}; their stock stays")
    if dry_run:
        warnings.append("dry run: nothing was changed")
    return Outcome(warnings=warnings)

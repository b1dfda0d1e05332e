"""``cronops suppliers list``, ``show`` and ``files``."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cronops.cli.output import Column, show_record, show_table
from cronops.cli.session import Json, Limit, session
from cronops.cli.suppliers.selection import MaybeSupplier, Supplier, known_setting
from cronops.cli.tree import examples, operator_app

app = operator_app()

_SUPPLIERS = (
    Column("supplier_id", "supplier"),
    Column("name", shrinks=True),
    Column("active"),
    Column("mode"),
    Column("format"),
    Column("source", show=lambda value: value or "incoming/", shrinks=True),
    Column("last_import"),
    Column("in_review"),
)


def _numbers(counts: Mapping[str, Any]) -> str:
    """``1,000 rows, 3 new, rejected: price 2``."""
    parts = [
        f"{counts[name]:,} {name}"
        for name in ("rows", "new", "changed", "zeroed", "review")
        if counts.get(name)
    ]
    for kind in ("rejected", "noted"):
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in counts.get(kind, {}).items())
        if reasons:
            parts.append(f"{kind}: {reasons}")
    return ", ".join(parts) or "-"


_FILES = (
    Column("finished_at", "when"),
    Column("supplier_id", "supplier"),
    Column("name", "file", shrinks=True),
    Column("result"),
    Column("mode"),
    Column("counts", show=_numbers, shrinks=True),
    Column("reason", shrinks=True),
)


@app.command("list", epilog=examples("cronops suppliers list", "cronops suppliers list --json"))
def list_(as_json: Json = False) -> None:
    """List the suppliers with their import settings and last imports."""
    from cronops.jobs.suppliers.upkeep import list_suppliers

    with session("suppliers list") as at:
        rows = list_suppliers(at.connection)
    show_table(
        rows,
        _SUPPLIERS,
        as_json=as_json,
        empty="No supplier is set up; set one up: cronops suppliers set --help",
    )


@app.command(epilog=examples("cronops suppliers show 23", "cronops suppliers show 23 --json"))
def show(supplier: Supplier, as_json: Json = False) -> None:
    """Show a supplier's import setting, and what it has in stock.

    The JSON's `setting` is what `suppliers set --from` takes.
    """
    from cronops.jobs.suppliers.upkeep import stock_of

    with session("suppliers show") as at:
        setting = asdict(known_setting(at, supplier))
        stock = stock_of(at.connection, supplier)
    show_record(
        {"setting": setting, "stock": stock} if as_json else setting | stock, as_json=as_json
    )


@app.command(
    epilog=examples("cronops suppliers files --supplier 23", "cronops suppliers files --json")
)
def files(supplier: MaybeSupplier = None, limit: Limit = 50, as_json: Json = False) -> None:
    """List the files that were imported, rejected or skipped, with counts per reason."""
    from cronops.jobs.suppliers.upkeep import list_files

    with session("suppliers files") as at:
        if supplier is not None:
            known_setting(at, supplier)
        rows = list_files(at.connection, supplier, limit=limit)
    show_table(rows, _FILES, as_json=as_json, empty="No file has been imported yet.")

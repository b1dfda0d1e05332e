"""``cronops stock exports``: list, show, enable and disable; set is in `export_set`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronops.cli.output import Column, print_line, show_json, show_record, show_table
from cronops.cli.session import Json, MaybeReason, session
from cronops.cli.stock import export_set
from cronops.cli.tree import examples, operator_app

if TYPE_CHECKING:
    from cronops.jobs.stock.setting import ExportSetting

app = operator_app()
app.registered_commands += export_set.app.registered_commands

ExportId = Annotated[int, typer.Argument(metavar="ID", help="An export's id.")]

_COLUMNS = (
    Column("id"),
    Column("name", shrinks=True),
    Column("platform", shrinks=True),
    Column("supplier_id", "supplier"),
    Column("customer_id", "customer"),
    Column("format"),
    Column("destination", "to", shrinks=True),
    Column("active"),
    Column("last_state", "last"),
    Column("last_delivered_at", "delivered"),
)


@app.command(
    "list", epilog=examples("cronops stock exports list", "cronops stock exports list --json")
)
def list_(as_json: Json = False) -> None:
    """List the exports, and what came of each lately."""
    from cronops.jobs.stock.history import latest
    from cronops.jobs.stock.setting import load_settings

    with session("stock exports list") as at:
        last = latest(at.connection)
        rows = [
            {**_record(setting), "destination": setting.destination, **last.get(setting.id, {})}
            for setting in load_settings(at.connection)
        ]
    show_table(
        rows,
        _COLUMNS,
        as_json=as_json,
        empty="There is no export yet; make one with: cronops stock exports set --help",
    )


@app.command(epilog=examples("cronops stock exports show 7", "cronops stock exports show 7 --json"))
def show(export: ExportId, as_json: Json = False) -> None:
    """Show everything an export is set to."""
    from cronops.jobs.stock.history import latest
    from cronops.jobs.stock.setting import load_settings, problems_of
    from cronops.jobs.stock.upkeep import find_export

    with session("stock exports show") as at:
        setting = find_export(load_settings(at.connection), export)
        last = latest(at.connection).get(export, {})
    record = {**_record(setting), **last, "problems": list(problems_of(setting))}
    if not as_json:
        record["column_map"] = "\n".join(f"{name}={source}" for name, source in setting.column_map)
    show_record(record, as_json=as_json)


@app.command(epilog=examples("cronops stock exports enable 7"))
def enable(export: ExportId, reason: MaybeReason = None, as_json: Json = False) -> None:
    """Let an export run."""
    _activate(export, active=True, reason=reason, as_json=as_json)


@app.command(
    epilog=examples('cronops stock exports disable 7 --reason "acme cancelled the contract"')
)
def disable(export: ExportId, reason: MaybeReason = None, as_json: Json = False) -> None:
    """Keep an export from running; what was delivered stays where it is."""
    _activate(export, active=False, reason=reason, as_json=as_json)


def _activate(export: int, *, active: bool, reason: str | None, as_json: bool) -> None:
    from cronops.jobs.stock.neighbours import check_is_alone
    from cronops.jobs.stock.setting import check, load_settings
    from cronops.jobs.stock.upkeep import activate, find_export

    with session("stock exports") as at:
        if active:
            every = load_settings(at.connection)
            wanted = find_export(every, export)
            check(wanted)
            check_is_alone(wanted, every, root=at.settings.stock.export_dir)
        setting, changed = activate(
            at.connection, export, active=active, actor=at.actor, reason=reason
        )
    if as_json:
        show_json({"id": export, "active": active, "changed": changed})
        return
    state = "active" if active else "not active"
    print_line(f"Export {setting.label} is {state}{'' if changed else ' already'}.")


def _record(setting: "ExportSetting") -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(setting), "transport": setting.place}

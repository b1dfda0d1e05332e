"""``cronops driveright``: operators' commands. ``driveright sync`` is a job."""

from typing import Annotated, Literal

import typer

from cronops.cli.output import Column, note, show_record, show_table
from cronops.cli.session import Json, Limit, session
from cronops.cli.tree import examples, operator_app

app = operator_app()

_CHANGES = (
    Column("kind"),
    Column("vehicle", shrinks=True),
    Column("external_id", "id"),
    Column("what", shrinks=True),
)
_PROBLEMS = (Column("external_id", "id"), Column("problem", shrinks=True))


@app.command(epilog=examples("cronops driveright status", "cronops driveright status --json"))
def status(as_json: Json = False) -> None:
    """Show how far the latest sync is: its stage, what it pulled, what came of its report."""
    from cronops.db.driveright import sync_status

    with session("driveright status") as at:
        found = sync_status(at.connection)
    if not found and not as_json:
        note("No sync was made yet.")
        return
    show_record(found, as_json=as_json)


@app.command(
    epilog=examples(
        "cronops driveright changes",
        "cronops driveright changes --kind retired --limit 1000",
        "cronops driveright changes --malformed --json",
    )
)
def changes(
    kind: Annotated[
        Literal["added", "changed", "retired"] | None,
        typer.Option("--kind", help="Only these.", show_default=False),
    ] = None,
    malformed: Annotated[
        bool, typer.Option("--malformed", help="What could not be used, instead.")
    ] = False,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List what the latest sync changes, or would change where it is held."""
    from cronops.db.driveright import list_changes, list_problems

    with session("driveright changes") as at:
        if malformed:
            rows = list_problems(at.connection, limit=limit)
        else:
            rows = list_changes(at.connection, kind=kind, limit=limit)
    columns, empty = (_PROBLEMS, "malformed") if malformed else (_CHANGES, "changed")
    show_table(rows, columns, as_json=as_json, empty=f"Nothing is {empty}.")

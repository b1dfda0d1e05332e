"""``cronops simulator``: operators' commands. ``simulator send-mak-files`` is a job."""

from typing import Any

from cronops.cli.output import Column, show_table
from cronops.cli.session import Json, Limit, session
from cronops.cli.tree import examples, operator_app

app = operator_app()


def _rows(files: list[dict[str, Any]]) -> str:
    return ", ".join(f"{file['rows']:,} {file['name'].removesuffix('.csv')}" for file in files)


_COLUMNS = (
    Column("at"),
    Column("set"),
    Column("state"),
    Column("files", show=_rows),
    Column("destination", "to", shrinks=True),
    Column("problem", shrinks=True),
)


@app.command(epilog=examples("cronops simulator sets", "cronops simulator sets --limit 1 --json"))
def sets(limit: Limit = 20, as_json: Json = False) -> None:
    """List the sets of files that were sent to MAK, the latest first.

    "sending" is shown while files are on their way, and stays where the run died: the next run
    sends the set again. The set's name is in its manifest.json, too.
    """
    from cronops.db.mak_sets import list_sets

    with session("simulator sets") as at:
        rows = list_sets(at.connection, limit=limit)
    show_table(rows, _COLUMNS, as_json=as_json, empty="Nothing was sent yet.")


@app.callback()
def simulator() -> None:
    """Send the simulator's files to MAK; what was sent."""

"""``cronops images batches list`` and ``show``."""

from typing import Annotated, Any, Literal

import typer

from cronops.cli.output import Column, note, print_line, show_json, show_record, show_table
from cronops.cli.session import Json, Limit, session
from cronops.cli.tree import examples, operator_app

app = operator_app()

_COLUMNS = (
    Column("id"),
    Column("file", shrinks=True),
    Column("state"),
    Column("rows"),
    Column("done"),
    Column("failed"),
    Column("waiting"),
    Column("rejected"),
    Column("created_at", "came"),
    Column("finished_at", "finished"),
    Column("reason", shrinks=True),
)
_ROW_COLUMNS = (
    Column("line"),
    Column("state"),
    Column("article_number", "article"),
    Column("position", "pos"),
    Column("action"),
    Column("source", shrinks=True),
    Column("reason", shrinks=True),
)
Batch = Annotated[int, typer.Argument(metavar="BATCH", min=1, help="A batch, by its number.")]
MaybeBatch = Annotated[
    int | None,
    typer.Argument(metavar="BATCH", min=1, help="A batch, by its number.", show_default=False),
]


@app.command(
    "list",
    epilog=examples(
        "cronops images batches list",
        "cronops images batches list --failed  # rejected ones, and those with failed rows",
        "cronops images batches list --state enqueued --json",
    ),
)
def list_(
    state: Annotated[
        Literal["rejected", "enqueued", "done"] | None,
        typer.Option("--state", help="In this state.", show_default=False),
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only those that somebody should look at.")
    ] = False,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List batches, the newest first: how many rows are done, have failed, wait."""
    from cronops.jobs.images.view import list_batches

    with session("images batches list") as at:
        rows = list_batches(at.connection, state=state, failed=failed, limit=limit)
    filtered = state or failed
    show_table(
        rows,
        _COLUMNS,
        as_json=as_json,
        empty="No batch matches." if filtered else "No batch has come yet.",
    )


@app.command(
    epilog=examples(
        "cronops images batches show  # the newest",
        "cronops images batches show 7 --json",
    )
)
def show(batch: MaybeBatch = None, limit: Limit = 100, as_json: Json = False) -> None:
    """Show a batch, the newest by default, and its rows that failed or were rejected.

    Rows that wait for another attempt, too, with what stopped the last one.
    """
    from cronops.jobs.images.view import bad_rows, show_batch

    with session("images batches show") as at:
        found = show_batch(at.connection, batch)
        rows = bad_rows(at.connection, found["id"], limit=limit)
    if as_json:
        show_json({**found, "bad_rows": rows})
        return
    show_record(_readable(found), as_json=False)
    if rows:
        print_line("")
        show_table(rows, _ROW_COLUMNS, as_json=False, empty="")
    if len(rows) == limit:
        note(f"the first {limit} rows; more with --limit")
    if found["failed"]:
        note(f"try the failed rows again: cronops images retry {found['id']}")


def _readable(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value is not None}

"""``cronops stock runs``: what was exported."""

from typing import Annotated

import typer

from cronops.cli.output import Column, show_table
from cronops.cli.session import Json, Limit, Since, session
from cronops.cli.tree import examples, operator_app

app = operator_app()

_COLUMNS = (
    Column("id"),
    Column("export_id", "export"),
    Column("export", "name", shrinks=True),
    Column("state"),
    Column("rows", show=lambda number: f"{number:,}"),
    Column("sha256", show=lambda digest: digest[:12]),
    Column("started_at", "started"),
    Column("detail", shrinks=True),
)


@app.command(
    epilog=examples(
        "cronops stock runs --export 7",
        "cronops stock runs --failed --since 24h",
        "cronops stock runs --json",
    )
)
def runs(
    export: Annotated[
        int | None,
        typer.Option("--export", metavar="ID", help="Only of this export.", show_default=False),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what failed.")] = False,
    since: Since = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List what was generated and delivered, the newest first; why not, where it failed."""
    from cronops.jobs.stock.history import list_runs
    from cronops.jobs.stock.setting import load_settings
    from cronops.jobs.stock.upkeep import find_export

    with session("stock runs") as at:
        if export is not None:
            find_export(load_settings(at.connection), export)
        found = list_runs(at.connection, export=export, failed=failed, since=since, limit=limit)
    if not as_json:
        found = [{**row, "detail": row["reason"] or row["file_name"]} for row in found]
    narrowed = export is not None or failed or since is not None
    show_table(
        found,
        _COLUMNS,
        as_json=as_json,
        empty="No export matches." if narrowed else "Nothing was exported yet.",
    )

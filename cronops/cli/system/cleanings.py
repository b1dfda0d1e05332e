"""``cronops system cleanings``: what was cleared away."""

from typing import Annotated

import typer

from cronops.cli.output import Column, show_table
from cronops.cli.session import Json, Limit, Since, session
from cronops.cli.tree import examples, operator_app

app = operator_app()

_COLUMNS = (
    Column("at"),
    Column("target"),
    Column("deleted", show=lambda number: f"{number:,}"),
    Column("locked", show=lambda number: f"{number:,}"),
    Column("cutoff", "older than"),
    Column("state"),
    Column("run_id", "run"),
    Column("problem", shrinks=True),
)


@app.command(
    epilog=examples(
        "cronops system cleanings",
        "cronops system cleanings --target log_update --since 30d",
        "cronops system cleanings --json",
    )
)
def cleanings(
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            metavar="TABLE",
            show_default=False,
            help="Only of this table: log_update, article_search_cache or popular_article.",
        ),
    ] = None,
    since: Since = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List what logs clean and system clean-data have deleted, the newest first.

    A line says how many rows of one table one run has deleted, and up to which age. "begun" is
    shown while it deletes, and stays where the run died; its rows are gone all the same.
    """
    from cronops.db.cleanings import list_cleanings

    with session("system cleanings") as at:
        rows = list_cleanings(at.connection, target=target, since=since, limit=limit)
    narrowed = target is not None or since is not None
    show_table(
        rows,
        _COLUMNS,
        as_json=as_json,
        empty="No cleaning matches." if narrowed else "Nothing was cleaned yet.",
    )

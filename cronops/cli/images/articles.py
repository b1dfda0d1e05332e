"""``cronops images list``: what images an article has."""

from typing import Annotated, Any

import typer

from cronops.cli.names import nearest
from cronops.cli.output import Column, show_table
from cronops.cli.session import Json, said, session
from cronops.cli.tree import examples, operator_app
from cronops.errors import UsageError

app = operator_app()

_COLUMNS = (
    Column("position", "pos"),
    Column("state"),
    Column("source", shrinks=True),
    Column("made", "renditions", shrinks=True),
    Column("from"),
    Column("updated_at", "updated"),
)


@app.command(
    "list",
    epilog=examples(
        "cronops images list --article A0000042",
        "cronops images list --article A0000042 --deleted --json",
    ),
)
def list_(
    article: Annotated[
        str,
        typer.Option("--article", parser=said, metavar="NUMBER", help="The article's number."),
    ],
    deleted: Annotated[
        bool, typer.Option("--deleted", help="Also positions whose image was deleted.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List an article's images: where they came from, and the files that were made of them."""
    from cronops.jobs.images.view import articles_near, list_images

    with session("images list") as at:
        rows = list_images(at.connection, article, deleted=deleted)
        if not rows and not list_images(at.connection, article, deleted=True):
            near = nearest(article, articles_near(at.connection, article))
            raise UsageError(f"no article {article!r} has images{near}")
        store = at.settings.images.store
    show_table(
        rows if as_json else [_readable(row) for row in rows],
        _COLUMNS,
        as_json=as_json,
        empty="Its images were deleted; --deleted shows when.",
    )
    if rows and not as_json:
        from cronops.cli.output import note

        note(f"files are below {store}")


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    kept = row["renditions"] if isinstance(row["renditions"], list) else []
    made = [
        f"{one.get('file')} ({one.get('width')}x{one.get('height')})"
        for one in kept
        if isinstance(one, dict)
    ]
    return {**row, "made": ", ".join(made), "from": f"batch {row['batch_id']}, line {row['line']}"}

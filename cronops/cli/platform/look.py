"""``cronops platform list``, ``show`` and ``fetches``: what there is, and what came of it."""

from typing import Annotated, Any, Literal

import typer

from cronops.cli.output import Column, show_record, show_table
from cronops.cli.platform.selection import Code, MaybePlatform, find_platform, platform_id
from cronops.cli.session import Json, Limit, Since, session
from cronops.cli.tree import examples, operator_app

app = operator_app()

State = Literal["asked", "raw", "taken", "refused", "lost"]

_LIST = """
SELECT code, name, adapter, active, pulled_at, problem, cursor,
    (SELECT count(*) FROM platform_order
        WHERE platform_id = platform.id AND acknowledge AND acknowledged_at IS NULL)
        AS unacknowledged,
    (SELECT count(*) FROM sales_order
        WHERE platform_id = platform.id AND status = 'needs_review') AS needs_review
FROM platform ORDER BY code
"""
_SHOW = """
SELECT code, name, adapter, active, credential, article_id_column AS article_ids, config, cursor,
    pulled_at, problem, created_at, updated_at,
    (SELECT count(*) FROM platform_order WHERE platform_id = platform.id) AS payloads,
    (SELECT count(*) FROM platform_order
        WHERE platform_id = platform.id AND acknowledge AND acknowledged_at IS NULL)
        AS unacknowledged,
    (SELECT count(*) FROM sales_order WHERE platform_id = platform.id) AS orders,
    (SELECT count(*) FROM sales_order
        WHERE platform_id = platform.id AND status = 'needs_review') AS needs_review
FROM platform WHERE id = %(platform)s
"""
_FETCHES = """
SELECT platform_fetch.id, code AS platform, source, state, octet_length(content) AS bytes, orders,
    platform_fetch.problem, fetched_at, closed_at, run_id
FROM platform_fetch JOIN platform ON platform.id = platform_id
WHERE (%(platform)s::integer IS NULL OR platform_id = %(platform)s)
  AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(since)s::timestamptz IS NULL OR fetched_at >= %(since)s)
ORDER BY platform_fetch.id DESC LIMIT %(limit)s
"""

_COLUMNS = (
    Column("code"),
    Column("name", shrinks=True),
    Column("adapter"),
    Column("active"),
    Column("pulled_at", "last pull"),
    Column("unacknowledged"),
    Column("needs_review"),
    Column("problem", shrinks=True),
)
_FETCH_COLUMNS = (
    Column("id"),
    Column("platform"),
    Column("source", shrinks=True),
    Column("state"),
    Column("bytes"),
    Column("orders"),
    Column("fetched_at", "fetched"),
    Column("problem", shrinks=True),
)


@app.command("list", epilog=examples("cronops platform list", "cronops platform list --json"))
def list_(as_json: Json = False) -> None:
    """List the platforms, when each was last pulled, and what is wrong with it."""
    with session("platform list") as at:
        rows = rows_of(at.connection, _LIST, {})
    empty = "There is no platform yet; see: cronops platform set --help"
    show_table(rows, _COLUMNS, as_json=as_json, empty=empty)


@app.command(epilog=examples("cronops platform show tyre24"))
def show(code: Code, as_json: Json = False) -> None:
    """Show a platform: how it is asked, how far it is read, and how it last went."""
    with session("platform show") as at:
        found = find_platform(at, code)
        (row,) = rows_of(at.connection, _SHOW, {"platform": found.id})
    show_record(row, as_json=as_json)


@app.command(
    epilog=examples(
        "cronops platform fetches --state refused",
        "cronops platform fetches --platform easy4d --since 2d",
    )
)
def fetches(
    platform: MaybePlatform = None,
    state: Annotated[
        State | None,
        typer.Option(
            "--state",
            help="refused: it could not be read; lost: asked for, and perhaps given, but not "
            "stored; raw: not read yet.",
            show_default=False,
        ),
    ] = None,
    since: Since = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List what platforms answered, the newest first; contents are not shown."""
    with session("platform fetches") as at:
        values = {
            "platform": platform_id(at, platform),
            "state": state,
            "since": since,
            "limit": limit,
        }
        rows = rows_of(at.connection, _FETCHES, values)
    empty = "No answer matches." if platform or state or since else "Nothing was fetched yet."
    show_table(rows, _FETCH_COLUMNS, as_json=as_json, empty=empty)


def rows_of(connection: Any, statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that a statement brings, by their columns' names."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        rows: list[dict[str, Any]] = cursor.execute(statement, values).fetchall()
    return rows

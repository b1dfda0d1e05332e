"""``cronops platform orders``: what became of pulled orders, and the care for doubtful ones."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cronops.cli.output import Column, note, print_line, show_json, show_record, show_table
from cronops.cli.platform.selection import MaybePlatform, audit, platform_id
from cronops.cli.session import Json, Limit, MaybeReason, Reason, Since, session
from cronops.cli.tree import examples, operator_app
from cronops.errors import BadInput, ExitCode

if TYPE_CHECKING:
    from cronops.cli.session import Session

app = operator_app()

Status = Literal["ready", "needs_review", "cancelled"]
Ids = Annotated[
    list[int], typer.Argument(metavar="ID", min=1, help="Orders, by our ids: platform orders list.")
]

_REASONS = "array_remove(review_reasons || cancellation_note, NULL) AS reasons"
_LIST = f"""
SELECT sales_order.id, code AS platform, external_id, status, {_REASONS}, total, currency,
    (SELECT count(*) FROM sales_order_line WHERE order_id = sales_order.id) AS lines,
    version, ordered_at, sales_order.updated_at
FROM sales_order JOIN platform ON platform.id = platform_id
WHERE (%(platform)s::integer IS NULL OR platform_id = %(platform)s)
  AND (%(status)s::text IS NULL OR status = %(status)s)
  AND (%(since)s::timestamptz IS NULL OR sales_order.updated_at >= %(since)s)
ORDER BY sales_order.id DESC LIMIT %(limit)s
"""  # noqa: S608 - made of constants
_SHOW = f"""
SELECT sales_order.id, code AS platform, external_id, status, {_REASONS}, total, shipping, tax,
    lines_total, currency, version, ordered_at, sales_order.created_at, sales_order.updated_at,
    customer, delivery
FROM sales_order JOIN platform ON platform.id = platform_id
WHERE sales_order.id = %(id)s
"""  # noqa: S608 - made of constants
_LINES = """
SELECT position, part_of, article_id, matched_by, article_number, ean, mpn, platform_article_id,
    title, quantity, unit_price, total
FROM sales_order_line WHERE order_id = %(id)s ORDER BY position
"""
_HISTORY = """
SELECT platform_order.id AS source, kind, revision, state, received_at, acknowledged_at, fetch_id
FROM platform_order JOIN sales_order USING (platform_id, external_id)
WHERE sales_order.id = %(id)s ORDER BY platform_order.id
"""
_ACCEPT = """
UPDATE sales_order SET status = 'ready', version = version + 1, updated_at = clock_timestamp(),
    accepted_source = greatest(order_source, cancelled_source)
WHERE id = %(id)s AND status = 'needs_review' AND order_source IS NOT NULL
RETURNING (SELECT code FROM platform WHERE platform.id = platform_id), external_id
"""
_AGAIN = """
SELECT sales_order.id, order_source, code, external_id
FROM sales_order JOIN platform ON platform.id = platform_id
WHERE status = 'needs_review' AND order_source IS NOT NULL
  AND (%(ids)s::bigint[] IS NULL OR sales_order.id = ANY(%(ids)s))
ORDER BY sales_order.id
"""
_STATUS = "SELECT status FROM sales_order WHERE id = %(id)s"

_COLUMNS = (
    Column("id"),
    Column("platform"),
    Column("external_id", "order"),
    Column("status"),
    Column("lines"),
    Column("total"),
    Column("currency"),
    Column("updated_at", "changed"),
    Column("reasons", shrinks=True),
)
_LINE_COLUMNS = (
    Column("position", "line"),
    Column("article_number"),
    Column("ean"),
    Column("title", shrinks=True),
    Column("quantity"),
    Column("unit_price", "price"),
    Column("total"),
    Column("article_id", "article"),
    Column("matched_by", "found by"),
)
_HISTORY_COLUMNS = (
    Column("source"),
    Column("kind"),
    Column("state"),
    Column("received_at", "received"),
    Column("acknowledged_at", "acknowledged"),
    Column("fetch_id", "fetch"),
)


@app.command(
    "list",
    epilog=examples(
        "cronops platform orders list --needs-review",
        "cronops platform orders list --platform tyre24 --since 1d",
    ),
)
def list_(
    platform: MaybePlatform = None,
    needs_review: Annotated[
        bool, typer.Option("--needs-review", help="Only those that somebody must look at.")
    ] = False,
    status: Annotated[
        Status | None, typer.Option("--status", help="Only in this state.", show_default=False)
    ] = None,
    since: Since = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List orders, the newest first, and why one needs a look."""
    with session("platform orders list") as at:
        values = {
            "platform": platform_id(at, platform),
            "status": "needs_review" if needs_review else status,
            "since": since,
            "limit": limit,
        }
        rows = _rows(at, _LIST, values)
    chosen = platform or needs_review or status or since
    empty = "No order matches." if chosen else "There is no order yet."
    show_table(rows, _COLUMNS, as_json=as_json, empty=empty)


@app.command(epilog=examples("cronops platform orders show 4711"))
def show(
    order: Annotated[int, typer.Argument(metavar="ID", min=1, help="The order, by our id.")],
    as_json: Json = False,
) -> None:
    """Show an order with its customer, its lines, and all that was pulled of it."""
    with session("platform orders show") as at:
        found = _rows(at, _SHOW, {"id": order})
        if not found:
            raise BadInput(f"there is no order {order}; see: cronops platform orders list")
        lines = _rows(at, _LINES, {"id": order})
        history = _rows(at, _HISTORY, {"id": order})
    if as_json:
        show_json({**found[0], "lines": lines, "history": history})
        return
    show_record(found[0], as_json=False)
    print_line("")
    show_table(lines, _LINE_COLUMNS, as_json=False, empty="It has no lines.")
    print_line("")
    show_table(history, _HISTORY_COLUMNS, as_json=False, empty="Nothing of it is kept.")


@app.command(
    epilog=examples('cronops platform orders accept 4711 --reason "customer called: 4 it is"')
)
def accept(ids: Ids, reason: Reason, as_json: Json = False) -> None:
    """Hand doubtful orders to the ERP as they are; a later revision is looked at anew."""
    accepted: list[int] = []
    refused: dict[int, str] = {}
    with session("platform orders accept") as at, at.connection.transaction():
        for order in dict.fromkeys(ids):
            row = at.connection.execute(_ACCEPT, {"id": order}).fetchone()
            if row is None:
                refused[order] = _why_not(at, order)
                continue
            accepted.append(order)
            audit(at, "platform orders accept", f"{row[0]}/{row[1]}", reason, {})
    _report("Accepted", accepted, refused, as_json)


@app.command(epilog=examples("cronops platform orders again", "cronops platform orders again 4711"))
def again(
    ids: Annotated[
        list[int] | None,
        typer.Argument(metavar="ID", min=1, help="Only these.", show_default=False),
    ] = None,
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """Check orders that need a look once more: their articles may be there by now."""
    from cronops.jobs.platform.taking import HANDLER
    from cronops.queue.enqueue import enqueue
    from cronops.queue.message import NewMessage

    begun: list[int] = []
    with session("platform orders again") as at, at.connection.transaction():
        rows = _rows(at, _AGAIN, {"ids": ids or None})
        for row in rows:
            begun.append(row["id"])
            payload = {
                "order": row["order_source"],
                "platform": row["code"],
                "external_id": row["external_id"],
            }
            key = f"{row['code']}/{row['external_id']}/again"
            enqueue(at.connection, NewMessage(handler=HANDLER, payload=payload, dedupe_key=key))
        if begun:
            details = {"orders": begun[:100]}
            audit(at, "platform orders again", f"{len(begun)} orders", reason, details)
        refused = {one: _why_not(at, one) for one in ids or [] if one not in begun}
    _report("Enqueued", begun, refused, as_json)


def _why_not(at: "Session", order: int) -> str:
    row = at.connection.execute(_STATUS, {"id": order}).fetchone()
    if row is None:
        return "there is no such order"
    return f"it is {row[0]}" if row[0] != "needs_review" else "the order itself has not come yet"


def _report(verb: str, done: list[int], refused: dict[int, str], as_json: bool) -> None:
    if as_json:
        show_json({"changed": done, "refused": refused})
    elif done:
        noun = "order" if len(done) == 1 else f"{len(done)} orders:"
        shown = ", ".join(map(str, done[:10])) + (" …" if len(done) > 10 else "")
        print_line(f"{verb} {noun} {shown}.")
    elif not refused:
        print_line("No order needs a look.")
    for order, why in refused.items():
        note(f"error: order {order} was left alone: {why}")
    if refused:
        raise typer.Exit(ExitCode.FAILED)


def _rows(at: "Session", statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    from psycopg.rows import dict_row

    with at.connection.cursor(row_factory=dict_row) as cursor:
        rows: list[dict[str, Any]] = cursor.execute(statement, values).fetchall()
    return rows

"""Reads what was pulled, writes the orders made of it; in the message's transaction."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cronops.jobs.platform.orders.standing import Standing, Status

if TYPE_CHECKING:
    import psycopg

    from cronops.jobs.platform.formats.order import Kind
    from cronops.jobs.platform.orders.matching import Match
    from cronops.jobs.platform.orders.model import Order

_ARRIVED = """
SELECT platform_order.id, platform_id, external_id, kind, revision, payload, state,
    platform.article_id_column
FROM platform_order JOIN platform ON platform.id = platform_id
WHERE platform_order.id = %(id)s
"""
# Written whether it was there or not, and so locked: of two workers with revisions of one order
# the second waits.
_CLAIM = """
INSERT INTO sales_order (platform_id, external_id, status)
VALUES (%(platform)s, %(external_id)s, 'needs_review')
ON CONFLICT (platform_id, external_id) DO UPDATE SET platform_id = excluded.platform_id
RETURNING id, status, review_reasons, order_source, order_revision, cancelled_source,
    cancelled_revision, cancelled_pieces, accepted_source
"""
_WRITE_ORDER = """
UPDATE sales_order SET currency = %(currency)s, total = %(total)s, shipping = %(shipping)s,
    tax = %(tax)s, lines_total = %(lines_total)s, ordered_at = %(ordered_at)s,
    customer = %(customer)s, delivery = %(delivery)s, review_reasons = %(reasons)s
WHERE id = %(id)s
"""
_DELETE_LINES = "DELETE FROM sales_order_line WHERE order_id = %(id)s"
_INSERT_LINES = """
INSERT INTO sales_order_line (order_id, position, part_of, article_id, matched_by, article_number,
    ean, mpn, platform_article_id, title, quantity, unit_price, total)
SELECT %(id)s, * FROM unnest(%(position)s::integer[], %(part_of)s::integer[],
    %(article_id)s::bigint[], %(matched_by)s::text[], %(article_number)s::text[], %(ean)s::text[],
    %(mpn)s::text[], %(platform_article_id)s::text[], %(title)s::text[], %(quantity)s::integer[],
    %(unit_price)s::numeric[], %(total)s::numeric[])
"""
_PIECES = """
SELECT coalesce(sum(quantity), 0) FROM sales_order_line
WHERE order_id = %(id)s AND part_of IS NULL
"""
_STAND = """
UPDATE sales_order SET status = %(status)s, cancellation_note = %(note)s,
    order_source = %(order_source)s, order_revision = %(order_revision)s,
    cancelled_source = %(cancelled_source)s, cancelled_revision = %(cancelled_revision)s,
    cancelled_pieces = %(cancelled_pieces)s, version = version + 1, updated_at = clock_timestamp()
WHERE id = %(id)s
"""
_MARK = """
UPDATE platform_order
SET state = CASE WHEN id = ANY(%(hold)s) THEN 'applied' ELSE 'superseded' END
WHERE id = ANY(%(all)s)
"""


@dataclass(frozen=True)
class Arrived:
    """A payload that was pulled."""

    id: int
    platform_id: int
    external_id: str
    kind: "Kind"
    revision: int
    payload: Any
    state: str
    article_id_column: str | None


@dataclass(frozen=True)
class SalesOrder:
    """An order as it stands, locked until the transaction ends."""

    id: int
    status: Status
    review_reasons: list[str]
    standing: Standing


def arrived(connection: "psycopg.Connection[Any]", order: int) -> Arrived | None:
    """The payload of that id."""
    row = connection.execute(_ARRIVED, {"id": order}).fetchone()
    return Arrived(*row) if row else None


def claim(connection: "psycopg.Connection[Any]", of: Arrived) -> SalesOrder:
    """The order that a payload is about, made where it is the first."""
    row = connection.execute(
        _CLAIM, {"platform": of.platform_id, "external_id": of.external_id}
    ).fetchone()
    assert row is not None  # noqa: S101 - INSERT … DO UPDATE … RETURNING
    return SalesOrder(row[0], row[1], row[2], Standing(*row[3:]))


def write_order(
    connection: "psycopg.Connection[Any]",
    order_id: int,
    order: "Order",
    matches: "Sequence[Match]",
    reasons: Sequence[str],
) -> None:
    """Replace what the order says, and its lines."""
    from psycopg.types.json import Jsonb

    connection.execute(
        _WRITE_ORDER,
        {
            "id": order_id,
            "currency": order.currency,
            "total": order.total,
            "shipping": order.shipping,
            "tax": order.tax,
            "lines_total": order.lines_total,
            "ordered_at": order.ordered_at,
            "customer": Jsonb(order.customer),
            "delivery": Jsonb(order.delivery),
            "reasons": list(reasons),
        },
    )
    connection.execute(_DELETE_LINES, {"id": order_id})
    if not order.lines:
        return
    lines = order.lines
    columns: dict[str, Any] = {
        name: [getattr(line, name) for line in lines]
        for name in (
            "position", "part_of", "article_number", "ean", "mpn", "platform_article_id", "title",
            "unit_price",
        )
    }  # fmt: skip
    columns |= {
        "quantity": [line.pieces for line in lines],
        "total": [line.amount for line in lines],
        "article_id": [found.article_id for found in matches],
        "matched_by": [found.matched_by for found in matches],
    }
    connection.execute(_INSERT_LINES, {"id": order_id, **columns})


def pieces_of(connection: "psycopg.Connection[Any]", order_id: int) -> int:
    """How many pieces its lines are for, a set as one."""
    row = connection.execute(_PIECES, {"id": order_id}).fetchone()
    return int(row[0]) if row else 0


def stand(
    connection: "psycopg.Connection[Any]",
    order_id: int,
    standing: Standing,
    status: Status,
    note: str | None,
) -> None:
    """Write how the order stands."""
    connection.execute(_STAND, {"id": order_id, "status": status, "note": note, **asdict(standing)})


def mark(connection: "psycopg.Connection[Any]", *, hold: set[int], others: set[int]) -> None:
    """Note which payloads hold, and which do not any more."""
    connection.execute(_MARK, {"hold": sorted(hold), "all": sorted(hold | others)})

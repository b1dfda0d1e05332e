"""Stores a page's orders, with a message for each that is new: all or nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    from cronops.jobs.platform.formats.order import Page, PulledOrder
    from cronops.jobs.platform.platforms import Platform
    from cronops.queue.message import NewMessage

HANDLER = "orders.process"

_AT_ONCE = 1_000

_INSERT_ORDERS = """
INSERT INTO platform_order (platform_id, external_id, sha256, kind, revision, payload, fetch_id,
    acknowledge)
SELECT %(platform)s, external_id, sha256, kind, revision, payload::jsonb, %(fetch)s,
    %(acknowledge)s
FROM unnest(%(external_ids)s::text[], %(hashes)s::text[], %(kinds)s::text[],
    %(revisions)s::bigint[], %(payloads)s::text[]) WITH ORDINALITY
    AS given (external_id, sha256, kind, revision, payload, place)
ORDER BY place
ON CONFLICT (platform_id, external_id, sha256) DO NOTHING
RETURNING id, external_id, sha256
"""
_TAKEN = """
UPDATE platform_fetch SET state = 'taken', orders = %(orders)s, problem = %(problem)s,
    closed_at = CASE WHEN %(stays_open)s THEN NULL ELSE clock_timestamp() END
WHERE id = %(id)s
"""

EnqueueMany = Callable[[Iterable["NewMessage"]], int]


@dataclass(frozen=True)
class Taken:
    """What became of a page's orders."""

    new: int
    known: int
    """Those we had already, word for word."""


def take(
    connection: "psycopg.Connection[Any]",
    platform: "Platform",
    fetch: int,
    page: "Page",
    enqueue: EnqueueMany,
    *,
    correlation_id: str,
    acknowledge: bool = False,
    stays_open: bool = False,
) -> Taken:
    """Store a page's orders, with a message for each that is new, in the open transaction."""
    new = 0
    for first in range(0, len(page.orders), _AT_ONCE):
        block = page.orders[first : first + _AT_ONCE]
        rows = connection.execute(
            _INSERT_ORDERS,
            {
                "platform": platform.id,
                "fetch": fetch,
                "acknowledge": acknowledge,
                **_columns(block),
            },
        ).fetchall()
        if rows:
            enqueue(_messages(platform.code, rows, correlation_id))
        new += len(rows)
    connection.execute(
        _TAKEN,
        {
            "id": fetch,
            "orders": len(page.orders),
            "problem": "; ".join(page.problems)[:2000] or None,
            "stays_open": stays_open,
        },
    )
    return Taken(new, len(page.orders) - new)


def _columns(orders: Sequence["PulledOrder"]) -> dict[str, Any]:
    return {
        "external_ids": [order.external_id for order in orders],
        "hashes": [order.sha256 for order in orders],
        "kinds": [order.kind for order in orders],
        "revisions": [order.revision for order in orders],
        "payloads": [order.text for order in orders],
    }


def _messages(
    code: str, rows: Iterable[tuple[int, str, str]], correlation_id: str
) -> list["NewMessage"]:
    from cronops.queue.message import NewMessage

    return [
        NewMessage(
            handler=HANDLER,
            # The order itself stays in its table: what is in the queue is shown to operators.
            payload={"order": order, "platform": code, "external_id": external_id},
            dedupe_key=f"{code}/{external_id}/{sha256}",
            correlation_id=correlation_id,
        )
        for order, external_id, sha256 in rows
    ]

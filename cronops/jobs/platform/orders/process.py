"""The handler ``orders.process``: what was pulled becomes an order for the ERP Middleware."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from cronops.contract.context import JobContext
from cronops.errors import PermanentError
from cronops.jobs.platform.orders import store
from cronops.jobs.platform.orders.matching import Match, match
from cronops.jobs.platform.orders.model import OrderLine, cancelled_pieces, order_from
from cronops.jobs.platform.orders.standing import Standing
from cronops.owners import PLATFORM_EXPORT
from cronops.queue.handler import handler
from cronops.queue.message import Message


class OrderArrived(BaseModel):
    """Which payload came; the rest of the message is for people."""

    model_config = ConfigDict(hide_input_in_errors=True)

    order: int = Field(ge=1)
    """Its id in `platform_order`."""


@handler(
    "orders.process",
    timeout=timedelta(minutes=1),
    # All of its effects are in the database: many orders a commit, each exactly once.
    settle="batch",
    payload=OrderArrived,
    accountable=PLATFORM_EXPORT,
    impact="an order of a sales platform does not reach the ERP",
)
def process(ctx: JobContext, message: Message) -> None:
    """Check an order, find its articles, and write it; a cancellation likewise.

    An older revision that comes late changes nothing. What cannot be right, or has no article,
    is written as `needs_review`; what does not fit at all goes to CRASH, with the reason.
    """
    connection: Any = ctx.db.connection.driver_connection
    came = store.arrived(connection, message.payload.order)
    if came is None:
        raise PermanentError(f"there is no pulled order {message.payload.order}")
    order = store.claim(connection, came)
    if came.state != "new" and order.status != "needs_review":
        return  # worked before
    if came.payload is None:
        raise PermanentError(
            f"the payload of pulled order {came.id} was blanked after "
            "platform.payload_retention; have the platform send the order again"
        )
    before = order.standing
    pieces = cancelled_pieces(came.payload) if came.kind == "cancellation" else None
    after = before.heard(came.kind, came.revision, came.id, pieces)
    hold = _sources(after)
    if came.id not in hold:
        store.mark(connection, hold=set(), others={came.id})
        ctx.log.info("an older revision came late", order=order.id, source=came.id)
        return
    reasons = order.review_reasons
    if came.kind == "order":
        told = order_from(came.payload)
        matches = match(connection, told.lines, came.article_id_column)
        reasons = [*told.doubts(), *_doubts_about_articles(told.lines, matches)]
        store.write_order(connection, order.id, told, matches, reasons)
        wanted = told.pieces
    else:
        wanted = store.pieces_of(connection, order.id)
    note = after.cancellation(wanted)
    store.stand(connection, order.id, after, after.status(reasons, note), note)
    store.mark(connection, hold={came.id}, others=_sources(before) - hold)


def _doubts_about_articles(lines: Sequence[OrderLine], matches: Sequence[Match]) -> list[str]:
    """What was not found; but a set whose parts all are needs no article of its own."""
    found = list(zip(lines, matches, strict=True))
    sets = {line.part_of for line in lines if line.part_of is not None}
    sets -= {line.part_of for line, match in found if match.article_id is None}
    return [
        match.doubt
        for line, match in found
        if match.doubt is not None and line.position not in sets
    ]


def _sources(standing: Standing) -> set[int]:
    return {
        source
        for source in (standing.order_source, standing.cancelled_source)
        if source is not None
    }

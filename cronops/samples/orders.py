"""Orders as platforms write them, any number of them, the same for the same seed.

In each of the shapes that `platform pull-orders` reads: JSON pages, an XML feed, openTRANS files.
Articles are those of `cronops.samples.articles`. ``python -m cronops.samples.orders files
DIRECTORY --count 20`` writes openTRANS documents into a directory, ``serve`` answers as a REST
platform does, on this machine only.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from cronops.samples.articles import Article, articles
from cronops.samples.tour import Step

_BEGAN = datetime(2026, 11, 1, 8, tzinfo=UTC)
_FIRST = ("Anna", "Bernd", "Chloé", "Dirk", "Eva", "Øystein")
_LAST = ("Muster", "Beispiel", "Dubois", "O'Neill", "Weiß & Söhne")
_OPENTRANS = "http://www.opentrans.org/XMLSchema/2.1"
_BMECAT = "http://www.bmecat.org/bmecat/2005"


@dataclass(frozen=True)
class SampleLine:
    """One line of an order."""

    article: Article
    quantity: int
    price: Decimal

    @property
    def total(self) -> Decimal:
        """What the line costs."""
        return (self.price * self.quantity).quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(frozen=True)
class SampleOrder:
    """One order, as the platform knows it."""

    id: str
    updated_at: datetime
    customer: str
    lines: Sequence[SampleLine]
    status: str = "open"

    @property
    def total(self) -> Decimal:
        """What its lines make."""
        return sum((line.total for line in self.lines), Decimal(0))


def orders(count: int, *, seed: int = 1, shop: int = 200, first: int = 1) -> Iterator[SampleOrder]:
    """Orders number `first` and following, a minute apart, of a shop with so many articles."""
    known = [article for article in articles(shop) if article.is_active]
    for number in range(first, first + count):
        dice = random.Random(seed * 1_000_003 + number)  # noqa: S311 - sample data
        lines = [
            SampleLine(article, dice.choice((1, 2, 4, 4)), Decimal(article.base_price))
            for article in dice.sample(known, dice.choice((1, 1, 2, 3)))
        ]
        yield SampleOrder(
            f"ORD-{number:06d}",
            _BEGAN + timedelta(minutes=number),
            f"{dice.choice(_FIRST)} {dice.choice(_LAST)}",
            lines,
        )


def as_json(order: SampleOrder) -> dict[str, Any]:
    """An order in the names that the ``rest`` adapter takes where it is told no others."""
    return {
        "id": order.id,
        "status": order.status,
        "updated_at": order.updated_at.isoformat(),
        "created_at": order.updated_at.isoformat(),
        "currency": "EUR",
        "total": str(order.total),
        "customer": {"name": order.customer, "email": f"{order.id.lower()}@example.com"},
        "delivery_address": {"name": order.customer, "street": "Ringstraße 1", "zip": "50667"},
        "lines": [
            {
                "sku": line.article.article_number,
                "ean": line.article.ean,
                "name": f"{line.article.brand} {line.article.type}",
                "quantity": line.quantity,
                "price": str(line.price),
            }
            for line in order.lines
        ],
    }


def as_json_file(some: Sequence[SampleOrder], *, next_cursor: str | None = None) -> bytes:
    """A page of orders in JSON."""
    page = {"orders": [as_json(order) for order in some], "next_cursor": next_cursor}
    return json.dumps(page, ensure_ascii=False, indent=1).encode()


def as_xml(some: Sequence[SampleOrder]) -> bytes:
    """Orders in the names that the ``xml-feed`` adapter takes where it is told no others."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n<orders>']
    for order in some:
        lines = "".join(
            f"<line><sku>{line.article.article_number}</sku><ean>{line.article.ean or ''}</ean>"
            f"<quantity>{line.quantity}</quantity><price>{line.price}</price></line>"
            for line in order.lines
        )
        parts.append(
            f"<order><id>{order.id}</id><status>{order.status}</status>"
            f"<updated_at>{order.updated_at.isoformat()}</updated_at>"
            f"<created_at>{order.updated_at.isoformat()}</created_at>"
            f"<currency>EUR</currency><total>{order.total}</total>"
            f"<customer><name>{escape(order.customer)}</name></customer>"
            f"<lines>{lines}</lines></order>"
        )
    return "\n".join([*parts, "</orders>\n"]).encode()


def as_opentrans(order: SampleOrder) -> bytes:
    """An openTRANS 2.1 ORDER."""
    items = "".join(_opentrans_item("ORDER", line, at) for at, line in enumerate(order.lines, 1))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ORDER xmlns="{_OPENTRANS}" '
        f'xmlns:bmecat="{_BMECAT}" version="2.1" type="standard">\n'
        f"<ORDER_HEADER><ORDER_INFO><ORDER_ID>{order.id}</ORDER_ID>"
        f"<ORDER_DATE>{order.updated_at.isoformat()}</ORDER_DATE>"
        f"<PARTIES>{_opentrans_party(order, 'buyer')}{_opentrans_party(order, 'delivery')}"
        "</PARTIES><bmecat:CURRENCY>EUR</bmecat:CURRENCY></ORDER_INFO></ORDER_HEADER>\n"
        f"<ORDER_ITEM_LIST>{items}</ORDER_ITEM_LIST>\n"
        f"<ORDER_SUMMARY><TOTAL_ITEM_NUM>{len(order.lines)}</TOTAL_ITEM_NUM>"
        f"<TOTAL_AMOUNT>{order.total}</TOTAL_AMOUNT></ORDER_SUMMARY>\n</ORDER>\n"
    ).encode()


def as_opentrans_change(order: SampleOrder, sequence: int) -> bytes:
    """An openTRANS 2.1 ORDERCHANGE: the order as it shall be; without lines, its cancellation."""
    items = "".join(
        _opentrans_item("ORDERCHANGE", line, at) for at, line in enumerate(order.lines, 1)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ORDERCHANGE xmlns="{_OPENTRANS}" '
        f'xmlns:bmecat="{_BMECAT}" version="2.1">\n'
        f"<ORDERCHANGE_HEADER><ORDERCHANGE_INFO><ORDER_ID>{order.id}</ORDER_ID>"
        f"<ORDERCHANGE_DATE>{order.updated_at.isoformat()}</ORDERCHANGE_DATE>"
        f"<ORDERCHANGE_SEQUENCE_ID>{sequence}</ORDERCHANGE_SEQUENCE_ID>"
        f"<PARTIES>{_opentrans_party(order, 'buyer')}</PARTIES>"
        "<bmecat:CURRENCY>EUR</bmecat:CURRENCY></ORDERCHANGE_INFO></ORDERCHANGE_HEADER>\n"
        f"<ORDERCHANGE_ITEM_LIST>{items}</ORDERCHANGE_ITEM_LIST>\n"
        f"<ORDERCHANGE_SUMMARY><TOTAL_AMOUNT>{order.total}</TOTAL_AMOUNT>"
        "</ORDERCHANGE_SUMMARY>\n</ORDERCHANGE>\n"
    ).encode()


def _opentrans_item(document: str, line: SampleLine, place: int) -> str:
    ean = (
        f'<bmecat:INTERNATIONAL_PID type="ean">{line.article.ean}</bmecat:INTERNATIONAL_PID>'
        if line.article.ean
        else ""
    )
    return (
        f"<{document}_ITEM><LINE_ITEM_ID>{place}</LINE_ITEM_ID><PRODUCT_ID>"
        f"<bmecat:SUPPLIER_PID>{line.article.article_number}</bmecat:SUPPLIER_PID>{ean}"
        f"<bmecat:DESCRIPTION_SHORT>{line.article.brand}</bmecat:DESCRIPTION_SHORT></PRODUCT_ID>"
        f"<QUANTITY>{line.quantity}</QUANTITY><bmecat:ORDER_UNIT>C62</bmecat:ORDER_UNIT>"
        f"<PRODUCT_PRICE_FIX><bmecat:PRICE_AMOUNT>{line.price}</bmecat:PRICE_AMOUNT>"
        f"</PRODUCT_PRICE_FIX><PRICE_LINE_AMOUNT>{line.total}</PRICE_LINE_AMOUNT>"
        f"</{document}_ITEM>"
    )


def _opentrans_party(order: SampleOrder, role: str) -> str:
    return (
        f'<PARTY><bmecat:PARTY_ID type="buyer_specific">{order.id}</bmecat:PARTY_ID>'
        f"<PARTY_ROLE>{role}</PARTY_ROLE><ADDRESS>"
        f"<bmecat:NAME>{escape(order.customer)}</bmecat:NAME>"
        "<bmecat:STREET>Ringstraße 1</bmecat:STREET><bmecat:ZIP>50667</bmecat:ZIP>"
        "<bmecat:CITY>Köln</bmecat:CITY></ADDRESS></PARTY>"
    )


def tour() -> Iterator[Step]:
    """The commands that show order pulling, on files below `platform.root`; wants the shop."""
    from cronops.config import load_settings

    write_files(load_settings().settings.platform.root / "roadzila", 5)
    yield Step(
        "A platform that leaves openTRANS documents in a directory.",
        "platform set roadzila --preset directory --location roadzila",
    )
    yield Step("Look first: what is there, without storing it.", "platform pull-orders --dry-run")
    yield Step("Pull: each order is stored, enqueued, and its file moved.", "platform pull-orders")
    yield Step("Work the queue: orders are checked, articles found.", "queue process")
    yield Step("What became of them?", "platform orders list")
    yield Step("Nothing is there twice: another pull finds no file.", "platform pull-orders")


def write_files(directory: Path, count: int) -> None:
    """Orders as openTRANS documents; of the last one also a change, and its cancellation."""
    directory.mkdir(parents=True, exist_ok=True)
    some = list(orders(count))
    for order in some:
        (directory / f"{order.id}.xml").write_bytes(as_opentrans(order))
    if some:
        cancelled = SampleOrder(some[-1].id, some[-1].updated_at, some[-1].customer, ())
        (directory / f"{cancelled.id}-change.xml").write_bytes(as_opentrans_change(cancelled, 1))


def main() -> int:
    """Write files, or serve, as the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m cronops.samples.orders", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    files = commands.add_parser("files", help="write openTRANS documents into a directory")
    files.add_argument("directory", type=Path)
    server = commands.add_parser("serve", help="answer as a REST platform does")
    server.add_argument("--port", type=int, default=0, help="0: any that is free")
    for one in (files, server):
        one.add_argument("--count", type=int, default=20, help="so many orders")
    given = parser.parse_args()
    if given.what == "files":
        write_files(given.directory, given.count)
        sys.stdout.write(f"{given.count:,} orders in {given.directory}.\n")
        return 0
    from cronops.samples.order_server import OrderServer

    with OrderServer(list(orders(given.count)), port=given.port) as running:
        sys.stdout.write(
            f"{given.count:,} orders at {running.url}/orders; Ctrl-C ends it. Set it up by:\n"
            f"cronops platform set sample --adapter rest --url {running.url}/orders "
            f"--option allow_http=true --option first_look_back=3650d --option "
            f'\'acknowledge={{"url": "{running.url}/orders/{{id}}/ack"}}\'\n'
        )
        sys.stdout.flush()
        running.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""openTRANS 2.1: ORDER, ORDERCHANGE and CANCELREQUEST documents, alone or several in one.

Names of fields are the standard's, whose parts from BMEcat have a namespace of their own; both
are left out here, so that 1.0 documents, and those that forgot a namespace, are read as well.

An ORDERCHANGE carries the order as it shall be from then on, ordered by its
ORDERCHANGE_SEQUENCE_ID. One without items, or with quantities of 0 only, cancels the order, and
so does a CANCELREQUEST, which some marketplaces send.
"""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from cronops.errors import BadInput
from cronops.jobs.platform.formats.mapping import Reading, external_id_of, scalar
from cronops.jobs.platform.formats.order import FINAL, Page, Problems, PulledOrder, moment_of
from cronops.jobs.platform.formats.xml_orders import as_record, local_name, parsed

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

DOCUMENTS = ("ORDER", "ORDERCHANGE", "CANCELREQUEST")

_PRICE_STEP = Decimal("0.0001")
_EAN_TYPES = ("ean", "gtin", "")


def read_opentrans(content: bytes, reading: Reading, source: str, *, limit: int) -> Page:
    """The orders of an openTRANS document. Raises `BadInput` naming the place."""
    root = parsed(content, source, limit=limit)
    documents = [root] if local_name(root) in DOCUMENTS else _documents_in(root)
    if not documents and len(root):
        raise BadInput(
            f"{source}: <{local_name(root)}> is no openTRANS order: {', '.join(DOCUMENTS)} are"
        )
    orders: list[PulledOrder] = []
    problems = Problems()
    for place, document in enumerate(documents, 1):
        try:
            orders.append(_order(document, reading))
        except ValueError as error:
            problems.tell(f"{local_name(document)} {place} of {len(documents)} {error}")
    return Page(orders, problems, None, len(documents))


def _documents_in(root: "Element") -> "list[Element]":
    return [element for element in root if local_name(element) in DOCUMENTS]


def _order(document: "Element", reading: Reading) -> PulledOrder:
    kind = local_name(document)
    record = as_record(document)
    info = _inside(record, f"{kind}_HEADER", f"{kind}_INFO")
    external_id = external_id_of(_text(info, "ORDER_ID"))
    items = _several(_inside(record, f"{kind}_ITEM_LIST"), f"{kind}_ITEM")
    lines = [_line(item, place) for place, item in enumerate(items, 1)]
    summary = _inside(record, f"{kind}_SUMMARY")
    ordered_at = moment_of(_text(info, "ORDER_DATE"), reading.time_zone)
    changed_at = moment_of(
        _text(info, f"{kind}_DATE") or _text(info, "ORDER_DATE"), reading.time_zone
    )
    cancels = kind == "CANCELREQUEST" or (kind == "ORDERCHANGE" and not _asks_for_any(lines))
    payload = {
        "ordered_at": ordered_at.isoformat() if ordered_at else None,
        "currency": _text(info, "CURRENCY") or _text(info, "PRICE_CURRENCY") or reading.currency,
        "total": _text(summary, "TOTAL_AMOUNT"),
        "shipping": None,
        "tax": _text(summary, "TOTAL_TAX_AMOUNT"),
        "customer": _party(info, "buyer"),
        "delivery": _party(info, "delivery"),
        "lines": lines if kind == "CANCELREQUEST" else [line for line in lines if not _gone(line)],
        "lines_announced": _text(summary, "TOTAL_ITEM_NUM") if kind == "ORDER" else None,
    }
    if kind == "ORDER":
        # Quantities that make no sense stay to be seen.
        payload["lines"] = lines
    return PulledOrder(
        external_id,
        "cancellation" if cancels else "order",
        _revision(kind, info, cancels=cancels),
        payload,
        changed_at,
    )


def _revision(kind: str, info: dict[str, Any], *, cancels: bool) -> int:
    if kind == "ORDER":
        return 0
    number = _text(info, "ORDERCHANGE_SEQUENCE_ID") or ""
    if kind == "ORDERCHANGE" and number.isdecimal() and len(number) < len(str(FINAL)):
        return int(number)
    return FINAL if cancels else 0


def _line(item: Any, place: int) -> dict[str, Any]:
    product = _inside(item, "PRODUCT_ID")
    price = _inside(item, "PRODUCT_PRICE_FIX")
    return {
        "position": place,
        "part_of": None,
        "article_number": _text(product, "SUPPLIER_PID") or _text(product, "SUPPLIER_AID"),
        "ean": _ean(product),
        "mpn": _text(_inside(product, "MANUFACTURER_INFO"), "MANUFACTURER_PID"),
        "platform_article_id": _text(product, "BUYER_PID") or _text(product, "BUYER_AID"),
        "title": _text(product, "DESCRIPTION_SHORT"),
        "quantity": _text(item, "QUANTITY"),
        "unit_price": _unit_price(price),
        "total": _text(item, "PRICE_LINE_AMOUNT"),
    }


def _unit_price(price: Any) -> str | None:
    """The amount for one: PRICE_AMOUNT is for PRICE_QUANTITY of them."""
    amount, quantity = _text(price, "PRICE_AMOUNT"), _text(price, "PRICE_QUANTITY")
    if amount is None or quantity is None:
        return amount
    try:
        one = Decimal(amount) / Decimal(quantity)
        return f"{one.quantize(_PRICE_STEP, ROUND_HALF_UP):f}"
    except (InvalidOperation, ZeroDivisionError):
        return amount


def _ean(product: Any) -> str | None:
    for found in _several(product, "INTERNATIONAL_PID"):
        kind = found.get("@type", "") if isinstance(found, dict) else ""
        if kind.casefold() in _EAN_TYPES:
            return scalar(found.get("#text") if isinstance(found, dict) else found)
    return None


def _party(info: dict[str, Any], role: str) -> dict[str, Any]:
    """The address of the party that plays a role, by their names for its parts."""
    holder = _inside(info, "PARTIES") or _inside(info, "ORDER_PARTIES")
    for party in _several(holder, "PARTY"):
        if role in {scalar(one) for one in _several(party, "PARTY_ROLE")}:
            address = _inside(party, "ADDRESS")
            plain = {name.lower(): _text(address, name) for name in address}
            number = _text(party, "PARTY_ID")
            return {
                name: value
                for name, value in {"party_id": number, **plain}.items()
                if value is not None
            }
    return {}


def _asks_for_any(lines: list[dict[str, Any]]) -> bool:
    return any(not _gone(line) for line in lines)


def _gone(line: dict[str, Any]) -> bool:
    try:
        return Decimal(line["quantity"]) == 0
    except (InvalidOperation, TypeError):
        return False


def _inside(record: Any, *names: str) -> dict[str, Any]:
    for name in names:
        record = record.get(name) if isinstance(record, dict) else None
    return record if isinstance(record, dict) else {}


def _several(record: Any, name: str) -> list[Any]:
    found = record.get(name) if isinstance(record, dict) else None
    if found is None or found == "":
        return []
    return found if isinstance(found, list) else [found]


def _text(record: Any, name: str) -> str | None:
    found = record.get(name) if isinstance(record, dict) else None
    if isinstance(found, list):
        found = found[0]
    if isinstance(found, dict):
        found = found.get("#text")
    return scalar(found)

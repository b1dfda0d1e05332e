"""How a platform calls things, and the reading of its records by that.

A record is what JSON gives: objects, lists, text, numbers. XML is made into the same first, so
one mapping serves both. A path leads into objects by dots: ``customer.address``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from cronops.jobs.platform.formats.order import (
    FINAL,
    Page,
    Problems,
    PulledOrder,
    moment_of,
    revision_of,
)

_LONGEST_ID = 200
_DEEPEST = 50


class Names(BaseModel):
    """Base of the mappings: a name nobody knows is a mistake, not a remark."""

    model_config = ConfigDict(extra="forbid", str_min_length=1)


class LineNames(Names):
    """How a line's fields are called; None: there is no such field."""

    position: str | None = "position"
    article_number: str | None = "sku"
    ean: str | None = "ean"
    mpn: str | None = "mpn"
    platform_article_id: str | None = "article_id"
    title: str | None = "name"
    quantity: str = "quantity"
    unit_price: str | None = "price"
    total: str | None = "total"
    components: str | None = "components"
    """The articles a set is made of, each a line of its own, with the set's quantity."""


class OrderNames(Names):
    """How an order's fields are called; None: there is no such field."""

    orders: str | None = "orders"
    """Where the list of orders is; None where the document is the list."""
    next_cursor: str | None = "next_cursor"
    external_id: str = "id"
    status: str | None = "status"
    revision: str | None = None
    """A number that rises with each change; without one, `updated_at` tells what is newer."""
    updated_at: str | None = "updated_at"
    ordered_at: str | None = "created_at"
    currency: str | None = "currency"
    total: str | None = "total"
    shipping: str | None = "shipping"
    tax: str | None = "tax"
    customer: str | dict[str, str] | None = "customer"
    """The object, taken as it is; or our names for its fields, each with its path."""
    delivery: str | dict[str, str] | None = "delivery_address"
    lines: str = "lines"
    line: LineNames = Field(default_factory=LineNames)


class XmlNames(OrderNames):
    """The same for XML: paths lead through elements; `orders` is the tag of an order's."""

    orders: str | None = "order"
    lines: str = "lines.line"
    line: LineNames = Field(default_factory=lambda: LineNames(components="components.component"))


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError("must be a time zone, such as Europe/Berlin") from None
    return name


class Reading(Names):
    """What else it takes to read a platform's records."""

    fields: OrderNames = Field(default_factory=OrderNames)
    cancelled: list[str] = ["cancelled", "canceled", "storno", "storniert"]
    """Words in `status` that mean a cancellation, in any case."""
    currency: str = Field("EUR", pattern=r"^[A-Z]{3}$")
    """Where an order names none."""
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """Of times without a zone."""


def read_records(records: Sequence[Any], reading: Reading, next_cursor: str | None = None) -> Page:
    """The orders of a page's records; one that cannot be told apart becomes a problem."""
    orders: list[PulledOrder] = []
    problems = Problems()
    for place, record in enumerate(records, 1):
        try:
            orders.append(_order(record, reading))
        except ValueError as error:
            problems.tell(f"order {place} of {len(records)} {error}")
    return Page(orders, problems, next_cursor, len(records))


def found_at(record: Any, path: str | None) -> Any:
    """What is at the end of a path; None where it leads nowhere."""
    if path is None:
        return None
    for step in path.split("."):
        if not isinstance(record, Mapping):
            return None
        record = record.get(step)
    return record


def external_id_of(value: Any) -> str:
    """An order's id as text. Raises `ValueError` where it is none."""
    text = scalar(value)
    if not text:
        raise ValueError("has no id")
    if len(text) > _LONGEST_ID or not text.isprintable():
        raise ValueError("has an id that is none: too long, or with control characters")
    return text


def scalar(value: Any) -> str | None:
    """A single value as text, numbers to their last digit; None for nothing and for objects."""
    if value is None or isinstance(value, Mapping | list):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).replace("\x00", "\ufffd").strip() or None


def _order(record: Any, reading: Reading) -> PulledOrder:
    if not isinstance(record, Mapping):
        raise ValueError("is no object")
    names = reading.fields
    external_id = external_id_of(found_at(record, names.external_id))
    status = (scalar(found_at(record, names.status)) or "").casefold()
    cancelled = status in {word.casefold() for word in reading.cancelled}
    updated_at = moment_of(found_at(record, names.updated_at), reading.time_zone)
    number = scalar(found_at(record, names.revision))
    if number is not None and number.isdecimal() and len(number) < len(str(FINAL)):
        revision = int(number)
    else:
        revision = revision_of(updated_at)
    if cancelled and not revision:
        revision = FINAL
    ordered_at = moment_of(found_at(record, names.ordered_at), reading.time_zone)
    payload = {
        "ordered_at": ordered_at.isoformat() if ordered_at else None,
        "currency": scalar(found_at(record, names.currency)) or reading.currency,
        "total": scalar(found_at(record, names.total)),
        "shipping": scalar(found_at(record, names.shipping)),
        "tax": scalar(found_at(record, names.tax)),
        "customer": _party(record, names.customer),
        "delivery": _party(record, names.delivery),
        "lines": list(_lines(found_at(record, names.lines), names.line)),
    }
    return PulledOrder(
        external_id, "cancellation" if cancelled else "order", revision, payload, updated_at
    )


def _party(record: Mapping[str, Any], names: str | dict[str, str] | None) -> dict[str, Any]:
    if isinstance(names, dict):
        party = {ours: scalar(found_at(record, theirs)) for ours, theirs in names.items()}
        return {ours: value for ours, value in party.items() if value is not None}
    found = found_at(record, names)
    return storable(found) if isinstance(found, Mapping) else {}


def storable(value: Any, depth: int = 0) -> Any:
    """`value` of what jsonb takes: no NUL, and numbers as text, to their last digit.

    Raises `ValueError` for what is nested deeper than anything an address is made of.
    """
    if depth > _DEEPEST:
        raise ValueError("has an address that is nested too deep")
    if isinstance(value, Mapping):
        return {
            str(key).replace("\x00", "\ufffd"): storable(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [storable(item, depth + 1) for item in value]
    return value if value is None or isinstance(value, bool) else scalar(value)


def _lines(found: Any, names: LineNames) -> Iterator[dict[str, Any]]:
    listed = found if isinstance(found, list) else [found] if isinstance(found, Mapping) else []
    position = 0
    for record in listed:
        position += 1
        line = _line(record, names) | {"position": position, "part_of": None}
        yield line
        parts = found_at(record, names.components)
        for part in parts if isinstance(parts, list) else [parts] if parts else []:
            whole, position = line["position"], position + 1
            yield _line(part, names) | {
                "position": position,
                "part_of": whole,
                "quantity_of_set": line["quantity"],
            }


def _line(record: Any, names: LineNames) -> dict[str, Any]:
    return {
        "article_number": scalar(found_at(record, names.article_number)),
        "ean": scalar(found_at(record, names.ean)),
        "mpn": scalar(found_at(record, names.mpn)),
        "platform_article_id": scalar(found_at(record, names.platform_article_id)),
        "title": scalar(found_at(record, names.title)),
        "quantity": scalar(found_at(record, names.quantity)),
        "unit_price": scalar(found_at(record, names.unit_price)),
        "total": scalar(found_at(record, names.total)),
    }

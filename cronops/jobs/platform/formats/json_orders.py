"""Orders in JSON, of whatever names."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from cronops.errors import BadInput
from cronops.jobs.platform.formats.mapping import Reading, found_at, read_records, scalar
from cronops.jobs.platform.formats.order import Page


def read_json(content: bytes, reading: Reading, source: str) -> Page:
    """The orders of a JSON document. Raises `BadInput` that says what came instead."""
    document = _parsed(content, source)
    names = reading.fields
    records = document if names.orders is None else found_at(document, names.orders)
    if records is None and isinstance(document, list):
        records = document
    if not isinstance(records, list):
        at = f"under {names.orders!r}" if names.orders else "as the whole document"
        raise BadInput(
            f"{source}: there is no list of orders {at}; set fields.orders of the platform's "
            "configuration to where it is"
        )
    cursor = scalar(found_at(document, names.next_cursor))
    return read_records(records, reading, cursor)


def _parsed(content: bytes, source: str) -> Any:
    text = content.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        raise BadInput(f"{source}: nothing came where JSON was expected")
    if text[:1] == b"<":
        raise BadInput(
            f"{source}: HTML or XML came where JSON was expected: a login or error page, perhaps"
        )
    try:
        return json.loads(text, parse_float=_decimal, parse_int=_integer, parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise BadInput(f"{source}: not UTF-8 at byte {error.start:,}") from None
    except json.JSONDecodeError as error:
        raise BadInput(
            f"{source}: not JSON in line {error.lineno}, column {error.colno}: {error.msg}; "
            "cut off on the way, perhaps"
        ) from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{source}: not JSON: {error}") from None


def _decimal(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text  # an exponent beyond all counting


def _integer(text: str) -> int | str:
    # Python refuses very long ones, and nobody counts with them.
    return int(text) if len(text) < 50 else text


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number")

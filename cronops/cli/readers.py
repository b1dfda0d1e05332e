"""Reads the text of an option as the type a job's parameter has.

Typer reads through pydantic, which costs every pod 30 ms to import; nor does typer know
decimals and durations, or insist on a time's zone.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from math import isfinite
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from cronops.durations import parse_duration

Reader = Callable[[str], Any]
"""Raises `ValueError`, in words for whoever typed it."""


def reader_of(kind: Any) -> tuple[Reader, str | None] | None:
    """How text becomes a `kind`, and what help calls that; None where nothing is known of it.

    The name is None where the choices themselves are shown.
    """
    if get_origin(kind) is Literal:
        return _choosing({str(choice): choice for choice in get_args(kind)}), None
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _choosing({str(choice.value): choice for choice in kind}), None
    return _READERS.get(kind)


def instant(text: str) -> datetime:
    """A time with its zone, from ISO 8601."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write 2026-11-23T04:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no zone; write 2026-11-23T04:00:00Z or …+01:00")
    return moment


def _choosing(choices: Mapping[str, Any]) -> Reader:
    def read(text: str) -> Any:
        if text not in choices:
            raise ValueError(f"{text!r} is not one of {', '.join(map(repr, choices))}")
        return choices[text]

    return read


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is no whole number") from None


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None
    if not isfinite(number):
        raise ValueError(f"{text!r} is no finite number")
    return number


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no decimal number") from None
    if not number.is_finite():
        raise ValueError(f"{text!r} is no finite number")
    return number


def day(text: str) -> date:
    """A date from ISO 8601."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date; write 2026-11-23") from None


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time of day; write 04:30") from None


def _truth(text: str) -> bool:
    choices = {"true": True, "false": False}
    if text not in choices:
        raise ValueError(f"{text!r} is neither true nor false")
    return choices[text]


_READERS: Mapping[Any, tuple[Reader, str]] = {
    str: (str, "TEXT"),
    int: (_whole, "INTEGER"),
    float: (_number, "NUMBER"),
    bool: (_truth, "TRUE|FALSE"),
    Decimal: (_decimal, "DECIMAL"),
    Path: (Path, "PATH"),
    datetime: (instant, "TIME"),
    date: (day, "DATE"),
    time: (_time, "TIME-OF-DAY"),
    timedelta: (parse_duration, "DURATION"),
}

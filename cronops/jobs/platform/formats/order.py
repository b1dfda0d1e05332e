"""One order as a platform told it, whatever it was written in."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo

Kind = Literal["order", "cancellation"]

FINAL = 2**62
"""The revision of a cancellation that names none: no order's revision goes beyond it."""

_MOST_PROBLEMS = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM = 10**11


@dataclass(frozen=True)
class PulledOrder:
    """An order, a new revision of one, or its cancellation."""

    external_id: str
    kind: Kind
    revision: int
    """Of two that name the same order the higher one holds; of equal ones, the later to arrive."""
    payload: Mapping[str, Any]
    """What `cronops.jobs.platform.orders.model.Order` reads; JSON values, amounts as text."""
    updated_at: datetime | None = None
    """By the platform's clock."""

    @cached_property
    def sha256(self) -> str:
        """Of kind, revision and payload: the last part of the idempotency key."""
        told = f"{self.kind} {self.revision} {self.text}"
        return hashlib.sha256(told.encode()).hexdigest()

    @cached_property
    def text(self) -> str:
        """The payload as JSON, always the same for the same."""
        text = json.dumps(self.payload, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        # JSON can name half a character, which no database takes.
        return text.encode("utf-8", "replace").decode()


class Problems(list[str]):
    """What is wrong with a page's orders: the first of it, and how much more there is."""

    def __init__(self) -> None:
        super().__init__()
        self._more = 0

    def tell(self, problem: str) -> None:
        """One more; of a page of millions that are none, not all are kept."""
        if len(self) < _MOST_PROBLEMS:
            self.append(problem)
            return
        self._more += 1
        self[_MOST_PROBLEMS:] = [f"{self._more:,} more that cannot be told apart"]


@dataclass(frozen=True)
class Page:
    """What one response or file held."""

    orders: Sequence[PulledOrder]
    problems: Sequence[str] = ()
    """Orders that cannot be told apart, such as one without an id; for people, without names."""
    next_cursor: str | None = None
    """Where the platform says that the next page begins."""
    whole: int = field(default=0)
    """Orders in it, unreadable ones included."""


def revision_of(updated_at: datetime | None) -> int:
    """A revision made of the time of a change: microseconds since 1970; 0 where it is unknown."""
    if updated_at is None:
        return 0
    return int(updated_at.timestamp()) * 1_000_000 + updated_at.microsecond


def moment_of(value: Any, zone: str = "UTC") -> datetime | None:
    """A time in UTC from ISO 8601 or seconds (or milliseconds) since 1970; None for neither.

    A time without a zone is in `zone`. One before 1970 is what a program says that knows none.
    """
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip()
    try:
        if text.isdecimal() and len(text) >= len("1600000000"):
            seconds = int(text)
            seconds = seconds // 1000 if seconds >= _MILLISECONDS_FROM else seconds
            return datetime.fromtimestamp(seconds, UTC)
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=ZoneInfo(zone))
        found = found.astimezone(UTC)
        return found if found >= _EPOCH else None
    except (ValueError, OverflowError, OSError):
        return None

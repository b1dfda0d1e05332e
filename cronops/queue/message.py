"""A message and its states; no I/O.

::

    NEW ──claim──▶ IN_QUEUE ──start──▶ PROCESSING ──settle──▶ PROCESSED
     ▲                │                    │
     └───give back────┴──retry, stale──────┤
                                           └──attempts used, or hopeless──▶ CRASH ──retry──▶ NEW
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """Where a message stands; the names are the legacy queue's and scripts rely on them."""

    NEW = "NEW"
    IN_QUEUE = "IN_QUEUE"
    PROCESSING = "PROCESSING"
    PROCESSED = "PROCESSED"
    CRASH = "CRASH"


UNFINISHED = (Status.NEW, Status.IN_QUEUE, Status.PROCESSING)
CLAIMED = (Status.IN_QUEUE, Status.PROCESSING)


class Direction(StrEnum):
    """Where a message comes from or goes to."""

    INCOMING = "incoming"
    """From platforms and suppliers."""
    OUTGOING = "outgoing"
    """Towards them."""


@dataclass(slots=True)
class Message:
    """A claimed message, as a handler sees it."""

    id: int
    queue: str
    direction: str
    handler: str
    payload: Any
    """The JSON value; an instance of the handler's model where it names one."""
    priority: int
    attempts: int
    """Attempts made before this one."""
    crashes: int
    max_attempts: int | None
    """The message's own limit; None leaves it to the handler, then to the settings."""
    alone: bool
    """A suspect: worked by itself, its start committed first."""
    created_at: datetime
    dedupe_key: str | None
    correlation_id: str | None


@dataclass(kw_only=True, slots=True)
class NewMessage:
    """A message to be enqueued."""

    handler: str
    payload: Any = None
    queue: str = "general"
    direction: str = Direction.INCOMING
    priority: int = 0
    available_at: datetime | None = None
    max_attempts: int | None = None
    dedupe_key: str | None = None
    correlation_id: str | None = None


def payload_of(value: Any) -> Any:
    """`value` as JSON takes it: a pydantic model is dumped, anything else is passed on."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if dump else value


Payload = Mapping[str, Any] | list[Any] | str | int | float | bool | None

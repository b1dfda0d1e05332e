"""What the contract needs from rooms it may not import; the composition root hands it in."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import psycopg


class Enqueue(Protocol):
    """Put one message into the queue, in the connection's transaction."""

    def __call__(
        self, connection: "psycopg.Connection[Any]", handler: str, payload: Any, **fields: Any
    ) -> int | None:
        """The message's id; None where an unfinished one has the same deduplication key."""


class EnqueueMany(Protocol):
    """Put many messages into the queue, in the connection's transaction."""

    def __call__(
        self,
        connection: "psycopg.Connection[Any]",
        handler: str,
        payloads: Iterable[Any],
        **fields: Any,
    ) -> int:
        """How many were put in."""


@dataclass(frozen=True)
class Wiring:
    """Handed from the composition root to each run."""

    enqueue: Enqueue
    enqueue_many: EnqueueMany
    worker_command: Callable[[str], Sequence[str]]
    """From a job's name, the command that starts a replacement worker process for it."""

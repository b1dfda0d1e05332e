"""The messages by which a batch is worked: one a chunk of its rows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cronops.queue.message import NewMessage

HANDLER = "images.update"


def chunk_messages(
    chunks: Iterator[tuple[int, int, int]],
    batch: int,
    sha256: str,
    correlation_id: str | None,
    *,
    retry: int = 0,
) -> "Iterator[NewMessage]":
    """A message for each chunk: its number, its first line and its last."""
    from cronops.queue.message import NewMessage

    suffix = f" retry {retry}" if retry else ""
    for chunk, first, last in chunks:
        yield NewMessage(
            handler=HANDLER,
            payload={"batch": batch, "chunk": chunk, "first": first, "last": last},
            dedupe_key=f"{HANDLER} {sha256} {chunk}{suffix}",
            correlation_id=correlation_id,
        )

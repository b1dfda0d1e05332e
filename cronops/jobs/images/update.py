"""The handler of CR-001: edits the images of one chunk of a batch."""

import time
from datetime import timedelta

from pydantic import BaseModel, Field

from cronops.contract.context import JobContext
from cronops.errors import PermanentError, TransientError
from cronops.jobs.images.messages import HANDLER
from cronops.owners import STOCK_IMPORT, WEBSHOP_ADMIN
from cronops.queue.handler import handler
from cronops.queue.message import Message

_TIMEOUT = timedelta(minutes=5)
_ATTEMPTS = 5
# What is left after so long goes on as a message of its own: others wait, too.
_SPENT = timedelta(minutes=2).total_seconds()


class Chunk(BaseModel):
    """Which rows of which batch: from the first line to the last."""

    batch: int = Field(ge=1)
    chunk: int = Field(ge=1)
    first: int = Field(ge=2)
    last: int = Field(ge=2)


@handler(
    HANDLER,
    timeout=_TIMEOUT,
    max_attempts=_ATTEMPTS,
    settle="each",
    payload=Chunk,
    accountable=(WEBSHOP_ADMIN, STOCK_IMPORT),
    impact="articles keep their old images; see: cronops images batches list",
)
def update(ctx: JobContext, message: Message) -> None:
    """Edit the images that one chunk of a batch asks for.

    Each row is committed by itself, so that an attempt only does what is left to do. A row that
    cannot succeed is marked as failed, with the reason, and holds up no other; where no row of
    the chunk has succeeded, the message goes to CRASH, and its owners are told.
    """
    from cronops.jobs.images import edits
    from cronops.jobs.images.editor import Editor

    chunk: Chunk = message.payload
    # A message that an operator has put back begins anew: what had failed is tried again.
    states = ("waiting", "failed") if message.attempts == 0 else ("waiting",)
    began = time.monotonic()
    with ctx.connect("images") as connection, Editor(ctx, connection) as editor:
        rows = edits.rows_of(connection, chunk.batch, chunk.first, chunk.last, states)
        if not rows and not edits.is_known(connection, chunk.batch):
            raise PermanentError(f"there is no batch {chunk.batch} of images")
        rest: list[edits.Row] = []
        for place, row in enumerate(rows):
            if ctx.stopping or time.monotonic() - began > _SPENT:
                rest = rows[place:]
                break
            editor.work(row)
        undone = editor.undone
        if undone and ctx.attempt >= (message.max_attempts or _ATTEMPTS):
            for row, reason in undone:
                editor.give_up(row, f"given up after {ctx.attempt} attempts: {reason}")
            undone = []
        done, failed, reason = edits.in_chunk(connection, chunk.batch, chunk.first, chunk.last)
    if undone:
        raise TransientError(
            f"{len(undone)} of {len(rows)} images could not be edited yet: {undone[0][1]}"
        )
    if rest:
        first = min(row.line for row in rest)
        ctx.enqueue(
            HANDLER,
            {**chunk.model_dump(), "first": first},
            # Named by this message: one of the same rows must not be taken for it.
            dedupe_key=f"{HANDLER} rest of message {message.id}",
        )
        return
    if rows and failed and not done:
        raise PermanentError(
            f"all {failed} rows of chunk {chunk.chunk} failed, the first ones as: {reason}; see: "
            f"cronops images batches show {chunk.batch}"
        )
    ctx.step("settle", batch=chunk.batch, chunk=chunk.chunk)

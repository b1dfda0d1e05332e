"""The handler that writes, apart from those that do nothing, which need no SQLAlchemy."""

import sqlalchemy

from benchmarks.handlers import MINUTE, first
from cronops import JobContext, Message, handler
from cronops.owners import SHARED_OPS

EFFECT = sqlalchemy.text("INSERT INTO raw_effect (message, note) VALUES (:message, :note)")


@handler("bench.write", timeout=MINUTE, settle="batch", accountable=SHARED_OPS)
def write(ctx: JobContext, message: Message) -> None:
    """Write one row."""
    if not first.seen:
        first.note()
    ctx.db.execute(EFFECT, {"message": message.id, "note": "done"})

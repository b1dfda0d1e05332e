"""The handlers that cronops is measured with; installed for the run by `benchmarks.ours`."""

import os
import time
from datetime import timedelta
from pathlib import Path

import sqlalchemy

from cronops import JobContext, Message, handler
from cronops.owners import SHARED_OPS

FIRST_MESSAGE_FILE = "BENCH_FIRST_MESSAGE"
MINUTE = timedelta(minutes=1)
EFFECT = sqlalchemy.text("INSERT INTO raw_effect (message, note) VALUES (:message, :note)")


@handler("bench.batch", timeout=MINUTE, settle="batch", accountable=SHARED_OPS)
def batch(ctx: JobContext, message: Message) -> None:
    """Do nothing; settled many at once."""


@handler("bench.each", timeout=MINUTE, settle="each", accountable=SHARED_OPS)
def each(ctx: JobContext, message: Message) -> None:
    """Do nothing; settled message by message."""


@handler("bench.write", timeout=MINUTE, settle="batch", accountable=SHARED_OPS)
def write(ctx: JobContext, message: Message) -> None:
    """Write one row."""
    ctx.db.execute(EFFECT, {"message": message.id, "note": "done"})


@handler("bench.first", timeout=MINUTE, settle="each", accountable=SHARED_OPS)
def first(ctx: JobContext, message: Message) -> None:  # noqa: ARG001 - a handler takes both
    """Say when a message first came into a handler's hands."""
    Path(os.environ[FIRST_MESSAGE_FILE]).write_text(str(time.time()), encoding="utf-8")

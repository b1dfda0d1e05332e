"""The handlers that cronops is measured with; installed for the run by `benchmarks.ours`."""

import os
import time
from datetime import timedelta
from pathlib import Path

from cronops import JobContext, Message, handler
from cronops.owners import SHARED_OPS

MINUTE = timedelta(minutes=1)


class FirstMessage:
    """Writes down when this process's first message came into its hands."""

    seen = False

    def note(self) -> None:
        self.seen = True
        directory = Path(os.environ["BENCH_FIRST_MESSAGES"])
        (directory / str(os.getpid())).write_text(str(time.time()), encoding="ascii")


first = FirstMessage()


@handler("bench.batch", timeout=MINUTE, settle="batch", accountable=SHARED_OPS)
def batch(ctx: JobContext, message: Message) -> None:  # noqa: ARG001 - a handler takes both
    """Do nothing; settled many at once."""
    if not first.seen:
        first.note()


@handler("bench.each", timeout=MINUTE, settle="each", accountable=SHARED_OPS)
def each(ctx: JobContext, message: Message) -> None:  # noqa: ARG001 - a handler takes both
    """Do nothing; settled message by message."""
    if not first.seen:
        first.note()

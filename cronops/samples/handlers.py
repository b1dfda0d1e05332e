"""Handlers for `make run` and for trying the queue out by hand."""

import time
from datetime import timedelta

from pydantic import BaseModel, Field

from cronops import JobContext, Message, PermanentError, handler
from cronops.owners import SHARED_OPS


class Nap(BaseModel):
    """How long to sleep."""

    seconds: float = Field(1.0, ge=0, le=60)


@handler("sample.echo", timeout=timedelta(seconds=30), settle="batch", accountable=SHARED_OPS)
def echo(ctx: JobContext, message: Message) -> None:
    """Log the payload at debug level."""
    ctx.log.debug("echo", payload=message.payload)


@handler("sample.sleep", timeout=timedelta(minutes=2), payload=Nap, accountable=SHARED_OPS)
def sleep(ctx: JobContext, message: Message) -> None:  # noqa: ARG001 - a handler takes both
    """Sleep as long as the payload's ``seconds`` say."""
    time.sleep(message.payload.seconds)


@handler("sample.fail", timeout=timedelta(seconds=30), max_attempts=2, accountable=SHARED_OPS)
def fail(ctx: JobContext, message: Message) -> None:  # noqa: ARG001 - a handler takes both
    """Fail always; for good where the payload is ``{"permanent": true}``."""
    if isinstance(message.payload, dict) and message.payload.get("permanent"):
        raise PermanentError("asked to fail for good")
    raise RuntimeError("asked to fail")

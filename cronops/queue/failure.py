"""A failed attempt: try again later, or give up and keep the error."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from cronops.config.model import QueueSettings
from cronops.errors import PermanentError
from cronops.queue.handler import Handler
from cronops.queue.message import Message, Status
from cronops.telemetry import redact

_LONGEST_ERROR = 2000
_JITTER = 0.2

# Of these the message in hand is innocent: another transaction was in the way.
_COLLISIONS = frozenset({"40P01", "40001", "55P03"})

_FAIL = """
UPDATE queue_message
SET status = %(status)s, attempts = attempts + 1, error = %(error)s,
    available_at = CASE WHEN %(status)s = 'NEW'
        THEN clock_timestamp() + %(delay)s ELSE available_at END,
    finished_at = CASE WHEN %(status)s = 'CRASH' THEN clock_timestamp() END,
    claim_token = NULL, claimed_by = NULL, claimed_worker = NULL, claimed_at = NULL,
    started_at = NULL, heartbeat_at = NULL
WHERE id = %(id)s AND claim_token = %(token)s AND status IN ('IN_QUEUE', 'PROCESSING')
"""

OnCrash = Callable[[psycopg.Connection, str, tuple[str, ...], int, str], None]
"""Told, inside the transaction, of a message entering CRASH: the connection, the handler's
name, its accountable owners, the message's id, the error."""


class Hopeless(PermanentError):
    """A message that no attempt can help: no such handler, or a payload that does not fit."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a message after a failed attempt."""

    status: Status
    delay: timedelta
    error: str


def backoff(settings: QueueSettings, failures: int) -> timedelta:
    """The wait after so many failures: doubling from `backoff`, at most `backoff_max`, jittered.

    Jitter only lengthens, by up to a fifth.
    """
    doubled = settings.backoff * 2 ** min(failures - 1, 40) if failures > 0 else timedelta(0)
    wait = min(settings.backoff_max, doubled)
    return wait * (1 + _JITTER * random.random())  # noqa: S311 - spreads load, guards nothing


def judge(
    message: Message, handler: Handler | None, error: BaseException, settings: QueueSettings
) -> Verdict:
    """Whether `message` is tried again after `error`, and when."""
    attempts = message.attempts + 1
    allowed = message.max_attempts or (handler and handler.max_attempts) or settings.max_attempts
    text = error_text(error)
    if isinstance(error, PermanentError) or attempts >= allowed:
        return Verdict(Status.CRASH, timedelta(0), text)
    return Verdict(Status.NEW, backoff(settings, attempts), text)


def record_failure(
    connection: psycopg.Connection, message_id: int, token: int, verdict: Verdict
) -> bool:
    """Write the verdict; False where the message is no longer ours."""
    cursor = connection.execute(
        _FAIL,
        {
            "id": message_id,
            "token": token,
            "status": verdict.status.value,
            "delay": verdict.delay,
            "error": verdict.error,
        },
    )
    return cursor.rowcount == 1


def error_text(error: BaseException) -> str:
    """The error as the message's row keeps it: its type, its text, bounded."""
    if isinstance(error, Hopeless):
        return storable(str(error))
    # A handler's error may quote the URL it called, password and all.
    text = redact(str(error))
    name = type(error).__name__
    return storable(f"{name}: {text}" if text else name)


def storable(text: str) -> str:
    """`text` as PostgreSQL takes it: no NUL, valid UTF-8, at most 2,000 characters."""
    clean = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    return clean if len(clean) <= _LONGEST_ERROR else clean[: _LONGEST_ERROR - 1] + "…"


def is_collision(error: BaseException) -> bool:
    """Whether a deadlock, a serialization failure or a lock timeout is behind `error`."""
    return any(
        isinstance(one, psycopg.Error) and one.sqlstate in _COLLISIONS for one in _chain(error)
    )


def forget_frames(error: BaseException) -> None:
    """Let go of what a failed handler's frames hold: it may be all the memory there is."""
    for one in _chain(error):
        one.__traceback__ = None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        # SQLAlchemy keeps the driver's error in `orig`.
        related = (one.__cause__, one.__context__, getattr(one, "orig", None))
        waiting.extend(found for found in related if isinstance(found, BaseException))

"""What an operator does to the queue. Each act is written to the audit trail in its transaction.

Every function takes a psycopg connection, and an `Act`: who does it, and why.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from cronops.db.audit import write_audit
from cronops.errors import UsageError
from cronops.queue.failure import storable
from cronops.queue.recovery import CLEAR_CLAIM

PRIORITIES = range(-1000, 1001)

OnRetry = Callable[[psycopg.Connection[Any], str], None]
"""Told, inside the transaction, of a handler whose messages left CRASH."""

_PAUSE_QUEUE = """
INSERT INTO queue_pause (queue, paused_by, reason, until)
VALUES (%(queue)s, %(actor)s, %(reason)s, %(until)s)
ON CONFLICT (queue) DO UPDATE
SET paused_at = clock_timestamp(), paused_by = excluded.paused_by, reason = excluded.reason,
    until = excluded.until
"""
_RESUME_QUEUE = "DELETE FROM queue_pause WHERE queue = %(queue)s"

_PAUSE_MESSAGES = """
UPDATE queue_message SET paused = %(paused)s
WHERE id = ANY(%(ids)s) AND status IN ('NEW', 'IN_QUEUE', 'PROCESSING')
RETURNING id
"""
_PRIORITIZE = """
UPDATE queue_message SET priority = %(priority)s
WHERE id = ANY(%(ids)s) AND status IN ('NEW', 'IN_QUEUE', 'PROCESSING')
RETURNING id
"""

_CRASHED = """
SELECT id, handler FROM queue_message
WHERE status = 'CRASH'
    AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s))
    AND (%(queue)s::text IS NULL OR queue = %(queue)s)
    AND (%(handler)s::text IS NULL OR handler = %(handler)s)
ORDER BY id
FOR UPDATE SKIP LOCKED
"""
_RETRY = f"""
UPDATE queue_message
SET status = 'NEW', attempts = 0, crashes = 0, alone = false, paused = false,
    available_at = now(), finished_at = NULL, {CLEAR_CLAIM}
WHERE id = %(id)s AND status = 'CRASH'
"""  # noqa: S608 - made of constants

_RESET = f"""
UPDATE queue_message AS q
SET status = 'NEW', alone = false, {CLEAR_CLAIM}
FROM (
    SELECT id FROM queue_message
    WHERE status IN ('IN_QUEUE', 'PROCESSING')
        AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s))
        AND (%(queue)s::text IS NULL OR queue = %(queue)s)
    ORDER BY id
    FOR UPDATE SKIP LOCKED
) AS held
WHERE q.id = held.id
RETURNING q.id
"""  # noqa: S608 - made of constants

_CANCEL = """
UPDATE queue_message
SET status = 'CRASH', finished_at = clock_timestamp(), error = %(error)s
WHERE id = ANY(%(ids)s) AND status = 'NEW'
RETURNING id
"""

_STATES = """
SELECT id, status FROM queue_message WHERE id = ANY(%(ids)s)
"""


@dataclass(frozen=True)
class Act:
    """Who acts, and why."""

    actor: str
    reason: str | None = None


@dataclass(frozen=True)
class Changed:
    """What an act did, and what it could not do."""

    ids: tuple[int, ...]
    """Messages that were changed."""
    refused: Mapping[int, str] = field(default_factory=dict)
    """Messages that were named and not changed, with the reason."""


def pause_queue(
    connection: psycopg.Connection[Any], queue: str, act: Act, *, until: datetime | None = None
) -> None:
    """Nothing more of `queue` is claimed, until then or until it is resumed."""
    with connection.transaction():
        connection.execute(
            _PAUSE_QUEUE,
            {"queue": queue, "actor": act.actor, "reason": act.reason or "", "until": until},
        )
        _audit(
            connection,
            act,
            "queue pause",
            f"queue {queue}",
            {"until": until.isoformat() if until else None},
        )


def resume_queue(connection: psycopg.Connection[Any], queue: str, act: Act) -> bool:
    """Claim from `queue` again; False where it was not paused."""
    with connection.transaction():
        was_paused = connection.execute(_RESUME_QUEUE, {"queue": queue}).rowcount == 1
        if was_paused:
            _audit(connection, act, "queue resume", f"queue {queue}")
    return was_paused


def pause_messages(connection: psycopg.Connection[Any], ids: Sequence[int], act: Act) -> Changed:
    """Keep messages from being claimed until they are resumed; one in work finishes first."""
    return _change(connection, _PAUSE_MESSAGES, ids, act, "message pause", {"paused": True})


def resume_messages(connection: psycopg.Connection[Any], ids: Sequence[int], act: Act) -> Changed:
    """Let paused messages be claimed again."""
    return _change(connection, _PAUSE_MESSAGES, ids, act, "message resume", {"paused": False})


def prioritize(
    connection: psycopg.Connection[Any], ids: Sequence[int], priority: int, act: Act
) -> Changed:
    """Set a priority: each point is worth a minute of waiting.

    Raises `UsageError` where it is out of range.
    """
    if priority not in PRIORITIES:
        raise UsageError(
            f"a priority is between {PRIORITIES[0]} and {PRIORITIES[-1]}, not {priority}; "
            "each point is worth one minute of waiting"
        )
    return _change(connection, _PRIORITIZE, ids, act, "message prioritize", {"priority": priority})


def retry(
    connection: psycopg.Connection[Any],
    act: Act,
    *,
    ids: Sequence[int] | None = None,
    queue: str | None = None,
    handler: str | None = None,
    on_retry: OnRetry | None = None,
) -> Changed:
    """Put messages from CRASH back to NEW, their attempts forgotten, their error kept to read.

    All that match every selection given. One whose dedupe key an unfinished message has by
    now is left in CRASH and reported. Raises `UsageError` where nothing selects.
    """
    if ids is None and queue is None and handler is None:
        raise UsageError("say which messages to retry: by ids, by queue or by handler")
    changed: list[int] = []
    refused: dict[int, str] = {}
    handlers: set[str] = set()
    with connection.transaction():
        rows = connection.execute(
            _CRASHED,
            {"ids": None if ids is None else list(ids), "queue": queue, "handler": handler},
        ).fetchall()
        for message_id, of_handler in rows:
            try:
                with connection.transaction():
                    connection.execute(_RETRY, {"id": message_id})
            except psycopg.errors.UniqueViolation:
                refused[message_id] = "an unfinished message has the same dedupe key"
            else:
                changed.append(message_id)
                handlers.add(of_handler)
        refused |= _not_found(connection, ids, {*changed, *refused})
        if changed:
            _audit(
                connection,
                act,
                "message retry",
                _subject(changed),
                {"ids": changed, "queue": queue, "handler": handler},
            )
        if on_retry is not None:
            for of_handler in sorted(handlers):
                on_retry(connection, of_handler)
    return Changed(tuple(changed), refused)


def reset(
    connection: psycopg.Connection[Any],
    act: Act,
    *,
    ids: Sequence[int] | None = None,
    queue: str | None = None,
) -> Changed:
    """Take unfinished messages from whoever holds them, back to NEW, uncharged.

    A worker that still has one in a handler cannot commit its database effects any more; what
    it did elsewhere may be done twice. Raises `UsageError` where nothing selects.
    """
    if ids is None and queue is None:
        raise UsageError("say which messages to reset: by ids or by queue")
    with connection.transaction():
        rows = connection.execute(
            _RESET, {"ids": None if ids is None else list(ids), "queue": queue}
        ).fetchall()
        changed = sorted(row[0] for row in rows)
        if changed:
            _audit(
                connection,
                act,
                "message reset",
                f"queue {queue}" if ids is None else _subject(changed),
                {"ids": changed},
            )
        refused = _not_found(connection, ids, set(changed))
    return Changed(tuple(changed), refused)


def cancel(connection: psycopg.Connection[Any], ids: Sequence[int], act: Act) -> Changed:
    """Put NEW messages to CRASH, so that they never run but stay to be seen, or retried."""
    error = storable(f"cancelled by {act.actor}" + (f": {act.reason}" if act.reason else ""))
    return _change(connection, _CANCEL, ids, act, "message cancel", {"error": error})


def _change(
    connection: psycopg.Connection[Any],
    statement: str,
    ids: Sequence[int],
    act: Act,
    action: str,
    values: Mapping[str, Any],
) -> Changed:
    with connection.transaction():
        rows = connection.execute(statement, {"ids": list(ids), **values}).fetchall()
        changed = sorted(row[0] for row in rows)
        if changed:
            _audit(connection, act, action, _subject(changed), {"ids": changed, **values})
        return Changed(tuple(changed), _not_found(connection, ids, set(changed)))


def _not_found(
    connection: psycopg.Connection[Any], ids: Sequence[int] | None, accounted: set[int]
) -> dict[int, str]:
    left = sorted(set(ids or ()) - accounted)
    if not left:
        return {}
    states = dict(connection.execute(_STATES, {"ids": left}).fetchall())
    return {one: f"it is {states[one]}" if one in states else "no such message" for one in left}


def _subject(ids: Sequence[int]) -> str:
    return f"message {ids[0]}" if len(ids) == 1 else f"{len(ids)} messages"


def _audit(
    connection: psycopg.Connection[Any],
    act: Act,
    action: str,
    subject: str,
    details: Mapping[str, Any] | None = None,
) -> None:
    write_audit(
        connection,
        actor=act.actor,
        action=action,
        subject=subject,
        reason=act.reason,
        details=details,
    )

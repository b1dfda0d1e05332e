"""What an operator looks at: a queue's state, lists of messages, one message."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from cronops.queue.message import Status

# One scan of each small partial index, and of the last minutes' pages for the throughput.
# PROCESSED is counted over the whole table: it is the one number that costs.
_STATUS = """
WITH counted AS (
    SELECT queue, status, count(*) AS messages,
        count(*) FILTER (WHERE status = 'NEW' AND available_at > now()) AS delayed,
        count(*) FILTER (WHERE status = 'NEW' AND paused) AS paused_messages,
        min(available_at) FILTER (
            WHERE status = 'NEW' AND NOT paused AND available_at <= now()) AS oldest
    FROM queue_message
    WHERE %(queue)s::text IS NULL OR queue = %(queue)s
    GROUP BY queue, status
), finished AS (
    SELECT queue,
        count(*) FILTER (WHERE finished_at > now() - interval '1 minute') AS last_1,
        count(*) FILTER (WHERE finished_at > now() - interval '5 minutes') AS last_5,
        count(*) AS last_15
    FROM queue_message
    WHERE status = 'PROCESSED' AND finished_at > now() - interval '15 minutes'
        AND (%(queue)s::text IS NULL OR queue = %(queue)s)
    GROUP BY queue
), pause AS (
    SELECT * FROM queue_pause WHERE until IS NULL OR until > now()
), names AS (
    SELECT queue FROM counted UNION SELECT queue FROM pause
    WHERE %(queue)s::text IS NULL OR queue = %(queue)s
    UNION SELECT %(queue)s WHERE %(queue)s::text IS NOT NULL
)
SELECT names.queue,
    (SELECT coalesce(jsonb_object_agg(status, messages), '{}')
        FROM counted WHERE counted.queue = names.queue),
    (SELECT coalesce(sum(delayed), 0)::bigint FROM counted WHERE counted.queue = names.queue),
    (SELECT coalesce(sum(paused_messages), 0)::bigint
        FROM counted WHERE counted.queue = names.queue),
    (SELECT extract(epoch FROM now() - min(oldest))::float8
        FROM counted WHERE counted.queue = names.queue),
    coalesce(finished.last_1, 0), coalesce(finished.last_5, 0), coalesce(finished.last_15, 0),
    pause.paused_by, pause.reason, pause.until
FROM names LEFT JOIN finished USING (queue) LEFT JOIN pause USING (queue)
ORDER BY names.queue
"""

_LIST = """
SELECT id, queue, direction, handler, priority, status, attempts, crashes, max_attempts, paused,
    alone, created_at, available_at, started_at, finished_at, error, dedupe_key, correlation_id
FROM queue_message
WHERE (%(queue)s::text IS NULL OR queue = %(queue)s)
    AND (%(status)s::text IS NULL OR status = %(status)s)
    AND (%(handler)s::text IS NULL OR handler = %(handler)s)
    AND (%(direction)s::text IS NULL OR direction = %(direction)s)
ORDER BY {order}
LIMIT %(limit)s
"""
_SHOW = """
SELECT m.*, lease.run_id AS claimed_by_run, lease.holder AS claimed_by_holder
FROM queue_message AS m LEFT JOIN lease ON lease.token = m.claimed_by
WHERE m.id = %(id)s
"""


@dataclass(frozen=True)
class QueueState:
    """One queue, as ``queue status`` shows it."""

    queue: str
    counts: dict[str, int]
    """Messages per status; every status is there."""
    delayed: int
    """NEW ones whose time has not come."""
    paused_messages: int
    oldest_new_seconds: float | None
    """How long the longest-waiting due NEW message has been due; None where none is."""
    per_minute_1: float
    """PROCESSED per minute, over the last minute."""
    per_minute_5: float
    per_minute_15: float
    paused: bool
    paused_by: str | None
    pause_reason: str | None
    paused_until: datetime | None


def status(connection: psycopg.Connection[Any], queue: str | None = None) -> list[QueueState]:
    """The state of one queue, or of every queue that has messages or is paused."""
    return [
        QueueState(
            queue=row[0],
            counts={one.value: int(row[1].get(one.value, 0)) for one in Status},
            delayed=row[2],
            paused_messages=row[3],
            oldest_new_seconds=row[4],
            per_minute_1=float(row[5]),
            per_minute_5=round(row[6] / 5, 2),
            per_minute_15=round(row[7] / 15, 2),
            paused=row[8] is not None,
            paused_by=row[8],
            pause_reason=row[9],
            paused_until=row[10],
        )
        for row in connection.execute(_STATUS, {"queue": queue}).fetchall()
    ]


def list_messages(
    connection: psycopg.Connection[Any],
    *,
    queue: str | None = None,
    status: str | None = None,
    handler: str | None = None,
    direction: str | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """Messages without their payload: NEW in claiming order, others newest first."""
    order = "rank, id" if status == Status.NEW else "id DESC"
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            _LIST.format(order=order),
            {
                "queue": queue,
                "status": status,
                "handler": handler,
                "direction": direction,
                "limit": limit,
            },
        ).fetchall()


def show_message(connection: psycopg.Connection[Any], message_id: int) -> dict[str, Any] | None:
    """All of one message, with the run that holds it; None where there is none."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_SHOW, {"id": message_id}).fetchone()

"""Messages whose worker is gone go back to NEW; those that keep killing it, to CRASH."""

from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from cronops.config.model import QueueSettings
from cronops.queue.failure import OnCrash

_AT_ONCE = 1000

CLEAR_CLAIM = """
    claim_token = NULL, claimed_by = NULL, claimed_worker = NULL, claimed_at = NULL,
    started_at = NULL, heartbeat_at = NULL"""

# What waited in IN_QUEUE is innocent. What was in PROCESSING when its worker died is a suspect
# and is worked alone; only a suspect that was alone when it died again is charged.
_RESTART = f"""
WITH judged AS MATERIALIZED (
    SELECT m.id, m.status = 'PROCESSING' AS in_hand,
        m.status = 'PROCESSING' AND alone AND abandoned AS charged,
        m.status = 'PROCESSING' AND alone AND abandoned
            AND crashes + 1 >= %(max_crashes)s AS given_up
    FROM queue_message AS m
    CROSS JOIN LATERAL (SELECT
        (m.claimed_by IS NOT NULL AND NOT EXISTS (
            SELECT FROM lease
            WHERE token = m.claimed_by AND expires_at > clock_timestamp()))
        OR coalesce(m.heartbeat_at, m.claimed_at, m.started_at, m.created_at)
            < clock_timestamp() - %(stale_after)s::interval AS abandoned) AS claim
    WHERE m.queue = %(queue)s AND m.status IN ('IN_QUEUE', 'PROCESSING')
        AND (abandoned OR (%(force)s AND m.claimed_by IS DISTINCT FROM %(own)s))
    ORDER BY m.id
    LIMIT {_AT_ONCE}
    FOR UPDATE OF m SKIP LOCKED
)
UPDATE queue_message AS q
SET status = CASE WHEN given_up THEN 'CRASH' ELSE 'NEW' END,
    crashes = q.crashes + charged::int,
    alone = q.alone OR in_hand,
    available_at = CASE WHEN charged AND NOT given_up THEN clock_timestamp() + least(
        %(backoff_max)s::interval, %(backoff)s::interval * 2 ^ least(q.crashes, 40))
        ELSE q.available_at END,
    finished_at = CASE WHEN given_up THEN clock_timestamp() END,
    error = CASE WHEN charged THEN format(
        'its worker died or fell silent while this message was worked alone (%%s of %%s times)',
        q.crashes + 1, %(max_crashes)s) ELSE q.error END,
    {CLEAR_CLAIM}
FROM judged
WHERE q.id = judged.id
RETURNING q.id, q.handler, q.status, q.error
"""  # noqa: S608 - made of constants

_RELEASE = f"""
UPDATE queue_message AS q
SET status = 'NEW', alone = q.alone OR (%(suspect)s AND mine.status = 'PROCESSING'), {CLEAR_CLAIM}
FROM (
    SELECT id, status FROM queue_message
    WHERE queue = %(queue)s AND status IN ('IN_QUEUE', 'PROCESSING')
        AND claimed_by = %(token)s AND claimed_worker = %(worker)s
        AND NOT id = ANY(%(keep)s)
    ORDER BY id
    FOR UPDATE SKIP LOCKED
) AS mine
WHERE q.id = mine.id
"""  # noqa: S608 - made of constants


@dataclass(frozen=True)
class Restarted:
    """What a recovery did."""

    restarted: int
    """Messages back in NEW."""
    crashed: int
    """Messages given up."""


def restart_abandoned(
    connection: psycopg.Connection,
    *,
    queue: str,
    settings: QueueSettings,
    owners_of: Callable[[str], tuple[str, ...]],
    on_crash: OnCrash,
    own_token: int | None = None,
    force: bool = False,
) -> Restarted:
    """Put unfinished messages back whose lease is gone or whose heartbeat is too old.

    With `force` all unfinished ones but those claimed under `own_token`. The database's
    clock decides. Rows that somebody is writing at this moment are left alone.
    """
    restarted = crashed = 0
    while True:
        with connection.transaction():
            rows = connection.execute(
                _RESTART,
                {
                    "queue": queue,
                    "stale_after": settings.stale_after,
                    "max_crashes": settings.max_crashes,
                    "backoff": settings.backoff,
                    "backoff_max": settings.backoff_max,
                    "force": force,
                    "own": own_token,
                },
            ).fetchall()
            for message_id, handler, status, error in rows:
                if status == "CRASH":
                    crashed += 1
                    on_crash(connection, handler, owners_of(handler), message_id, error)
                else:
                    restarted += 1
        if len(rows) < _AT_ONCE:
            return Restarted(restarted, crashed)


def release(
    connection: psycopg.Connection,
    *,
    queue: str,
    token: int,
    worker: int,
    keep: list[int] | None = None,
    suspect: bool = False,
) -> int:
    """Give back, uncharged, what this worker of the run has claimed, except the ids in `keep`.

    Where one of those it had started is `suspect`, they are worked alone from now on.
    """
    return connection.execute(
        _RELEASE,
        {
            "queue": queue,
            "token": token,
            "worker": worker,
            "keep": keep or [],
            "suspect": suspect,
        },
    ).rowcount

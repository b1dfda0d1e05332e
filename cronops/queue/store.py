"""The queue's hot path: claim, start and settle, fused into one statement and one commit.

Every status write is fenced twice: by the claim's token, so that a message that was taken
away is not touched, and by the run's leases, so that a run that lost its lock changes nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg

from cronops.queue.message import Message

# A takeover deletes the lease row. KEY SHARE conflicts with that delete, not with the
# heartbeat's update: it fences without ever holding the heartbeat up.
_FENCE = """
fence AS MATERIALIZED (
    SELECT token FROM lease WHERE token = ANY(%(tokens)s) FOR KEY SHARE
), held AS MATERIALIZED (
    SELECT count(*) = cardinality(%(tokens)s::bigint[]) AS ok FROM fence
)"""

# The empty text keeps the planner off the index of unfinished messages: that holds few rows,
# so it looks cheap, but every message of the last minutes has left a dead entry in it.
_SETTLE = """, settled AS (
    UPDATE queue_message AS q
    SET status = 'PROCESSED', attempts = attempts + 1, error = NULL,
        finished_at = clock_timestamp()
    FROM unnest(%(settle_ids)s::bigint[], %(settle_tokens)s::bigint[]) AS u(id, token)
    WHERE q.id = u.id AND q.claim_token = u.token AND q.status || '' = 'PROCESSING'
        AND (SELECT ok FROM held)
    RETURNING 1
)"""

_START = """, started AS (
    UPDATE queue_message AS q
    SET status = 'PROCESSING', started_at = clock_timestamp()
    FROM unnest(%(start_ids)s::bigint[], %(start_tokens)s::bigint[]) AS u(id, token)
    WHERE q.id = u.id AND q.claim_token = u.token AND q.status || '' = 'IN_QUEUE'
        AND (SELECT ok FROM held)
    RETURNING 1
)"""

# Rank is time less priority: a message of negative priority is due up to that many minutes
# before its rank. So the walk ends there, and a million delayed messages are never looked at.
_CLAIM = """, picked AS MATERIALIZED (
    SELECT id FROM queue_message
    WHERE queue = %(queue)s AND status = 'NEW' AND NOT paused {direction}
        AND available_at <= statement_timestamp()
        AND rank <= (statement_timestamp() AT TIME ZONE 'UTC') + interval '1 minute' * coalesce((
            SELECT -min(priority) FROM queue_message
            WHERE queue = %(queue)s AND status = 'NEW' AND NOT paused AND priority < 0), 0)
        AND NOT EXISTS (
            SELECT FROM queue_pause
            WHERE queue = %(queue)s AND (until IS NULL OR until > statement_timestamp()))
        AND (SELECT ok FROM held)
    ORDER BY rank, id
    LIMIT {limit}
    FOR UPDATE SKIP LOCKED
), claim AS MATERIALIZED (
    SELECT nextval('queue_claim_token') AS token WHERE EXISTS (SELECT FROM picked)
), claimed AS (
    UPDATE queue_message AS q
    SET status = CASE WHEN {starts_at_once} THEN 'PROCESSING' ELSE 'IN_QUEUE' END,
        started_at = CASE WHEN {starts_at_once} THEN clock_timestamp() END,
        claim_token = (SELECT token FROM claim),
        claimed_by = %(claimed_by)s, claimed_worker = %(worker)s,
        claimed_at = clock_timestamp(), heartbeat_at = clock_timestamp()
    -- As an array, so that the primary key is used whatever the planner thinks of the table.
    WHERE q.id = ANY(ARRAY(SELECT id FROM picked))
    RETURNING q.claim_token, q.status, q.rank, {columns}
)"""

# What settles in batches is started by the claim itself: both are committed together, so
# nobody could see the state between, and each message is written twice rather than thrice.
_STARTS_AT_ONCE = "q.handler = ANY(%(batch_handlers)s) AND NOT q.alone"

_MESSAGE_COLUMNS = """
    q.id, q.queue, q.direction, q.handler, q.payload, q.priority, q.attempts, q.crashes,
    q.max_attempts, q.alone, q.created_at, q.dedupe_key, q.correlation_id"""

_RELOAD = f"""
SELECT q.claim_token, q.status, {_MESSAGE_COLUMNS}
FROM unnest(%(ids)s::bigint[], %(tokens)s::bigint[]) WITH ORDINALITY AS u(id, token, place)
JOIN queue_message AS q ON q.id = u.id AND q.claim_token = u.token
WHERE q.status IN ('IN_QUEUE', 'PROCESSING', 'PROCESSED')
ORDER BY u.place
"""  # noqa: S608 - made of constants

_COUNT_DUE = """
SELECT count(*) FROM queue_message
WHERE queue = %(queue)s AND status = 'NEW' AND NOT paused
    AND available_at <= statement_timestamp()
    AND (%(direction)s::text IS NULL OR direction = %(direction)s)
"""


@dataclass(slots=True, eq=False)
class Claimed:
    """A message in this worker's hands, with the claim that makes it so."""

    message: Message
    token: int
    started: bool


@dataclass(slots=True, frozen=True)
class Step:
    """What one fused statement did."""

    held: bool
    """Whether the leases were still held; if not, nothing was done."""
    settled: int
    started: int
    claimed: list[Claimed]


class Store:
    """The hot statements, on one connection, for one worker of one run."""

    def __init__(
        self,
        connection: psycopg.Connection,
        *,
        queue: str,
        direction: str | None,
        tokens: Sequence[int],
        worker: int,
    ) -> None:
        self._cursor = connection.cursor(binary=True)
        self._direction = direction
        self._claim_values: dict[str, Any] = {
            "queue": queue,
            "direction": direction,
            "claimed_by": tokens[0],
            "worker": worker,
        }
        self._tokens = list(tokens)

    def step(
        self,
        *,
        settle: Collection[Claimed] = (),
        start: Collection[Claimed] = (),
        claim: int = 0,
        batch_handlers: Sequence[str] = (),
    ) -> Step:
        """Settle some messages, start others and claim up to `claim` more, at once.

        `batch_handlers` name the handlers whose messages are started by the claim itself.
        The caller compares the numbers: a message that was taken away is missing from them.
        """
        values: dict[str, Any] = {"tokens": self._tokens}
        if settle:
            values["settle_ids"] = [item.message.id for item in settle]
            values["settle_tokens"] = [item.token for item in settle]
        if start:
            values["start_ids"] = [item.message.id for item in start]
            values["start_tokens"] = [item.token for item in start]
        if claim:
            values |= self._claim_values
            values["batch_handlers"] = list(batch_handlers)
        statement = _statement(bool(settle), bool(start), claim, self._direction is not None)
        rows = self._cursor.execute(statement, values, prepare=True).fetchall()
        held, settled, started = rows[0][:3]
        claimed = [
            Claimed(Message(*row[6:]), row[3], row[4] == "PROCESSING")
            for row in rows
            if row[3] is not None
        ]
        return Step(held, settled, started, claimed)

    def reload(self, items: Collection[Claimed]) -> tuple[list[Claimed], list[Claimed]]:
        """Of `items`: those still ours, read afresh, and those settled already."""
        rows = self._cursor.execute(
            _RELOAD,
            {
                "ids": [item.message.id for item in items],
                "tokens": [item.token for item in items],
            },
        ).fetchall()
        ours: list[Claimed] = []
        settled: list[Claimed] = []
        for row in rows:
            kept = settled if row[1] == "PROCESSED" else ours
            kept.append(Claimed(Message(*row[2:]), row[0], row[1] == "PROCESSING"))
        return ours, settled

    def count_due(self) -> int:
        """How many messages could be claimed now."""
        row = self._cursor.execute(_COUNT_DUE, self._claim_values).fetchone()
        return int(row[0]) if row else 0


@lru_cache(maxsize=64)
def _statement(settle: bool, start: bool, claim: int, by_direction: bool) -> str:
    # The limit is written into the text: with a parameter PostgreSQL would plan for a tenth
    # of the table, and plan anew each time.
    parts = ["WITH", _FENCE]
    if settle:
        parts.append(_SETTLE)
    if start:
        parts.append(_START)
    if claim:
        parts.append(
            _CLAIM.format(
                limit=claim,
                direction="AND direction = %(direction)s" if by_direction else "",
                starts_at_once=_STARTS_AT_ONCE,
                columns=_MESSAGE_COLUMNS,
            )
        )
    settled = "(SELECT count(*) FROM settled)" if settle else "0"
    started = "(SELECT count(*) FROM started)" if start else "0"
    columns, source = ("claimed.*", " LEFT JOIN claimed ON true") if claim else ("NULL", "")
    order = " ORDER BY claimed.rank, claimed.id" if claim else ""
    parts += [
        f"SELECT (SELECT ok FROM held), {settled}, {started}, {columns}",  # noqa: S608 - constants
        f"FROM (SELECT) AS once{source}{order}",
    ]
    return "\n".join(parts)

"""The queue's hot path: claim, start and settle, fused into one statement and one commit.

Every status write is fenced twice: by the claim's token, so that a message that was taken
away is not touched, and by the run's leases, so that a run that lost its lock changes nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg

from cronops.queue.message import Message

# PostgreSQL goes over to a plan made once only where one for the very values at hand looks no
# cheaper. So whatever decides how cheap it looks is written into the text: how many leases
# there are, whether it is one message or many, how many are claimed.

# A takeover deletes the lease row. KEY SHARE conflicts with that delete, not with the
# heartbeat's update: it fences without ever holding the heartbeat up.
_FENCE = """
fence AS MATERIALIZED (
    SELECT token FROM lease WHERE token IN ({tokens}) FOR KEY SHARE
), held AS MATERIALIZED (
    SELECT count(*) = {leases} AS ok FROM fence
)"""

# The empty text keeps the planner off the index of unfinished messages: that holds few rows,
# so it looks cheap, but every message of the last minutes has left a dead entry in it.
_SETTLE = """, settled AS (
    UPDATE queue_message AS q
    SET status = 'PROCESSED', attempts = attempts + 1, error = NULL,
        finished_at = clock_timestamp()
    {which} AND q.status || '' = 'PROCESSING'
        AND (SELECT ok FROM held)
    RETURNING 1
)"""

_START = """, started AS (
    UPDATE queue_message AS q
    SET status = 'PROCESSING', started_at = clock_timestamp()
    {which} AND q.status || '' = 'IN_QUEUE'
        AND (SELECT ok FROM held)
    RETURNING 1
)"""

_ONE = "WHERE q.id = %({verb}_id)s AND q.claim_token = %({verb}_token)s"
_MANY = """FROM unnest(%({verb}_ids)s::bigint[], %({verb}_tokens)s::bigint[]) AS u(id, token)
    WHERE q.id = u.id AND q.claim_token = u.token"""

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


class Shape(NamedTuple):
    """What a step's statement is made of; each is a statement of its own to prepare."""

    leases: int
    settle: str | None
    """Which rows are settled: one, many, or None."""
    start: str | None
    claim: int
    """How many are claimed at most."""
    by_direction: bool


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
        self._tokens = {f"token_{place}": token for place, token in enumerate(tokens)}

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
        values: dict[str, Any] = dict(self._tokens)
        shape = Shape(
            leases=len(self._tokens),
            settle=_put(values, "settle", settle),
            start=_put(values, "start", start),
            claim=claim,
            by_direction=self._direction is not None,
        )
        if claim:
            values |= self._claim_values
            values["batch_handlers"] = list(batch_handlers)
        statement = statement_of(shape)
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


def _put(values: dict[str, Any], verb: str, items: Collection[Claimed]) -> str | None:
    """Put the items' ids and tokens into `values`; which rows the verb is about."""
    if not items:
        return None
    if len(items) == 1:
        (item,) = items
        values[f"{verb}_id"], values[f"{verb}_token"] = item.message.id, item.token
        return _ONE
    values[f"{verb}_ids"] = [item.message.id for item in items]
    values[f"{verb}_tokens"] = [item.token for item in items]
    return _MANY


@lru_cache(maxsize=64)
def statement_of(shape: Shape) -> str:
    """The text of a step of that shape."""
    tokens = ", ".join(f"%(token_{place})s" for place in range(shape.leases))
    parts = ["WITH", _FENCE.format(tokens=tokens, leases=shape.leases)]
    if shape.settle:
        parts.append(_SETTLE.format(which=shape.settle.format(verb="settle")))
    if shape.start:
        parts.append(_START.format(which=shape.start.format(verb="start")))
    if shape.claim:
        parts.append(
            _CLAIM.format(
                limit=shape.claim,
                direction="AND direction = %(direction)s" if shape.by_direction else "",
                starts_at_once=_STARTS_AT_ONCE,
                columns=_MESSAGE_COLUMNS,
            )
        )
    settled = "(SELECT count(*) FROM settled)" if shape.settle else "0"
    started = "(SELECT count(*) FROM started)" if shape.start else "0"
    columns, source = ("claimed.*", " LEFT JOIN claimed ON true") if shape.claim else ("NULL", "")
    order = " ORDER BY claimed.rank, claimed.id" if shape.claim else ""
    parts += [
        f"SELECT (SELECT ok FROM held), {settled}, {started}, {columns}",  # noqa: S608 - constants
        f"FROM (SELECT) AS once{source}{order}",
    ]
    return "\n".join(parts)

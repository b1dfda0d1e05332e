"""What is kept of a pull: raw answers, acknowledgements, cursors; orders by `taking`.

The caller opens the transactions, and fences them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from cronops.jobs.platform.taking import EnqueueMany, Taken, take

if TYPE_CHECKING:
    import psycopg

    from cronops.contract.context import JobContext
    from cronops.jobs.platform.formats.order import Page
    from cronops.jobs.platform.platforms import Platform

_LONGEST_PROBLEM = 2_000

_ASK = """
INSERT INTO platform_fetch (platform_id, source, state, run_id)
VALUES (%(platform)s, %(source)s, 'asked', %(run_id)s)
RETURNING id
"""
_UNASK = "DELETE FROM platform_fetch WHERE id = %(id)s AND state = 'asked'"
_KEEP = """
INSERT INTO platform_fetch (platform_id, source, state, content, sha256, run_id)
VALUES (%(platform)s, %(source)s, 'raw', %(content)s, %(sha256)s, %(run_id)s)
RETURNING id
"""
_KEEP_ASKED = """
UPDATE platform_fetch SET state = 'raw', content = %(content)s, sha256 = %(sha256)s,
    fetched_at = clock_timestamp()
WHERE id = %(id)s AND state IN ('asked', 'lost')
RETURNING id
"""
_LOSE = """
UPDATE platform_fetch SET state = 'lost', closed_at = clock_timestamp(), problem = %(problem)s
WHERE platform_id = %(platform)s AND state = 'asked'
RETURNING id
"""
# A platform that is down all night is one trouble, not a hundred.
_FORGET_LOST_BEFORE = """
DELETE FROM platform_fetch AS earlier
WHERE platform_id = %(platform)s AND state = 'lost' AND problem = %(problem)s AND id < %(id)s
    AND fetched_at > clock_timestamp() - interval '1 day'
    AND NOT EXISTS (
        SELECT FROM platform_fetch AS between_them
        WHERE between_them.platform_id = earlier.platform_id AND between_them.state <> 'lost'
            AND between_them.id > earlier.id AND between_them.id < %(id)s
    )
RETURNING id
"""
_UNREAD = """
SELECT id, source, content FROM platform_fetch
WHERE platform_id = %(platform)s AND state = 'raw' ORDER BY id
"""
_KNOWN = """
SELECT id, state FROM platform_fetch
WHERE platform_id = %(platform)s AND source = %(source)s AND sha256 = %(sha256)s
    AND state IN ('taken', 'refused')
ORDER BY id DESC LIMIT 1
"""
_UNMOVED = """
SELECT id, source, sha256 FROM platform_fetch
WHERE platform_id = %(platform)s AND state = 'taken' AND closed_at IS NULL
"""
_FORGET = "DELETE FROM platform_fetch WHERE id = %(id)s"
# What a broken platform answers every five minutes is kept once.
_FORGET_REFUSED_BEFORE = """
DELETE FROM platform_fetch AS earlier USING platform_fetch AS now
WHERE now.id = %(id)s AND earlier.platform_id = now.platform_id AND earlier.id < now.id
    AND earlier.source = now.source AND earlier.sha256 = now.sha256 AND earlier.state = 'refused'
"""
_REFUSE = """
UPDATE platform_fetch SET state = 'refused', problem = %(problem)s WHERE id = %(id)s
"""
_CLOSE = """
UPDATE platform_fetch SET closed_at = clock_timestamp() WHERE id = %(id)s AND closed_at IS NULL
"""
_MOVE_CURSOR = "UPDATE platform SET cursor = %(cursor)s WHERE id = %(platform)s"
_MOVE_CURSOR_ON = """
UPDATE platform SET cursor = %(cursor)s WHERE id = %(platform)s AND cursor = %(was)s RETURNING id
"""
_UNACKNOWLEDGED = """
SELECT id, external_id FROM platform_order
WHERE platform_id = %(platform)s AND acknowledge AND acknowledged_at IS NULL
    AND given_up_at IS NULL AND id <> ALL(%(but_not)s)
ORDER BY id LIMIT %(limit)s
"""
_REFUSED = """
UPDATE platform_order SET refusals = refusals + 1, refusal = given.reason,
    given_up_at = CASE WHEN refusals + 1 >= %(tries)s THEN clock_timestamp() END
FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS given (id, reason)
WHERE platform_order.id = given.id
RETURNING platform_order.id, given_up_at IS NOT NULL
"""
_GIVE_UP_LATE = """
UPDATE platform_order SET given_up_at = clock_timestamp()
WHERE platform_id = %(platform)s AND acknowledge AND acknowledged_at IS NULL
    AND given_up_at IS NULL AND acknowledge_since < clock_timestamp() - interval '7 days'
RETURNING id
"""
_ACKNOWLEDGED = """
UPDATE platform_order SET acknowledged_at = clock_timestamp() WHERE id = ANY(%(ids)s)
"""
_PULLED = """
UPDATE platform SET pulled_at = CASE WHEN %(problem)s::text IS NULL
        THEN clock_timestamp() ELSE pulled_at END, problem = %(problem)s
WHERE id = %(platform)s
"""


def hash_of(content: bytes) -> str:
    """The SHA-256 of a raw answer, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


class Fenced:
    """Transactions of a run on a connection of its own, each fenced: ``with fenced(): …``."""

    def __init__(self, connection: "psycopg.Connection[Any]", ctx: "JobContext") -> None:
        self._connection = connection
        self._ctx = ctx

    def __call__(self) -> AbstractContextManager[None]:
        """One transaction."""
        return self._ctx.fenced(self._connection)


class Store:
    """What is kept of one platform's pull."""

    def __init__(
        self, connection: "psycopg.Connection[Any]", platform: "Platform", run_id: str
    ) -> None:
        self._connection = connection
        self._platform = platform
        self._run_id = run_id

    def ask(self, source: str) -> int:
        """Note that we are about to ask what is answered once only."""
        return self._id(_ASK, source=source)

    def unask(self, fetch: int) -> None:
        """It was not asked, or surely not answered."""
        self._connection.execute(_UNASK, {"id": fetch})

    def keep(self, source: str, content: bytes, *, asked: int | None = None) -> int:
        """Keep an answer as it came."""
        values = {"source": source, "content": content, "sha256": hash_of(content), "id": asked}
        return self._id(_KEEP if asked is None else _KEEP_ASKED, **values)

    def lose(self, problem: str) -> list[int]:
        """Mark what was asked, and never answered for all that is known."""
        problem = _told(problem)
        lost = [row[0] for row in self._rows(_LOSE, problem=problem)]
        for fetch in lost:
            self._rows(_FORGET_LOST_BEFORE, problem=problem, id=fetch)
        return lost

    def unread(self) -> list[tuple[int, str, bytes]]:
        """Answers that were kept, but not read yet: the id, the source, the content."""
        return [(row[0], row[1], bytes(row[2])) for row in self._rows(_UNREAD)]

    def known(self, source: str, content: bytes) -> tuple[int, str] | None:
        """Whether the very same was read before: its id, and ``taken`` or ``refused``."""
        rows = self._rows(_KNOWN, source=source, sha256=hash_of(content))
        return (rows[0][0], rows[0][1]) if rows else None

    def unmoved(self) -> list[tuple[int, str, str]]:
        """Files that are stored, but not known to be moved: the id, the name, the hash."""
        return [(row[0], row[1], row[2]) for row in self._rows(_UNMOVED)]

    def take(
        self,
        fetch: int,
        page: "Page",
        enqueue: EnqueueMany,
        *,
        correlation_id: str,
        acknowledge: bool,
        stays_open: bool,
    ) -> Taken:
        """Store a page's orders, with a message for each that is new."""
        return take(
            self._connection,
            self._platform,
            fetch,
            page,
            enqueue,
            correlation_id=correlation_id,
            acknowledge=acknowledge,
            stays_open=stays_open,
        )

    def forget(self, fetch: int) -> None:
        """Drop an answer that held nothing."""
        self._connection.execute(_FORGET, {"id": fetch})

    def refuse(self, fetch: int, problem: str) -> None:
        """Keep an answer that cannot be read, with the reason."""
        self._connection.execute(_FORGET_REFUSED_BEFORE, {"id": fetch})
        self._connection.execute(_REFUSE, {"id": fetch, "problem": _told(problem)})

    def close(self, fetch: int) -> None:
        """Note that a file was moved away."""
        self._connection.execute(_CLOSE, {"id": fetch})

    def move_cursor(self, cursor: Mapping[str, Any], *, was: Mapping[str, Any]) -> bool:
        """Note how far everything is read; False where an operator moved it meanwhile."""
        from psycopg.types.json import Jsonb

        values = {"cursor": Jsonb(dict(cursor)), "was": Jsonb(dict(was))}
        return bool(self._rows(_MOVE_CURSOR_ON, **values))

    def unacknowledged(self, limit: int, *, but_not: Sequence[int]) -> list[tuple[int, str]]:
        """Orders that are stored, but not known to be acknowledged: our id, and the platform's."""
        rows = self._rows(_UNACKNOWLEDGED, limit=limit, but_not=list(but_not))
        return [(row[0], row[1]) for row in rows]

    def acknowledged(self, ids: Sequence[int]) -> None:
        """Note what the platform knows we have."""
        self._connection.execute(_ACKNOWLEDGED, {"ids": list(ids)})

    def refused(self, reasons: Mapping[int, str], tries: int) -> list[int]:
        """Note whose acknowledgement was refused; those of them that are given up by that."""
        told = [_told(reason) for reason in reasons.values()]
        rows = self._rows(_REFUSED, ids=list(reasons), reasons=told, tries=tries)
        return [order for order, is_given_up in rows if is_given_up]

    def give_up_late(self) -> int:
        """Give up what could not be acknowledged for a week; how many."""
        return len(self._rows(_GIVE_UP_LATE))

    def pulled(self, problem: str | None) -> None:
        """Note how the pull ended."""
        told = _told(problem) if problem else None
        self._connection.execute(_PULLED, {"platform": self._platform.id, "problem": told})

    def _rows(self, statement: str, **values: Any) -> list[Any]:
        given = {"platform": self._platform.id, "run_id": self._run_id, **values}
        return self._connection.execute(statement, given).fetchall()

    def _id(self, statement: str, **values: Any) -> int:
        (row,) = self._rows(statement, **values)
        return int(row[0])


def _told(problem: str) -> str:
    """A reason as operators see it: a platform may repeat our token in its error."""
    from cronops.telemetry import redact

    return redact(problem)[:_LONGEST_PROBLEM]


def move_cursor(
    connection: "psycopg.Connection[Any]", platform: int, cursor: Mapping[str, Any]
) -> None:
    """Say how far a platform is read."""
    from psycopg.types.json import Jsonb

    connection.execute(_MOVE_CURSOR, {"platform": platform, "cursor": Jsonb(dict(cursor))})

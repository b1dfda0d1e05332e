"""Which times of the schedules the history of runs knows: bits, so that months stay small."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from sys import byteorder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

# A run's time can lie an hour after its start where an operator named one that is to come; the
# start has an index. Whether the cluster's own Job worked it shows the id, which then ends in the
# minutes since 1970.
_SLOTS = """
SELECT schedule, shard,
    string_agg(int4send(minute), ''::bytea) FILTER (WHERE is_own) AS own,
    string_agg(int4send(minute), ''::bytea) FILTER (WHERE NOT is_own) AS others
FROM (
    SELECT schedule, shard, minutes - %(base)s AS minute,
        strpos(id, '-' || minutes) > 0 AS is_own
    FROM (
        SELECT schedule, shard, id, floor(extract(epoch FROM scheduled_at) / 60)::integer AS minutes
        FROM run
        WHERE schedule IS NOT NULL AND scheduled_at >= %(start)s AND scheduled_at < %(end)s
            AND started_at >= %(began)s
            AND (%(only)s::text IS NULL OR schedule = %(only)s)
    ) AS timed
) AS counted
GROUP BY schedule, shard ORDER BY schedule, shard
"""
# Cleared away are runs by their end: one that took days is left of times whose others are gone.
_OLDEST = """
SELECT coalesce(min(finished_at) FILTER (WHERE outcome <> 'crashed'), min(started_at)) FROM (
    SELECT started_at, finished_at, outcome FROM run
    WHERE finished_at IS NOT NULL ORDER BY started_at LIMIT 100
) AS oldest
"""
# A retried run says when it was started last: so the newest are looked at up to the end. Of one
# that crashed nobody knows how long it was at work: it ends when somebody finds it.
_BUSY = """
SELECT ordinal - 1, busy.id, busy.ended
FROM unnest(%(at)s::timestamptz[], %(until)s::timestamptz[])
    WITH ORDINALITY AS wanted (at, until, ordinal)
CROSS JOIN LATERAL (
    SELECT id, ended FROM (
        SELECT id, scheduled_at, outcome,
            coalesce(finished_at, clock_timestamp()) + interval '1 minute' AS ended
        FROM run
        WHERE schedule = %(schedule)s AND started_at <= wanted.until
        ORDER BY started_at DESC LIMIT 10 * %(shards)s
    ) AS newest
    WHERE scheduled_at < wanted.at AND outcome IS DISTINCT FROM 'crashed'
        AND strpos(id, '-' || floor(extract(epoch FROM scheduled_at) / 60)::integer) > 0
        AND ended >= wanted.until
    ORDER BY ended DESC LIMIT 1
) AS busy
"""


@dataclass(frozen=True)
class Recorded:
    """The times of a schedule's shard that have a run, whatever came of it."""

    schedule: str
    shard: str
    """Empty where the work is not shared out."""
    own: int
    """Worked by a Job that the cluster had started for that time; bit n is minute n."""
    others: int
    """Worked by hand."""


def recorded_slots(
    connection: "psycopg.Connection[Any]",
    start: datetime,
    end: datetime,
    *,
    only: str | None = None,
    began: datetime | None = None,
) -> Iterator[Recorded]:
    """The recorded times from `start` until before `end`; bits count minutes from `start`.

    Only of runs that began at `began` or later, where it is given. A schedule's shards follow each
    other.
    """
    base = int(start.timestamp()) // 60
    values = {"base": base, "start": start, "end": end, "only": only}
    values["began"] = began or start - timedelta(hours=1)
    minutes = int(end.timestamp()) // 60 - base + 1
    # Streamed as they come: the server works a declared cursor by one process only, for the
    # first row's sake, which takes three times as long.
    with connection.cursor() as cursor:
        for schedule, shard, own, others in cursor.stream(_SLOTS, values, binary=True):
            yield Recorded(schedule, shard, _mask(own, minutes), _mask(others, minutes))


def kept_since(connection: "psycopg.Connection[Any]") -> datetime | None:
    """Since when every run is still kept; None where there is none."""
    row = connection.execute(_OLDEST).fetchone()
    return row[0] if row else None


def busy_at(
    connection: "psycopg.Connection[Any]",
    schedule: str,
    spans: Sequence[tuple[datetime, datetime]],
    *,
    shards: int,
) -> dict[int, tuple[str, datetime]]:
    """The spans during the whole of which an earlier run of the schedule was at work.

    By place in `spans`: the id of such a run, one that the cluster had started, and until when
    it was. A minute is granted at the end, in which the cluster comes to know that the pod is done.
    """
    at, until = [one for one, _ in spans], [one for _, one in spans]
    values = {"schedule": schedule, "at": at, "until": until, "shards": shards}
    rows = connection.execute(_BUSY, values).fetchall()
    return {place: (run, ended) for place, run, ended in rows}


def _mask(packed: bytes | None, minutes: int) -> int:
    """Bits from minutes that are packed as the server sends integers."""
    if not packed:
        return 0
    numbers = array("i")
    numbers.frombytes(packed)
    if byteorder == "little":
        numbers.byteswap()
    seen = bytearray(minutes // 8 + 1)
    for minute in numbers:
        seen[minute >> 3] |= 1 << (minute & 7)
    return int.from_bytes(seen, "little")

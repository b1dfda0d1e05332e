"""The statements that count: hits of some days into counters, which are then replaced."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from cronops.errors import ConfigurationError

if TYPE_CHECKING:
    import psycopg

_KIND = "SELECT relkind FROM pg_catalog.pg_class WHERE oid = to_regclass('pagehit')"
# The years are those that Python's dates can hold: infinite times are none of a day.
_ALL_DAYS = """
SELECT DISTINCT (ts AT TIME ZONE %(zone)s)::date AS day FROM pagehit
WHERE ts >= '0002-01-01Z' AND ts < '9999-01-01Z' ORDER BY day
"""
# Both sides are counted from the same next transaction, so that none slips through between them.
_TOUCHED = """
SELECT DISTINCT (ts AT TIME ZONE %(zone)s)::date AS day FROM pagehit
WHERE ts >= %(since)s AND age(xmin) <= age(%(xid)s::text::xid)
    AND ts >= '0002-01-01Z' AND ts < '9999-01-01Z'
ORDER BY day
"""
# Where clocks are set back over midnight, as in the Azores, there are two of them, and PostgreSQL
# means the later: hits are read from well before it, and their days looked at.
_DAYS_BETWEEN = """
SELECT day FROM (
    SELECT DISTINCT (ts AT TIME ZONE %(zone)s)::date AS day FROM pagehit
    WHERE ts >= %(first)s::date::timestamp AT TIME ZONE %(zone)s - interval '4 hours'
        AND ts < (%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s
        AND ts >= '0002-01-01Z' AND ts < '9999-01-01Z'
) AS hit WHERE day BETWEEN %(first)s AND %(last)s
UNION
SELECT DISTINCT period FROM counter WHERE period BETWEEN %(first)s AND %(last)s
ORDER BY day
"""

# Grouped by session once, hits are few enough to be counted five ways.
_COUNT = """
CREATE TEMPORARY TABLE fresh ON COMMIT DROP AS
WITH hit AS MATERIALIZED (
    SELECT (ts AT TIME ZONE %(zone)s)::date AS period, coalesce(tenant, '') AS tenant, article,
        session_hash, is_bot IS TRUE AS is_bot, count(*) AS views
    FROM pagehit
    WHERE ts >= %(first)s::date::timestamp AT TIME ZONE %(zone)s - interval '4 hours'
        AND ts < (%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s
        AND ts >= '0002-01-01Z' AND ts < '9999-01-01Z'
    GROUP BY 1, 2, 3, 4, 5
    HAVING (ts AT TIME ZONE %(zone)s)::date = ANY(%(days)s::date[])
), page AS (
    SELECT period, tenant, is_bot, session_hash, sum(views) AS views FROM hit GROUP BY 1, 2, 3, 4
)
SELECT period, tenant, 'views' AS metric, '' AS subject, sum(views)::bigint AS value
FROM page WHERE NOT is_bot GROUP BY 1, 2
UNION ALL
SELECT period, tenant, 'bot_views', '', sum(views)::bigint FROM page WHERE is_bot GROUP BY 1, 2
UNION ALL
SELECT period, tenant, 'visitors', '', count(session_hash)
FROM page WHERE NOT is_bot AND session_hash IS NOT NULL GROUP BY 1, 2
UNION ALL
SELECT period, tenant, 'article_views', article, sum(views)::bigint
FROM hit WHERE NOT is_bot AND article <> '' GROUP BY 1, 2, 4
UNION ALL
SELECT period, tenant, 'article_visitors', article, count(session_hash)
FROM hit WHERE NOT is_bot AND article <> '' AND session_hash IS NOT NULL GROUP BY 1, 2, 4
"""
_LEAVE_OUT = "DELETE FROM fresh WHERE period <> ALL(%(days)s::date[])"
_ANALYZE = "ANALYZE fresh"
# The shop has deleted hits that were counted; bots found late only move from one to the other.
_SHRUNK = """
SELECT period FROM (
    SELECT period, value, 0 AS now FROM counter
    WHERE period = ANY(%(days)s::date[]) AND metric IN ('views', 'bot_views')
    UNION ALL
    SELECT period, 0, value FROM fresh WHERE metric IN ('views', 'bot_views')
) AS both_of_them
GROUP BY period HAVING sum(now) < sum(value) ORDER BY period
"""
_REMOVE = """
DELETE FROM counter WHERE period = ANY(%(days)s::date[]) AND NOT EXISTS (
    SELECT FROM fresh WHERE fresh.period = counter.period AND fresh.tenant = counter.tenant
        AND fresh.metric = counter.metric AND fresh.subject = counter.subject
)
"""
# What is as it was is not written: a day is counted a hundred times, and most of it stays.
_REPLACE = """
INSERT INTO counter (period, tenant, metric, subject, value)
SELECT period, tenant, metric, subject, value FROM fresh
ON CONFLICT (period, tenant, metric, subject) DO UPDATE
SET value = excluded.value, updated_at = clock_timestamp() WHERE counter.value <> excluded.value
"""
_MOST_DAYS = 31


class Replaced(NamedTuple):
    """What became of some days."""

    written: int
    removed: int
    shrunk: Sequence[date]
    """Days that have fewer hits than were counted: they were left as they are."""


def check_hits(connection: "psycopg.Connection[Any]") -> None:
    """Raise `ConfigurationError` where hits are no table: a view knows no transactions."""
    row = connection.execute(_KIND).fetchone()
    if row is not None and row[0] not in ("r", "p"):
        raise ConfigurationError(
            "pagehit is no table, and only a table's rows tell which transaction wrote them: "
            "without that, hits that are committed late would be lost. Put the table itself there"
        )


def all_days(connection: "psycopg.Connection[Any]", zone: str) -> list[date]:
    """Every day there are hits of."""
    return [day for (day,) in connection.execute(_ALL_DAYS, {"zone": zone})]


def touched_days(
    connection: "psycopg.Connection[Any]", zone: str, *, xid: int, since: Any
) -> list[date]:
    """The days of hits that transaction `xid` or a later one wrote, and that are not older."""
    asked = {"zone": zone, "xid": str(xid % 2**32), "since": since}
    return [day for (day,) in connection.execute(_TOUCHED, asked)]


def days_between(
    connection: "psycopg.Connection[Any]", zone: str, first: date, last: date
) -> list[date]:
    """The days from `first` to `last`, both included, of which there are hits or counters."""
    asked = {"zone": zone, "first": first, "last": last}
    return [day for (day,) in connection.execute(_DAYS_BETWEEN, asked)]


def batches(days: Sequence[date]) -> Iterator[list[date]]:
    """Days in groups that one statement may read: none spans more than a month."""
    group: list[date] = []
    for day in days:
        if group and (day - group[0]).days >= _MOST_DAYS:
            yield group
            group = []
        group.append(day)
    if group:
        yield group


def replace_days(
    connection: "psycopg.Connection[Any]", zone: str, days: Sequence[date], *, accept_loss: bool
) -> Replaced:
    """Count these days anew and replace their counters, in the open transaction."""
    asked = {"zone": zone, "first": days[0], "last": days[-1], "days": list(days)}
    connection.execute(_COUNT, asked)
    connection.execute(_ANALYZE)
    shrunk = [day for (day,) in connection.execute(_SHRUNK, asked)]
    if shrunk and not accept_loss:
        asked["days"] = [day for day in days if day not in shrunk]
        connection.execute(_LEAVE_OUT, asked)
    removed = connection.execute(_REMOVE, asked).rowcount
    written = connection.execute(_REPLACE).rowcount
    return Replaced(written, removed, () if accept_loss else shrunk)

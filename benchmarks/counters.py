"""Counting page hits, beside one statement that counts the same and guarantees nothing."""

import subprocess
import time
from collections.abc import Callable, Sequence

from benchmarks.database import Database
from benchmarks.harness import Section, Unmeasurable, alternate
from benchmarks.workers import command_of
from cronops.db.shop import create_shop
from cronops.samples.hits import add_hits

_CLEAR = "TRUNCATE counter, counter_watermark"
_BARE = """
WITH hit AS MATERIALIZED (
    SELECT (ts AT TIME ZONE 'Europe/Brussels')::date AS period, tenant, article, session_hash,
        is_bot, count(*) AS views
    FROM shop.pagehit GROUP BY 1, 2, 3, 4, 5
), page AS (
    SELECT period, tenant, is_bot, session_hash, sum(views) AS views FROM hit GROUP BY 1, 2, 3, 4
)
INSERT INTO counter (period, tenant, metric, subject, value)
SELECT period, tenant, 'views', '', sum(views) FROM page WHERE NOT is_bot GROUP BY 1, 2
UNION ALL
SELECT period, tenant, 'bot_views', '', sum(views) FROM page WHERE is_bot GROUP BY 1, 2
UNION ALL
SELECT period, tenant, 'visitors', '', count(*) FROM page WHERE NOT is_bot GROUP BY 1, 2
UNION ALL
SELECT period, tenant, 'article_views', article, sum(views)
FROM hit WHERE NOT is_bot AND article IS NOT NULL GROUP BY 1, 2, 4
UNION ALL
SELECT period, tenant, 'article_visitors', article, count(*)
FROM hit WHERE NOT is_bot AND article IS NOT NULL GROUP BY 1, 2, 4
"""
_NEW = 1_000


def run(database: Database, quick: bool) -> Sequence[Section]:
    """Everything at once, and the quarter of an hour after it."""
    count, rounds = (50_000, 2) if quick else (1_000_000, 5)
    with database.connect() as connection:
        create_shop(connection, "shop")
        connection.execute("SET search_path = cronops, shop")
        connection.execute("TRUNCATE pagehit")
        add_hits(connection, count)
        connection.execute("VACUUM ANALYZE pagehit")
    return [_first(database, count, rounds), _next(database, count, rounds)]


def _first(database: Database, count: int, rounds: int) -> Section:
    section = Section(
        f"Counters, {count:,} hits of thirty days",
        "s",
        "All of them counted into an empty table: ours a whole process, against the one statement "
        "that counts the same, which finds no late hits and replaces nothing.",
        digits=2,
    )
    subjects: dict[str, Callable[[], float]] = {
        "dwh update-counters": lambda: _ours(database, _CLEAR),
        "INSERT … SELECT … GROUP BY": lambda: _bare(database),
    }
    section.add(alternate(subjects, rounds))
    section.compare("ours / bare", *subjects)
    return section


def _next(database: Database, count: int, rounds: int) -> Section:
    section = Section(
        f"Counters, {_NEW:,} new hits of today beside {count:,}",
        "s",
        "The next run, a whole process: which days are touched is read from the last 35 days.",
        digits=2,
    )

    def again() -> float:
        with database.connect() as connection:
            connection.execute(
                "INSERT INTO shop.pagehit (ts, tenant, article, path, session_hash)"
                " SELECT clock_timestamp(), 'nord', 'A' || n, '/', n::text"
                f" FROM generate_series(1, {_NEW}) AS n"
            )
        return _ours(database, None)

    _ours(database, _CLEAR)
    section.add(alternate({"dwh update-counters": again}, rounds))
    return section


def _ours(database: Database, before: str | None) -> float:
    if before:
        database.execute(before)
    began = time.perf_counter()
    done = subprocess.run(
        [command_of("cronops"), "dwh", "update-counters"],
        env=database.env,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise Unmeasurable(f"exit {done.returncode}: {done.stderr[-200:]}")
    return seconds


def _bare(database: Database) -> float:
    database.execute(_CLEAR)
    began = time.perf_counter()
    database.execute(_BARE)
    return time.perf_counter() - began

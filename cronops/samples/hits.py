"""A sample shop's page hits, the same for the same seed.

``python -m cronops.samples.hits --count 20000`` adds them to the database that the settings name,
spread over the last thirty days.
"""

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cronops.samples.tour import Step

if TYPE_CHECKING:
    import psycopg

# One in ten is a bot's, one in three is of no article; most are of few articles.
_HITS = """
INSERT INTO pagehit (ts, tenant, article, path, session_hash, is_bot)
SELECT clock_timestamp() - interval '30 days' * ((n * 7919) %% %(count)s) / %(count)s,
    (ARRAY['nord', 'sud', 'west'])[1 + n %% 3],
    CASE WHEN n %% 3 <> 1 THEN 'A' || lpad(((n %% 97) * (n %% 89))::text, 7, '0') END,
    '/page/' || n %% 500, md5((n / 5)::text), n %% 10 = 0
FROM generate_series(1::bigint, %(count)s) AS n
"""


def add_hits(connection: "psycopg.Connection[Any]", count: int) -> None:
    """Add `count` hits of the last thirty days."""
    connection.execute(_HITS, {"count": count})


def tour() -> Iterator[Step]:
    """Commands that show how hits become counters; they may be repeated."""
    yield Step("A month of page hits.", "--count 20000", program="python -m cronops.samples.hits")
    yield Step("Count them by day.", "dwh update-counters")
    yield Step(
        "Which articles were looked at most?",
        "dwh counters --metric article_views --tenant nord --limit 5",
    )
    yield Step("Late hits are found by the transaction that wrote them.", "dwh status")


def main() -> int:
    """Make what the arguments ask for."""
    from cronops.config import load_settings
    from cronops.db.connect import check_schema, connect
    from cronops.db.shop import create_shop

    parser = argparse.ArgumentParser(prog="python -m cronops.samples.hits", description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="so many hits")
    given = parser.parse_args()
    settings = load_settings().settings
    with connect(settings, "sample hits") as connection:
        check_schema(connection, settings)
        create_shop(connection, settings.db.shop_schema)
        add_hits(connection, given.count)
    sys.stdout.write(f"{given.count:,} page hits of the last thirty days.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A sample shop's log of changes and caches, old and new, the same for the same seed.

``python -m cronops.samples.upkeep --rows 20000`` adds them in the database that the settings name.
"""

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cronops.samples.tour import Step

if TYPE_CHECKING:
    import psycopg

# Three years of a log: two thirds of it are older than a year.
_CHANGES = """
INSERT INTO log_update (ts, entity, entity_id, "user", old, new)
SELECT clock_timestamp() - interval '1095 days' * (1 - n / %(rows)s::double precision),
    'article', 'A' || lpad((n %% 1000)::text, 7, '0'), (ARRAY['anna', 'import', 'jan'])[1 + n %% 3],
    jsonb_build_object('price', n %% 400), jsonb_build_object('price', n %% 400 + 5)
FROM generate_series(1, %(rows)s) AS n
"""
# Each was good for a day.
_SEARCHES = """
INSERT INTO article_search_cache (key, built_at, expires_at)
SELECT 'search ' || n, built_at, built_at + interval '1 day'
FROM (
    SELECT n, clock_timestamp() - interval '1 hour' * (n %% 240) AS built_at
    FROM generate_series(1, %(searches)s) AS n
) AS built
ON CONFLICT (key) DO UPDATE SET built_at = excluded.built_at, expires_at = excluded.expires_at
"""
# A period a week, ten articles each, for half a year; one of them is pinned.
_POPULAR = """
INSERT INTO popular_article (article, period, score, pinned)
SELECT 'A' || lpad((week * 10 + place)::text, 7, '0'),
    (clock_timestamp() AT TIME ZONE 'UTC')::date - 7 * week, 100 - place, week = 25 AND place = 1
FROM generate_series(0, 25) AS week, generate_series(1, 10) AS place
ON CONFLICT DO NOTHING
"""


def fill_upkeep(connection: "psycopg.Connection[Any]", rows: int) -> None:
    """Add `rows` changes, a tenth as many searches, and half a year of popular articles."""
    with connection.transaction():
        connection.execute(_CHANGES, {"rows": rows})
        connection.execute(_SEARCHES, {"searches": rows // 10})
        connection.execute(_POPULAR)


def tour() -> Iterator[Step]:
    """Commands that show how the shop's leftovers are cleared away; they may be repeated."""
    yield Step(
        "Three years of the shop's log of changes, and its caches.",
        "--rows 20000",
        program="python -m cronops.samples.upkeep",
    )
    yield Step(
        "The demo sets CRONOPS_LOGS__RETENTION=365d, which has no default: what would go?",
        "logs clean --dry-run",
    )
    yield Step("Delete it.", "logs clean")
    yield Step("Expired searches, and old periods that are not pinned.", "system clean-data")
    yield Step("What was deleted of which table, and up to which age?", "system cleanings")


def main() -> int:
    """Make what the arguments ask for."""
    from cronops.config import load_settings
    from cronops.db.connect import check_schema, connect
    from cronops.db.shop import create_shop

    parser = argparse.ArgumentParser(prog="python -m cronops.samples.upkeep", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000, help="so many changes in the log")
    given = parser.parse_args()
    settings = load_settings().settings
    with connect(settings, "sample upkeep") as connection:
        check_schema(connection, settings)
        create_shop(connection, settings.db.shop_schema)
        fill_upkeep(connection, given.rows)
    sys.stdout.write(
        f"{given.rows:,} changes of three years, {given.rows // 10:,} cached searches and half a "
        "year of popular articles.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A sample shop's tenants, customers and licences, some of which end soon.

``python -m cronops.samples.customers --count 300`` puts them into the database that the settings
name; the days are counted from today, whenever it is run.
"""

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cronops.samples.tour import Step

if TYPE_CHECKING:
    import psycopg

_TENANTS = """
INSERT INTO tenant (id, code, name, zone, language, sender) VALUES
    (1, 'nord', 'Reifen Nord', 'Europe/Berlin', 'de', 'Reifen Nord <service@nord.example>'),
    (2, 'sud', 'Pneus du Sud', 'Europe/Paris', 'fr', 'service@sud.example'),
    (3, 'west', 'Banden West', 'Europe/Amsterdam', 'nl', 'service@west.example')
ON CONFLICT DO NOTHING
"""
_CUSTOMERS = """
INSERT INTO customer (id, tenant_id, email, firstname, lastname, language, status)
SELECT n, 1 + n %% 3, CASE WHEN n %% 50 <> 0 THEN 'customer' || n || '@example.org' END,
    (ARRAY['Anna', 'Jan', 'Zoé', 'Piet'])[1 + n %% 4], 'Muster ' || n,
    CASE WHEN n %% 10 = 0 THEN 'en' END,
    CASE WHEN n %% 20 = 1 THEN 'suspended' ELSE 'approved' END
FROM generate_series(1, %(count)s) AS n
ON CONFLICT DO NOTHING
"""
# One in ten ends within two weeks.
_LICENCES = """
INSERT INTO license (id, tenant_id, customer_id, valid_until, auto_renew, status)
SELECT n, 1 + n %% 3, n, (clock_timestamp() AT TIME ZONE 'UTC')::date + n %% 150, n %% 7 = 0,
    'active'
FROM generate_series(1, %(count)s) AS n
ON CONFLICT (id) DO UPDATE SET valid_until = excluded.valid_until
"""


def fill_customers(connection: "psycopg.Connection[Any]", count: int) -> None:
    """Put three tenants, and `count` customers with a licence each, into the shop."""
    with connection.transaction():
        connection.execute(_TENANTS)
        connection.execute(_CUSTOMERS, {"count": count})
        connection.execute(_LICENCES, {"count": count})


def tour() -> Iterator[Step]:
    """Commands that show who would be reminded, and by what mail; nothing is sent."""
    yield Step(
        "Three tenants and 300 customers, whose licences end within five months.",
        "--count 300",
        program="python -m cronops.samples.customers",
    )
    yield Step(
        "Whose licence ends soon? There is no mail server here: nothing is sent.",
        "customers notify-license-expiration --dry-run",
    )
    yield Step("What would one of them get?", "customers notify-license-expiration --preview 6")
    yield Step("What was sent, and what became of it?", "customers reminders")


def main() -> int:
    """Make what the arguments ask for."""
    from cronops.config import load_settings
    from cronops.db.connect import check_schema, connect
    from cronops.db.shop import create_shop

    parser = argparse.ArgumentParser(
        prog="python -m cronops.samples.customers", description=__doc__
    )
    parser.add_argument("--count", type=int, default=300, help="so many customers")
    given = parser.parse_args()
    settings = load_settings().settings
    with connect(settings, "sample customers") as connection:
        check_schema(connection, settings)
        create_shop(connection, settings.db.shop_schema)
        fill_customers(connection, given.count)
    sys.stdout.write(f"3 tenants, {given.count:,} customers with a licence each.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A sample shop's vehicles, what fits them, and what its wheels measure; the same each time.

``python -m cronops.samples.vehicles --count 200`` puts them into the database that the settings
name; what is there already is left as it is.
"""

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cronops.samples.articles import fill_shop
from cronops.samples.tour import Step

if TYPE_CHECKING:
    import psycopg

_VEHICLES = """
INSERT INTO vehicle (make, model, generation, variant, built_from, built_until, source)
SELECT (ARRAY['Aurora', 'Borealis', 'Corona'])[1 + n %% 3], 'Model ' || n / 9, 'G' || n %% 3,
    (ARRAY['1.4', '2.0 TDI', 'Electric'])[1 + n / 3 %% 3], 2000 + n %% 20, 2004 + n %% 20, 'manual'
FROM generate_series(1, %(count)s) AS n
ON CONFLICT DO NOTHING
"""
_TYRES = """
INSERT INTO fitment (vehicle_id, product_type, position, is_oe, tyre_width, tyre_aspect,
    tyre_diameter, source)
SELECT vehicle.id, 'tyre', 'both', nth = 0, 185 + 10 * (nth + vehicle.id % 4), 65 - 5 * nth,
    15 + nth, 'manual'
FROM vehicle, generate_series(0, 2) AS nth WHERE vehicle.source = 'manual'
ON CONFLICT DO NOTHING
"""
_WHEELS_THAT_FIT = """
INSERT INTO fitment (vehicle_id, product_type, position, wheel_diameter, wheel_width, pcd,
    centre_bore, offset_min, offset_max, source)
SELECT vehicle.id, 'wheel', 'both', 15 + nth, 6.5 + 0.5 * nth, '5x112', 57.1, 35, 45 + nth, 'manual'
FROM vehicle, generate_series(0, 2) AS nth WHERE vehicle.source = 'manual'
ON CONFLICT DO NOTHING
"""
_WHEELS = """
INSERT INTO wheel (article_id, width, pcd, centre_bore, wheel_offset)
SELECT id, 6.5 + 0.5 * (id % 4), (ARRAY['5x112', '5x100', '4x108'])[1 + id % 3], 57.1,
    35 + id % 15
FROM article WHERE type = 'wheel'
ON CONFLICT DO NOTHING
"""


def fill_vehicles(connection: "psycopg.Connection[Any]", count: int) -> None:
    """Put vehicles with fitments into our tables, and measures of the shop's wheels into its."""
    with connection.transaction():
        connection.execute(_VEHICLES, {"count": count})
        for statement in (_TYRES, _WHEELS_THAT_FIT, _WHEELS):
            connection.execute(statement)


def tour() -> Iterator[Step]:
    """Commands that show how the simulator's files come to MAK; they may be repeated."""
    yield Step(
        "200 vehicles, and what fits them.",
        "--count 200",
        program="python -m cronops.samples.vehicles",
    )
    yield Step("Three files and a manifest, to a directory here.", "simulator send-mak-files")
    yield Step("Nothing has changed: nothing is sent again.", "simulator send-mak-files")
    yield Step("What was sent?", "simulator sets")


def main() -> int:
    """Make what the arguments ask for."""
    from cronops.config import load_settings
    from cronops.db.connect import check_schema, connect
    from cronops.db.shop import create_shop

    program = "python -m cronops.samples.vehicles"
    parser = argparse.ArgumentParser(prog=program, description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="so many vehicles")
    given = parser.parse_args()
    settings = load_settings().settings
    with connect(settings, "sample vehicles") as connection:
        check_schema(connection, settings)
        create_shop(connection, settings.db.shop_schema)
        fill_shop(connection, 1000)
        fill_vehicles(connection, given.count)
    of = settings.simulator
    if of.destination is not None and "://" not in of.destination:
        (of.root / of.destination).mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{given.count:,} vehicles with what fits them, and the wheels' measures.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A shop with any number of articles, the same for the same seed.

``python -m cronops.samples.articles --count 1000`` puts them into the database that the settings
name; articles of the same number are left as they are.
"""

import argparse
import random
import sys
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

BRANDS = ("Continental", "Michelin", "Pirelli", "Hankook", "Nokian", "Borbet", "Ronal", "OZ")
CATEGORIES = {
    "tyre": ("summer", "winter", "all-season"),
    "wheel": ("alloy", "steel"),
    "accessory": ("valve", "chain", "bolt"),
}
_KINDS = ("tyre", "tyre", "tyre", "tyre", "tyre", "tyre", "wheel", "wheel", "wheel", "accessory")
_WIDTHS = (155, 175, 195, 205, 225, 245, 255)
_ASPECTS = (35, 40, 45, 50, 55, 60, 65)

_COPY = """
COPY sample_article (article_number, type, ean, mpn, tyre24_id, topm_id, brand, category,
    wheel_diameter, tyre_size, base_price, weight, is_active) FROM STDIN
"""
_STAGE = """
CREATE TEMPORARY TABLE sample_article ON COMMIT DROP AS SELECT article_number, type, ean, mpn,
    tyre24_id, topm_id, brand, category, wheel_diameter, tyre_size, base_price, weight, is_active
FROM article WITH NO DATA
"""
_TAKE = """
INSERT INTO article (article_number, type, ean, mpn, tyre24_id, topm_id, brand, category,
    wheel_diameter, tyre_size, base_price, weight, is_active)
SELECT * FROM sample_article ON CONFLICT (article_number) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Article:
    """One article, in the order of the COPY's columns."""

    article_number: str
    type: str
    ean: str | None
    mpn: str | None
    tyre24_id: str | None
    topm_id: str | None
    brand: str
    category: str
    wheel_diameter: str | None
    tyre_size: str | None
    base_price: str
    weight: str
    is_active: bool


def ean_of(number: int) -> str:
    """A valid EAN-13 with a leading zero now and then: twelve digits and their check digit."""
    digits = f"{(4_000_000_000_00 + number * 7) % 10**12:012d}"
    if number % 10 == 3:
        digits = "0" + digits[1:]
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def articles(count: int, *, seed: int = 1) -> Iterator[Article]:
    """Articles number 1 to `count`; of a larger count, the first ones are the same.

    Some have no EAN, some no manufacturer's number, one in fifty is not active.
    """
    for number in range(1, count + 1):
        dice = random.Random(seed * 1_000_003 + number)  # noqa: S311 - sample data
        kind = dice.choice(_KINDS)
        diameter = None if kind == "accessory" else dice.choice(range(14, 22))
        size = (
            f"{dice.choice(_WIDTHS)}/{dice.choice(_ASPECTS)} R{diameter}"
            if kind == "tyre"
            else None
        )
        yield Article(
            article_number=f"A{number:07d}",
            type=kind,
            ean=None if number % 20 == 19 else ean_of(number),
            mpn=None if number % 15 == 14 else f"MPN-{number * 13:08d}",
            tyre24_id=f"T24-{number}" if kind == "tyre" else None,
            topm_id=f"TM{number}" if number % 3 == 0 else None,
            brand=dice.choice(BRANDS),
            category=dice.choice(CATEGORIES[kind]),
            wheel_diameter=None if diameter is None else str(diameter),
            tyre_size=size,
            base_price=f"{dice.randrange(500, 40_000) / 100:.2f}",
            weight=f"{dice.randrange(100, 25_000) / 1000:.3f}",
            is_active=number % 50 != 49,
        )


def fill_shop(connection: "psycopg.Connection[Any]", count: int, *, seed: int = 1) -> None:
    """Put articles into the shop's table by COPY; those that are there already stay."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy(_COPY) as copy:
            for article in articles(count, seed=seed):
                copy.write_row(astuple(article))
        cursor.execute(_TAKE)


def main() -> int:
    """Make the shop that the arguments ask for."""
    from cronops.config import load_settings
    from cronops.db.connect import connect
    from cronops.db.shop import create_shop

    parser = argparse.ArgumentParser(prog="python -m cronops.samples.articles", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="so many articles")
    parser.add_argument("--seed", type=int, default=1, help="others for another seed")
    given = parser.parse_args()
    settings = load_settings().settings
    with connect(settings, "sample articles") as connection:
        create_shop(connection, settings.db.shop_schema)
        fill_shop(connection, given.count, seed=given.seed)
    where = f"{settings.db.shop_schema}.article"
    sys.stdout.write(f"A shop with {given.count:,} articles, in {where}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

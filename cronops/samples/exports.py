"""A sample shop with suppliers' stock, margin rules and exports, the same for the same seed.

``python -m cronops.samples.exports --count 1000 --rules 60`` puts them into the database that the
settings name; what is there already is left as it is.
"""

import argparse
import random
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from cronops.samples.articles import BRANDS, CATEGORIES, fill_shop
from cronops.samples.tour import Step

if TYPE_CHECKING:
    import psycopg

SUPPLIERS = (12, 23, 31)
EXPORTS = (901, 902)
"""Ids of the sample exports: one of CSV, one of XML."""

_STAGE_OFFERS = """
CREATE TEMPORARY TABLE sample_offer (
    supplier_id integer, sku text, article_number text, qty integer, price numeric(12,4),
    days smallint
) ON COMMIT DROP
"""
_COPY_OFFERS = "COPY sample_offer FROM STDIN"
_TAKE_OFFERS = """
INSERT INTO supplier_stock (supplier_id, sku, article_id, qty, price, delivery_days)
SELECT supplier_id, sku, article.id, qty, price, days
FROM sample_offer JOIN article USING (article_number)
ON CONFLICT (supplier_id, sku) DO NOTHING
"""
_COPY_RULES = """
COPY margin_rule (priority, article_number, category, brand, product_type, wheel_diameter, kind,
    value) FROM STDIN
"""
_HAS_RULES = "SELECT count(*) FROM margin_rule"
_EXPORT = """
INSERT INTO export_setting (id, name, platform, supplier_id, format, encoding, decimal_mark,
    column_map, transport, file_pattern, transport_surcharge, max_drop_pct, active)
VALUES (%(id)s, %(name)s, %(platform)s, %(supplier_id)s, %(format)s, %(encoding)s, %(decimal_mark)s,
    %(column_map)s, %(transport)s, %(file_pattern)s, 4.90, 50, true)
ON CONFLICT DO NOTHING
"""


class Offer(NamedTuple):
    """One supplier's offer, in the order of the COPY's columns."""

    supplier_id: int
    sku: str
    article_number: str
    qty: int
    price: str | None
    delivery_days: int


class Rule(NamedTuple):
    """One margin rule, in the order of the COPY's columns."""

    priority: int
    article_number: str | None
    category: str | None
    brand: str | None
    product_type: str | None
    wheel_diameter: int | None
    kind: str
    value: str


def offers(count: int, *, seed: int = 1) -> Iterator[Offer]:
    """Offers for articles number 1 to `count`: by one supplier, or by several.

    One in twenty is sold out, one in a hundred has no price.
    """
    for number in range(1, count + 1):
        dice = random.Random(seed * 2_000_003 + number)  # noqa: S311 - sample data
        price = dice.randrange(400, 38_000) / 100
        for supplier in dice.sample(SUPPLIERS, dice.choice((1, 1, 2, 3))):
            offered = price * dice.uniform(0.95, 1.05)
            yield Offer(
                supplier,
                f"S{supplier}-{number:07d}",
                f"A{number:07d}",
                0 if dice.random() < 0.05 else dice.randrange(1, 60),
                None if dice.random() < 0.01 else f"{offered:.4f}",
                dice.randrange(1, 6),
            )


def rules(count: int, *, articles: int, seed: int = 1) -> Iterator[Rule]:
    """One rule for everything, then rules of every kind: of single articles, of brands, of more."""
    dice = random.Random(seed)  # noqa: S311 - sample data
    for number in range(count):
        kind = dice.choice(("percent", "percent", "amount"))
        value = f"{dice.randrange(200, 2500) / 100:.2f}"
        if number == 0:
            yield Rule(0, None, None, None, None, None, "percent", "8.00")
            continue
        of_what = dice.choice(tuple(CATEGORIES))
        category = dice.choice(CATEGORIES[of_what])
        brand = dice.choice(BRANDS)
        shape = number % 5
        if shape == 0:
            article = f"A{dice.randrange(1, articles + 1):07d}"
            yield Rule(0, article, None, None, None, None, kind, value)
        elif shape == 1:
            yield Rule(dice.randrange(3), None, None, brand, None, None, kind, value)
        elif shape == 2:
            yield Rule(0, None, category, brand, None, None, kind, value)
        elif shape == 3:
            yield Rule(0, None, None, None, of_what, dice.randrange(14, 22), kind, value)
        else:
            yield Rule(0, None, category, brand, of_what, dice.randrange(14, 22), kind, value)


def fill_stock(connection: "psycopg.Connection[Any]", count: int, *, seed: int = 1) -> None:
    """Put offers into ``supplier_stock`` by COPY; those that are there already stay."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_STAGE_OFFERS)
        with cursor.copy(_COPY_OFFERS) as copy:
            for offer in offers(count, seed=seed):
                copy.write_row(offer)
        cursor.execute(_TAKE_OFFERS)


def fill_rules(
    connection: "psycopg.Connection[Any]", count: int, *, articles: int, seed: int = 1
) -> None:
    """Put margin rules into their table, unless there are some."""
    with connection.transaction(), connection.cursor() as cursor:
        if cursor.execute(_HAS_RULES).fetchone() != (0,):
            return
        with cursor.copy(_COPY_RULES) as copy:
            for rule in rules(count, articles=articles, seed=seed):
                copy.write_row(rule)


def add_exports(connection: "psycopg.Connection[Any]") -> None:
    """Make the two sample exports, which go to directories below the export directory."""
    from psycopg.types.json import Jsonb

    columns = [["sku", "article_number"], ["ean", "ean"], ["stock", "qty"], ["price", "price"]]
    csv, xml = EXPORTS
    of_csv = {"id": csv, "name": "sample shop", "platform": "webshop", "supplier_id": None}
    of_csv |= {"format": "csv", "encoding": "windows-1252", "decimal_mark": ","}
    of_xml = {"id": xml, "name": "sample fleet", "platform": "fleet", "supplier_id": SUPPLIERS[0]}
    of_xml |= {"format": "xml", "encoding": "utf-8", "decimal_mark": "."}
    for export in (of_csv, of_xml):
        place = {"transport": export["platform"], "file_pattern": f"stock.{export['format']}"}
        connection.execute(_EXPORT, {**export, **place, "column_map": Jsonb(columns)})


def tour() -> Iterator[Step]:
    """Commands that show an export from its prices to its file; they may be repeated."""
    csv, xml = EXPORTS
    yield Step(
        "A shop with 1,000 articles, what three suppliers have of them, margin rules, two exports.",
        "--count 1000 --rules 60",
        program="python -m cronops.samples.exports",
    )
    yield Step("What is exported, and where to?", "stock exports list")
    yield Step("Price all, and deliver.", "stock export")
    yield Step("How did this price come about?", f"stock price A0000060 --export {csv}")
    yield Step("Nothing has changed: nothing is sent again.", f"stock export --export {xml}")
    yield Step(
        "The partner lost the file: send the last good one again.",
        f"stock export --export {csv} --skip-generation",
    )
    yield Step("What came of each?", "stock runs --limit 6")


def main() -> int:
    """Make what the arguments ask for."""
    from cronops.config import load_settings
    from cronops.db.connect import check_schema, connect
    from cronops.db.shop import create_shop

    parser = argparse.ArgumentParser(prog="python -m cronops.samples.exports", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="stock of so many articles")
    parser.add_argument("--rules", type=int, default=60, help="so many margin rules")
    parser.add_argument("--seed", type=int, default=1, help="others for another seed")
    given = parser.parse_args()
    settings = load_settings().settings
    with connect(settings, "sample exports") as connection:
        check_schema(connection, settings)
        create_shop(connection, settings.db.shop_schema)
        fill_shop(connection, given.count, seed=given.seed)
        fill_stock(connection, given.count, seed=given.seed)
        fill_rules(connection, given.rules, articles=given.count, seed=given.seed)
        add_exports(connection)
    for platform in ("webshop", "fleet"):
        (settings.stock.export_dir / platform).mkdir(parents=True, exist_ok=True)
    sys.stdout.write(
        f"{given.count:,} articles and their stock, {given.rules:,} margin rules and "
        f"{len(EXPORTS)} exports to directories below {settings.stock.export_dir}.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

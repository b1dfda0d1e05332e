"""The sample stock, rules and exports, and the commands that show them."""

from itertools import islice
from pathlib import Path

from cronops.db.shop import create_shop
from cronops.samples.articles import fill_shop
from cronops.samples.exports import add_exports, fill_rules, fill_stock, offers, rules, tour
from tests.commands import CommandLine
from tests.databases import Database


def test_they_are_the_same_for_the_same_seed() -> None:
    assert list(offers(50)) == list(offers(50))
    few = list(offers(10))
    assert list(islice(offers(50), len(few))) == few
    assert list(offers(50)) != list(offers(50, seed=2))
    assert list(rules(50, articles=9)) == list(rules(50, articles=9))
    assert list(rules(50, articles=9)) != list(rules(50, articles=9, seed=2))


def test_the_commands_of_the_tour_do_what_they_say(
    database: Database, cli: CommandLine, tmp_path: Path
) -> None:
    database.env["CRONOPS_STOCK__EXPORT_DIR"] = str(tmp_path)
    with database.connect() as connection:
        create_shop(connection, database.settings().db.shop_schema)
        for _ in range(2):  # may be repeated
            fill_shop(connection, 300)
            fill_stock(connection, 300)
            fill_rules(connection, 60, articles=300)
            add_exports(connection)
    for directory in ("webshop", "fleet"):
        (tmp_path / directory).mkdir()

    for step in tour():
        if step.program == "cronops":
            done = cli(*step.command.split())
            assert done.returncode == step.expected, done.stderr

    assert (tmp_path / "webshop/stock.csv").read_bytes().startswith(b"sku;ean;stock;price\n")
    assert (tmp_path / "fleet/stock.xml").read_bytes().endswith(b"</articles>\n")
    states = database.query("SELECT export_id, state FROM export_run ORDER BY id")
    assert states == [
        (901, "delivered"),
        (902, "delivered"),
        (902, "unchanged"),
        (901, "delivered"),
    ]

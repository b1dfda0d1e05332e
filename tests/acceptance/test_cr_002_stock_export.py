"""CR-002, as the feature file tells it."""

import csv
from collections.abc import Iterator
from decimal import Decimal

import pytest
from pytest_bdd import given, scenarios, then, when

from cronops.db.shop import create_shop
from cronops.samples.articles import fill_shop
from cronops.samples.exports import fill_rules, fill_stock
from tests.acceptance.conftest import World
from tests.partners import SftpPartner, client_environment, sftp_server

scenarios("features/cr_002_stock_export.feature")


@pytest.fixture
def platform(world: World) -> Iterator[SftpPartner]:
    """A platform's server, over a directory of its own."""
    directory = world.directory / "platform"
    directory.mkdir()
    with sftp_server(directory) as server:
        yield server


@given("a shop with articles and what suppliers have of them")
def shop(world: World) -> None:
    with world.database.connect() as connection:
        create_shop(connection, world.database.settings().db.shop_schema)
        fill_shop(connection, 100)
        fill_stock(connection, 100)
        fill_rules(connection, 20, articles=100)


@given("an export to a platform that takes files by SFTP")
def export(world: World, platform: SftpPartner) -> None:
    world.environment |= client_environment(platform) | {
        "CRONOPS_STOCK__EXPORT_DIR": str(world.directory / "exports")
    }
    (world.directory / "exports").mkdir()
    world.run(
        f"stock exports set --name Shop --platform shop --format csv --to {platform.url}"
        " --credential partner --file-name stock.csv --column sku=article_number"
        " --column price=price --json"
    )
    assert world.ended.returncode == 0, world.ended.stderr
    # The scenario's own number, whichever it got.
    world.database.query("UPDATE export_setting SET id = 7, active = true")


@when("the platform loses the file")
def lost(platform: SftpPartner) -> None:
    (platform.directory / "stock.csv").unlink()


@then("the platform has the file, with prices above what suppliers ask")
def has_the_file(world: World, platform: SftpPartner) -> None:
    with (platform.directory / "stock.csv").open(encoding="utf-8-sig") as file:
        prices = {row["sku"]: Decimal(row["price"]) for row in csv.DictReader(file, delimiter=";")}
    asked = dict(
        world.database.query(
            "SELECT article_number, min(price) FROM supplier_stock"
            " JOIN article ON article.id = article_id WHERE price > 0 GROUP BY 1"
        )
    )
    assert len(prices) > 50
    assert all(price > asked[sku] for sku, price in prices.items())

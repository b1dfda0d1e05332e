"""A shop of few articles whose prices can be worked out by hand, and a place to export to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cronops.db.shop import create_shop
from tests.databases import Database
from tests.integration.jobs.stock.exports import add_article, add_offer


@pytest.fixture
def export_dir(database: Database, tmp_path: Path) -> Path:
    """The export directory, with a directory ``out`` to deliver to."""
    directory = tmp_path / "exports"
    (directory / "out").mkdir(parents=True)
    database.env["CRONOPS_STOCK__EXPORT_DIR"] = str(directory)
    return directory


@pytest.fixture
def goods(database: Database, export_dir: Path) -> Iterator[Database]:
    """Three articles in stock, of supplier 1."""
    with database.connect() as connection:
        create_shop(connection, database.settings().db.shop_schema)
    first = add_article(
        database, "A1", ean="4006381333931", brand="Pirelli", tyre_size="205/55 R16"
    )
    second = add_article(database, "A2", brand="Nokian")
    third = add_article(database, "A3", type="wheel", brand="Borbet", wheel_diameter="17")
    add_offer(database, third, "100.00", qty=2)
    add_offer(database, first, "50.00", qty=8)
    add_offer(database, second, "10.005", qty=0)
    return database

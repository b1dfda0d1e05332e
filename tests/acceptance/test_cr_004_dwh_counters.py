"""CR-004, as the feature file tells it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from cronops.db.shop import create_shop
from tests.acceptance.conftest import World

scenarios("features/cr_004_dwh_counters.feature")

# A transaction that is still open took the first id.
_HIT = (
    "INSERT INTO shop.pagehit (ts, tenant, path, session_hash)"
    " SELECT now() - interval '1 day', 'nord', '/', 's' FROM generate_series(1, %s)"
)


@pytest.fixture
def late(world: World) -> Iterator["psycopg.Connection[Any]"]:
    """A connection that is slow to commit."""
    with world.database.connect() as connection:
        create_shop(connection, "shop")
    with psycopg.connect(world.database.url) as connection:
        yield connection


@given(parsers.parse("a shop with {count:d} hits of yesterday"))
def hits(world: World, late: "psycopg.Connection[Any]", count: int) -> None:
    late.execute(_HIT, (1,))
    world.database.query(_HIT, (count,))


@given("another hit of yesterday, written before those, that is not committed yet")
def not_committed(late: "psycopg.Connection[Any]") -> None:
    assert late.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS


@given("they are counted, and then deleted by the shop")
def deleted(world: World) -> None:
    assert world.run("dwh update-counters").returncode == 0
    world.database.query("DELETE FROM shop.pagehit")


@when("the hit is committed at last")
def committed(late: "psycopg.Connection[Any]") -> None:
    late.commit()


@then(parsers.parse("yesterday has {count:d} views"))
def views(world: World, count: int) -> None:
    assert world.database.query("SELECT value FROM counter WHERE metric = 'views'") == [(count,)]

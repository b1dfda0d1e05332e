"""CR-008, as the feature file tells it."""

from collections.abc import Iterator

import pytest
from pytest_bdd import given, parsers, scenarios, then

from cronops.samples.order_server import OrderServer
from cronops.samples.orders import orders
from tests.acceptance.conftest import World
from tests.servers import web_server

scenarios("features/cr_008_platform_pull.feature")


@pytest.fixture
def broken() -> Iterator[str]:
    """The URL of a server that answers 500."""
    with web_server(status=500) as server:
        yield server.url


@pytest.fixture
def platform() -> Iterator[OrderServer]:
    """A platform with three orders."""
    with OrderServer(list(orders(3))) as server:
        yield server


def _set(world: World, code: str, *options: str) -> None:
    world.environment["CRONOPS_CLIENTS__ATTEMPTS"] = "1"
    told = " ".join(f"--option {option}" for option in options)
    world.run(f"platform set {code} --adapter rest --option allow_http=true {told}")
    assert world.ended.returncode == 0, world.ended.stderr


@given(parsers.parse('the platform "{code}" with 3 orders'))
def with_orders(world: World, platform: OrderServer, code: str) -> None:
    acknowledge = f'acknowledge={{"url":"{platform.url}/orders/{{id}}/ack"}}'
    _set(world, code, f"url={platform.url}/orders", "first_look_back=3650d", f"'{acknowledge}'")


@given(parsers.parse('the platform "{code}", whose server answers 500'))
def broken_one(world: World, broken: str, code: str) -> None:
    _set(world, code, f"url={broken}/orders")


@then(parsers.parse("{count:d} orders wait for the queue, and all {same:d} were acknowledged"))
def waiting(world: World, count: int, same: int) -> None:
    assert world.database.query("SELECT count(*) FROM queue_message") == [(count,)]
    acknowledged = "SELECT count(*) FROM platform_order WHERE acknowledged_at IS NOT NULL"
    assert world.database.query(acknowledged) == [(same,)]


@then(parsers.parse("there are {count:d} sales orders"))
def sales(world: World, count: int) -> None:
    assert world.database.query("SELECT count(*) FROM sales_order") == [(count,)]

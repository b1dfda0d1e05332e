"""Killed between any two steps: the next run comes to the same end; nothing lost, nothing twice."""

from collections.abc import Callable
from typing import Any

import pytest

from cronops.samples.order_server import OrderServer
from cronops.samples.orders import as_json_file, as_opentrans, orders
from tests.integration.jobs.platform.conftest import Market
from tests.stepping import run_to_step

REST = ["kept", "taken", "acknowledged", "noted", "pulled"]
FEED = ["ask", "asked", "kept", "taken", "ask", "asked", "kept", "empty", "pulled"]
FILES = ["kept", "taken", "moved", "closed", "pulled"]
SURELY_NOT_ASKED = [number for number, step in enumerate(FEED, 1) if step != "asked"]
COUNT = 3

Arrange = Callable[[Market, OrderServer], None]


def rest(market: Market, server: OrderServer) -> None:
    market.add_rest("tyre24", server)


def feed(market: Market, server: OrderServer) -> None:
    config = {"url": f"{server.url}/feed", "allow_http": True}
    market.add("easy4d", "xml-feed", config)


def opentrans(market: Market, server: OrderServer) -> None:
    arrange_files(market, "opentrans", as_opentrans(server.orders[0]))


def json_files(market: Market, server: OrderServer) -> None:
    arrange_files(market, "json", as_json_file(server.orders))


def arrange_files(market: Market, form: str, content: bytes) -> None:
    inbound = market.root / "inbound"
    inbound.mkdir()
    (inbound / "orders.1").write_bytes(content)
    market.add("check24", "files", {"location": "inbound", "format": form})


@pytest.fixture
def server() -> Any:
    with OrderServer(list(orders(COUNT))) as running:
        yield running


def run(market: Market, number: int) -> list[str]:
    return run_to_step(
        market.database, market.cli.directory, number, "platform", "pull-orders", "--wait=20s"
    )


def state(market: Market) -> Any:
    """All that is to be the same however often a run was killed."""
    return (
        market.database.query(
            "SELECT external_id, sha256, kind, acknowledge, acknowledged_at IS NULL"
            " FROM platform_order ORDER BY external_id, sha256"
        ),
        market.database.query("SELECT dedupe_key, status FROM queue_message ORDER BY 1"),
        market.database.query("SELECT cursor FROM platform"),
        market.database.query(
            "SELECT count(*) FROM platform_fetch WHERE state IN ('asked', 'raw')"
        ),
        sorted(str(file.relative_to(market.root)) for file in market.root.rglob("*.1")),
    )


@pytest.mark.parametrize(
    ("arrange", "steps", "number"),
    [
        *((rest, REST, number) for number in range(len(REST) + 1)),
        *((feed, FEED, number) for number in [0, *SURELY_NOT_ASKED]),
        *((opentrans, FILES, number) for number in range(len(FILES) + 1)),
        *((json_files, FILES, number) for number in (0, 2, 3)),
    ],
)
def test_a_run_that_was_killed_is_finished_by_the_next(
    arrange: Arrange, steps: list[str], number: int, market: Market, server: OrderServer
) -> None:
    arrange(market, server)

    came_to = run(market, number)
    assert came_to == (steps[:number] if number else steps)
    if number:
        run(market, 0)

    stored, messages, cursor, unread, files = state(market)
    expected = 1 if arrange is opentrans else COUNT
    assert [row[0] for row in stored] == [one.id for one in orders(expected)]
    acknowledges = arrange is rest
    assert {row[2:] for row in stored} == {("order", acknowledges, not acknowledges)}
    assert [key.split("/")[1] for key, _ in messages] == [one.id for one in orders(expected)]
    assert {status for _, status in messages} == {"NEW"}
    assert unread == [(0,)]
    assert cursor == [({"since": "2026-11-01T08:03:00+00:00"} if acknowledges else {},)]
    assert files == (["inbound/backup/orders.1"] if steps is FILES else [])
    # What was acknowledged, and not noted, is acknowledged again: that is harmless, losing is not.
    assert set(server.acknowledged) == (
        {one.id for one in orders(COUNT)} if acknowledges else set()
    )


def test_an_answer_that_may_be_lost_is_told_by_the_next_run_which_goes_on(
    market: Market, server: OrderServer
) -> None:
    feed(market, server)
    assert run(market, 2) == ["ask", "asked"]

    told = market.pull("--wait=5s", code=1)

    assert "have the orders since then marked as unread" in told
    assert market.fetches() == [(f"{server.url}/feed", "lost"), (f"{server.url}/feed", "taken")]
    assert len(market.pulled()) == COUNT
    market.pull()

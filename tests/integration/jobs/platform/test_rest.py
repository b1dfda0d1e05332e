"""REST platforms: pages, cursors, acknowledgements."""

from dataclasses import replace
from datetime import timedelta

from cronops.samples.order_server import OrderServer
from cronops.samples.orders import orders
from tests.integration.jobs.platform.conftest import Market


def test_orders_are_pulled_acknowledged_and_become_sales_orders(
    market: Market, server: OrderServer
) -> None:
    market.add_rest("tyre24", server)
    server.page_size = 2

    market.pull()

    assert market.pulled() == [(f"ORD-{n:06d}", "order", True) for n in range(1, 6)]
    assert sorted(server.acknowledged) == [f"ORD-{n:06d}" for n in range(1, 6)]
    market.work()
    assert market.sales() == [(one.id, "ready", one.total, 1, len(one.lines)) for one in orders(5)]


def test_a_second_pull_asks_from_the_cursor_and_stores_nothing_twice(
    market: Market, server: OrderServer
) -> None:
    market.add_rest("tyre24", server, overlap="2m")
    market.pull()
    server.requests.clear()

    market.pull()

    assert market.messages() == 5
    ((cursor,),) = market.database.query("SELECT cursor FROM platform")
    assert cursor == {"since": "2026-11-01T08:05:00+00:00"}
    # The last change less the overlap: clocks differ, and what happens in the same second too.
    assert [one for one in server.requests if "since=2026-11-01T08%3A03%3A00Z" in one]
    assert len(server.acknowledged) == 5


def test_an_order_that_changes_while_we_page_comes_as_both_revisions(
    market: Market, server: OrderServer
) -> None:
    market.add_rest("tyre24", server)
    server.page_size = 2
    page = server._page
    changed = replace(server.orders[0], updated_at=server.orders[4].updated_at + timedelta(hours=1))

    def change_after_first_page(query):
        answer = page(query)
        server.orders = [changed, *list(orders(5))[1:]]
        return answer

    server._page = change_after_first_page

    market.pull()
    market.work()

    assert [one for one, _, _ in market.pulled()].count("ORD-000001") == 2
    assert [row[:2] for row in market.sales()] == [(f"ORD-{n:06d}", "ready") for n in range(1, 6)]

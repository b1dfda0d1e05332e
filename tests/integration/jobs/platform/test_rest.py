"""REST platforms: pages, cursors, acknowledgements."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from cronops.samples.order_server import OrderServer
from cronops.samples.orders import as_json, orders
from tests.integration.jobs.platform.conftest import Market
from tests.partners import Reply, https_server
from tests.servers import Request, wait_until


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


def page(*some: Any, cursor: str | None = None) -> Reply:
    return Reply(json.dumps({"orders": some, "next_cursor": cursor}).encode())


def order(number: int, **more: Any) -> dict[str, Any]:
    """One order with a line, as JSON."""
    line = {"sku": "A0000001", "quantity": 1, "price": "10.00"}
    made = as_json(next(orders(1, first=number)))
    return made | {"lines": [line], "total": "10.00"} | more


def scripted(market: Market, *replies: Reply, **more: Any) -> list[str]:
    """Pull from a platform that answers so, page by page; what was asked."""
    waiting = list(replies)
    with https_server(lambda _: waiting.pop(0), tls=False) as platform:
        url = f"{platform.url}/orders"
        market.add("tyre24", "rest", {"url": url, "allow_http": True, **more.pop("config", {})})
        market.pull(**more)
        return [one.path for one in platform.requests]


def test_pages_that_are_partial_or_empty_do_not_end_it_but_a_missing_cursor_does(
    market: Market,
) -> None:
    scripted(
        market, page(order(1), cursor="a"), page(cursor="b"), page(order(2), order(3))
    )  # fmt: skip

    assert [one for one, _, _ in market.pulled()] == [order(n)["id"] for n in (1, 2, 3)]


def test_a_cursor_that_repeats_ends_the_platform_with_what_came_stored(market: Market) -> None:
    asked = scripted(
        market,
        page(order(1), cursor="a"),
        page(order(2), cursor="b"),
        page(order(3), cursor="a"),
        code=1,
    )

    assert len(asked) == 3
    assert len(market.pulled()) == 3
    assert market.messages() == 3


def test_an_order_in_two_pages_is_enqueued_once(market: Market) -> None:
    scripted(market, page(order(1), order(2), cursor="a"), page(order(2), order(3)))

    assert market.messages() == 3


def test_an_order_without_an_id_is_told_and_kept_and_the_others_go_on(market: Market) -> None:
    scripted(market, page(order(1), order(2, id=None), order(3, id=" ")), code=1)

    assert len(market.pulled()) == 1
    ((problem, raw),) = market.database.query("SELECT problem, content FROM platform_fetch")
    assert problem == "order 2 of 3 has no id; order 3 of 3 has no id"
    assert json.loads(raw)["orders"] == [order(1), order(2, id=None), order(3, id=" ")]


def test_a_change_dated_in_the_future_does_not_hide_what_comes_before_it(market: Market) -> None:
    scripted(market, page(order(1), order(2, updated_at="2199-01-01T00:00:00Z")))

    ((cursor, is_past),) = market.database.query(
        "SELECT cursor ->> 'since', (cursor ->> 'since')::timestamptz <= now() FROM platform"
    )
    assert is_past, cursor
    assert len(market.pulled()) == 2


def test_a_platform_whose_clock_is_ahead_is_read_up_to_its_own_now(market: Market) -> None:
    there = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)
    content = page(order(1, updated_at=there.isoformat())).body
    scripted(market, Reply(content, headers={"Date": format_datetime(there, usegmt=True)}))

    assert market.database.query("SELECT cursor FROM platform") == [({"since": there.isoformat()},)]


def test_where_a_platform_does_not_sort_only_the_end_moves_the_cursor(market: Market) -> None:
    # It fails on the second page: what is older than the first page's is still to come.
    scripted(market, page(order(3), order(1), cursor="a"), Reply(b"<html>"), code=1)
    assert market.database.query("SELECT cursor FROM platform") == [({},)]
    assert len(market.pulled()) == 2


def test_a_cursor_that_an_operator_moves_while_it_is_pulled_stays_where_it_was_moved(
    market: Market, server: OrderServer
) -> None:
    market.add_rest("tyre24", server)
    server.page_size = 2
    answer = server.answer

    def move_at_the_second_page(method: str, target: str) -> tuple[int, bytes]:
        if "cursor=" in target:
            market.database.query('UPDATE platform SET cursor = \'{"since": "2026-10-01"}\'')
        return answer(method, target)

    server.answer = move_at_the_second_page

    told = market.pull()

    assert "tyre24: its cursor was set while it was pulled, and stays as set" in told
    assert market.database.query("SELECT cursor FROM platform") == [({"since": "2026-10-01"},)]
    assert len(market.pulled()) == 5


def test_a_platform_whose_times_cannot_be_read_is_told_for_its_cursor_stays(market: Market) -> None:
    with https_server(lambda _: page(order(1, updated_at="01.11.2026")), tls=False) as platform:
        market.add("tyre24", "rest", {"url": f"{platform.url}/orders", "allow_http": True})
        told = market.pull()

    assert "no order has a time of its change that can be read" in told
    assert market.database.query("SELECT cursor FROM platform") == [({},)]


def test_a_platform_that_sorts_is_read_on_from_where_it_failed(market: Market) -> None:
    scripted(market, page(order(1), order(2), cursor="a"), Reply(b"<html>"), code=1)

    assert market.database.query("SELECT cursor FROM platform") == [
        ({"since": "2026-11-01T08:02:00+00:00"},)
    ]


def test_too_many_pages_are_left_for_the_next_run(market: Market) -> None:
    asked = scripted(
        market, page(order(1), cursor="a"), page(order(2), cursor="b"), config={"max_pages": 2}
    )

    assert len(asked) == 2
    assert market.database.query("SELECT cursor FROM platform") == [
        ({"since": "2026-11-01T08:02:00+00:00"},)
    ]


def test_an_acknowledgement_that_is_refused_is_made_in_the_next_run(
    market: Market, server: OrderServer
) -> None:
    market.add_rest("tyre24", server)
    server.refused_acknowledgements = {"ORD-000003": 503}

    told = market.pull(code=1)
    assert "1 order is stored, but not acknowledged" in told
    assert [row[0] for row in market.pulled() if not row[2]] == ["ORD-000003"]
    server.refused_acknowledgements = {}
    market.pull()

    assert sorted(server.acknowledged) == [f"ORD-{n:06d}" for n in range(1, 6)]
    assert market.messages() == 5


def test_an_unknown_or_inactive_platform_is_bad_input_that_names_the_nearest(
    market: Market, server: OrderServer
) -> None:
    market.add_rest("tyre24", server)
    market.add_rest("adtyres", server, active=False)
    market.database.query("UPDATE platform SET active = false WHERE code = 'adtyres'")

    assert "did you mean 'tyre24'?" in market.pull("--platform=tire24", code=65)
    assert "cronops platform enable adtyres" in market.pull("--platform", "adtyres", code=65)
    # The words of before there were options.
    assert "write: cronops platform pull-orders --platform=tyre24" in market.pull("tyre24")
    assert len(market.pulled()) == 5


def test_without_any_platform_it_succeeds_and_says_what_to_do(market: Market) -> None:
    assert "no platform is active; see: cronops platform set --help" in market.pull()


def test_what_is_older_than_its_retention_goes_and_what_nobody_worked_stays(
    market: Market, server: OrderServer
) -> None:
    market.add_rest("tyre24", server, overlap="1s")
    market.pull()
    market.work()
    market.database.query("UPDATE platform_fetch SET fetched_at = now() - interval '31 days'")
    market.database.query("UPDATE platform_order SET received_at = now() - interval '91 days'")
    market.database.query("UPDATE platform_order SET state = 'new' WHERE external_id LIKE '%%1'")

    market.pull()

    # The order in the overlap came again, and was known: that answer is not kept either.
    assert market.fetches() == []
    left = market.database.query("SELECT external_id FROM platform_order WHERE payload IS NOT NULL")
    assert left == [("ORD-000001",)]
    assert len(market.sales()) == 5


def test_a_platform_that_is_asked_too_often_is_asked_again_when_it_says(market: Market) -> None:
    market.database.env["CRONOPS_CLIENTS__ATTEMPTS"] = "2"
    asked = scripted(market, Reply(b"", 429, {"Retry-After": "0"}), page(order(1)))

    assert len(asked) == 2
    assert len(market.pulled()) == 1


def test_told_to_stop_it_does_not_wait_for_a_platform_that_is_silent(market: Market) -> None:
    market.database.env |= {
        "CRONOPS_CLIENTS__READ_TIMEOUT": "60",
        "CRONOPS_SUPERVISOR__GRACE": "4",
    }
    with https_server(lambda _: Reply(stall_before=True), tls=False) as platform:
        market.add("tyre24", "rest", {"url": f"{platform.url}/orders", "allow_http": True})
        pull = market.cli.start("platform", "pull-orders")
        wait_until(lambda: bool(platform.requests))
        pull.terminate()
        said = "".join(pull.communicate(timeout=30))

    assert pull.returncode == 0, said
    assert "tyre24: told to stop: the rest is left for the next run" in said
    assert market.database.query("SELECT outcome, signal FROM run") == [("succeeded", None)]


def test_platforms_are_asked_at_once_but_no_more_than_are_allowed(market: Market) -> None:
    both = threading.Barrier(2)

    def answer(_: Request) -> Reply:
        both.wait(timeout=10)  # each waits until the other is asked as well
        return page(order(1))

    market.database.env["CRONOPS_CLIENTS__READ_TIMEOUT"] = "15"
    with https_server(answer, tls=False) as platform:
        for code in ("one", "two"):
            market.add(code, "rest", {"url": f"{platform.url}/{code}", "allow_http": True})
        market.pull("--parallel=2")

    assert len(market.pulled()) == 2
    assert "--parallel must be from 1 to 16" in market.pull("--parallel=0", code=2)


def test_what_changes_after_the_first_answer_is_left_to_the_next_run(market: Market) -> None:
    later = "2199-01-01T00:00:00Z"
    asked = scripted(
        market,
        page(order(1), cursor="a"),
        page(order(2, updated_at=later), cursor="b"),
        config={"ordered": True},
    )

    assert len(asked) == 2, "a platform that changes faster than we read would never end"
    assert len(market.pulled()) == 2

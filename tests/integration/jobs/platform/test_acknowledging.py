"""Acknowledgements that a platform refuses: known already, gone, unknown there, or never taken."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from cronops.samples.order_server import OrderServer
from cronops.samples.orders import orders
from tests.integration.jobs.platform.conftest import Market
from tests.servers import wait_until

THIRD = "ORD-000003"


def unacknowledged(market: Market) -> list[str]:
    return [external_id for external_id, _, is_known in market.pulled() if not is_known]


def operator(market: Market, *words: str, code: int = 0) -> str:
    done = market.cli("platform", *words)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def listed(market: Market) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(operator(market, "unacknowledged", "--json"))
    return rows


@pytest.mark.parametrize("status", [409, 410])
def test_what_is_known_there_already_counts_as_acknowledged_and_is_told_once(
    status: int, market: Market, server: OrderServer
) -> None:
    market.add_rest("tyre24", server)
    server.refused_acknowledgements = {THIRD: status}

    told = market.pull()

    assert f"1 order is acknowledged already, or gone there: it answered {status}" in told
    assert unacknowledged(market) == []
    assert "already" not in market.pull()


def test_a_status_that_means_something_else_there_is_a_refusal(
    market: Market, server: OrderServer
) -> None:
    url = f"{server.url}/orders/{{id}}/ack"
    market.add_rest("tyre24", server, acknowledge={"url": url, "already": [410]})
    server.refused_acknowledgements = {THIRD: 409}

    assert "1 order is stored, but not acknowledged" in market.pull(code=1)
    assert unacknowledged(market) == [THIRD]


def test_an_order_that_is_refused_is_given_up_after_a_few_runs_and_listed(
    market: Market, server: OrderServer
) -> None:
    url = f"{server.url}/orders/{{id}}/ack"
    market.add_rest("tyre24", server, acknowledge={"url": url, "attempts": 2})
    server.refused_acknowledgements = {THIRD: 404}

    assert "1 order is stored, but not acknowledged" in market.pull(code=1)
    last = market.pull(code=1)
    server.requests.clear()
    market.pull()

    assert "1 order is stored, but will not be acknowledged, after 2 refusals" in last
    assert "404" in last
    assert "cronops platform unacknowledged --platform tyre24" in last
    assert not [one for one in server.requests if "/ack" in one]
    (row,) = listed(market)
    assert (row["external_id"], row["state"], row["refusals"]) == (THIRD, "given up", 2)
    assert "404" in row["refusal"]


def test_what_was_given_up_is_acknowledged_when_an_operator_says_so(
    market: Market, server: OrderServer
) -> None:
    url = f"{server.url}/orders/{{id}}/ack"
    market.add_rest("tyre24", server, acknowledge={"url": url, "attempts": 1})
    server.refused_acknowledgements = {THIRD: 422, "ORD-000004": 404}
    market.pull(code=1)
    server.refused_acknowledgements = {}

    unknown = operator(market, "acknowledge", "tyre24", "ORD-9", "--reason=x", code=65)
    assert "'ORD-9' of tyre24 does not wait for an acknowledgement" in unknown
    assert operator(market, "acknowledge", "tyre24", THIRD, "--done", "--reason=by mail") == (
        "1 order of tyre24 noted as acknowledged.\n"
    )
    assert operator(market, "acknowledge", "tyre24", "--reason=address mended") == (
        "The next pull acknowledges 1 order of tyre24.\n"
    )
    market.pull()

    assert sorted(server.acknowledged) == ["ORD-000001", "ORD-000002", "ORD-000004", "ORD-000005"]
    assert listed(market) == []
    assert market.database.query("SELECT action, subject, reason FROM audit ORDER BY id") == [
        ("platform acknowledge", "tyre24", "by mail"),
        ("platform acknowledge", "tyre24", "address mended"),
    ]


def test_an_id_is_one_word_of_the_address_whatever_it_holds(market: Market) -> None:
    odd = replace(next(orders(1)), id="A/../1 ?#%é")
    with OrderServer([odd]) as server:
        market.add_rest("tyre24", server)
        market.pull()
        assert server.acknowledged == ["A%2F..%2F1%20%3F%23%25%C3%A9"]

    assert unacknowledged(market) == []


def test_one_refused_order_does_not_hold_up_the_others(market: Market, server: OrderServer) -> None:
    market.add_rest("tyre24", server)
    server.page_size = 2
    server.refused_acknowledgements = {"ORD-000001": 404}

    market.pull(code=1)

    assert unacknowledged(market) == ["ORD-000001"]
    # In one run each order is tried once.
    assert len([one for one in server.requests if "ORD-000001/ack" in one]) == 1


@pytest.mark.parametrize("status", [503, 403])
def test_a_platform_that_takes_none_is_not_asked_for_each_and_gives_up_no_order(
    status: int, market: Market, server: OrderServer
) -> None:
    url = f"{server.url}/orders/{{id}}/ack"
    market.add_rest("tyre24", server, acknowledge={"url": url, "attempts": 1})
    server.page_size = 2
    server.refused_acknowledgements = {one.id: status for one in orders(5)}

    market.pull(code=1)
    assert len([one for one in server.requests if "/ack" in one]) == server.page_size
    assert {row["state"] for row in listed(market)} == {"tried"}


def test_all_requests_together_are_no_more_in_a_second_than_are_allowed(
    market: Market, server: OrderServer
) -> None:
    asked: list[float] = []
    answer = server.answer

    def note(method: str, target: str) -> tuple[int, bytes]:
        asked.append(time.monotonic())
        return answer(method, target)

    server.answer = note
    market.add_rest("tyre24", server, per_second=10)
    market.pull()

    assert len(asked) == 6
    assert asked[-1] - asked[0] > 0.45


def test_told_to_stop_it_leaves_the_rest_for_the_next_run_and_has_not_failed(
    market: Market, server: OrderServer
) -> None:
    market.add_rest("tyre24", server, per_second=0.5)
    pull = market.cli.start("platform", "pull-orders")
    wait_until(lambda: len(server.requests) >= 2)
    pull.terminate()
    said = "".join(pull.communicate(timeout=30))

    assert pull.returncode == 0, said
    assert len(market.pulled()) == 5
    market.database.query("UPDATE platform SET config = config - 'per_second'")
    market.pull()
    assert unacknowledged(market) == []


def test_what_could_not_be_acknowledged_for_a_week_is_told_and_given_up(
    market: Market, server: OrderServer
) -> None:
    market.add_rest("tyre24", server)
    server.refused_acknowledgements = {THIRD: 503}
    market.pull(code=1)
    market.database.query("UPDATE platform_order SET acknowledge_since = now() - interval '8 days'")

    assert "1 order is stored, but could not be acknowledged for a week" in market.pull(code=1)
    market.pull()

    assert [row["state"] for row in listed(market)] == ["given up"]

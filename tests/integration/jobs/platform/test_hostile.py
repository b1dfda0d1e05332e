"""Platforms that stall, cut off, answer with pages for people, redirect, or send traps."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cronops.samples.order_server import OrderServer
from cronops.samples.orders import as_json_file, as_opentrans, as_xml, orders
from tests.integration.jobs.platform.conftest import Market
from tests.partners import HttpsServer, Reply, https_server
from tests.servers import Request

PAGE = as_json_file(list(orders(2)))
HTML = b"<!DOCTYPE html><html><body>Please log in</body></html>"
ENTITIES = b"""<?xml version="1.0"?>
<!DOCTYPE orders [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<orders><order><id>&b;</id></order></orders>"""
OUTSIDE = b"""<?xml version="1.0"?>
<!DOCTYPE orders [<!ENTITY file SYSTEM "file:///etc/passwd">]>
<orders><order><id>&file;</id></order></orders>"""


@contextmanager
def platform(
    market: Market, reply: Reply, adapter: str = "rest", **more: Any
) -> Iterator[HttpsServer]:
    """A platform over TLS that gives this one answer, trusted."""
    with https_server(lambda _: reply) as server:
        market.database.env["CRONOPS_CLIENTS__CA_FILE"] = str(server.ca_file)
        market.add("tyre24", adapter, {"url": f"{server.url}/orders", **more})
        yield server


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(PAGE, stall_before=True), "silent for 1s"),
        (Reply(PAGE, stall_after=20), "silent for 1s"),
        (Reply(PAGE, cut_after=40), "cut"),
        (Reply(HTML), "HTML or XML came where JSON was expected"),
        (Reply(b""), "nothing came where JSON was expected"),
        (Reply(PAGE[:-30]), "not JSON in line"),
        (Reply(b'{"orders": {"id": 1}}'), "there is no list of orders under 'orders'"),
        (Reply(b'{"orders": [NaN]}'), "NaN is no number"),
        (Reply(b"[" * 40_000), "not JSON"),
        (Reply(b'{"orders": ["\xff"]}'), "not UTF-8 at byte"),
        (Reply(b" " * 60_000), "larger than"),
        (Reply(status=302, headers={"Location": "https://evil.example/orders"}), "another server"),
        (Reply(b"no", status=403), "403"),
        (Reply(b"no", status=503), "503"),
    ],
)  # fmt: skip
def test_what_a_broken_platform_answers_fails_it_by_name_and_stores_no_order(
    reply: Reply, reason: str, market: Market
) -> None:
    with platform(market, reply, max_bytes=50_000):
        told = market.pull(code=1)

    assert "1 of 1 platforms failed: tyre24: " in told
    assert reason in told
    assert market.pulled() == []
    assert market.messages() == 0
    ((cursor, problem),) = market.database.query("SELECT cursor, problem FROM platform")
    assert cursor == {}
    assert reason in problem


def test_a_certificate_that_nobody_vouches_for_is_refused(market: Market) -> None:
    with https_server(lambda _: Reply(PAGE)) as server:
        market.add("tyre24", "rest", {"url": f"{server.url}/orders"})
        told = market.pull(code=1)
        assert server.requests == []

    assert "certificate" in told


def test_a_certificate_of_another_host_is_refused(market: Market) -> None:
    with https_server(lambda _: Reply(PAGE), hosts=("elsewhere.example",)) as server:
        market.database.env["CRONOPS_CLIENTS__CA_FILE"] = str(server.ca_file)
        market.add("tyre24", "rest", {"url": f"{server.url}/orders"})
        told = market.pull(code=1)
        assert server.requests == []

    assert "certificate" in told


@pytest.mark.parametrize("content", [ENTITIES, OUTSIDE])
def test_xml_with_entities_is_kept_refused_and_not_expanded(content: bytes, market: Market) -> None:
    with platform(market, Reply(content), "xml-feed"):
        told = market.pull(code=1)

    assert "it has a document type (DOCTYPE), which is refused" in told
    assert "cronops platform replay 1" in told
    assert market.database.query("SELECT state, content FROM platform_fetch") == [
        ("refused", content)
    ]
    assert market.pulled() == []


@pytest.mark.parametrize(
    "reply", [Reply(as_xml(list(orders(2))), cut_after=60), Reply(stall_before=True)]
)
def test_an_answer_cut_off_after_it_was_marked_as_read_is_told_and_not_asked_again(
    reply: Reply, market: Market
) -> None:
    market.database.env["CRONOPS_CLIENTS__ATTEMPTS"] = "3"
    with platform(market, reply, "xml-feed") as server:
        told = market.pull(code=1)
        assert len(server.requests) == 1, "another try would hide that the first is lost"

    assert "tyre24" in told
    ((state, problem),) = market.database.query("SELECT state, problem FROM platform_fetch")
    assert state == "lost"
    assert "have them marked as unread there" in problem


def test_a_platform_that_was_surely_not_reached_has_lost_nothing(market: Market) -> None:
    market.add("easy4d", "xml-feed", {"url": "https://127.0.0.1:9/feed"})

    market.pull(code=1)

    assert market.fetches() == []


def test_the_same_broken_answer_every_five_minutes_is_kept_once(market: Market) -> None:
    with platform(market, Reply(HTML)):
        market.pull(code=1)
        market.pull(code=1)

    assert [state for _, state in market.fetches()] == ["refused"]


def test_one_platform_down_does_not_hold_up_the_others(market: Market, server: OrderServer) -> None:
    market.add("broken", "rest", {"url": "https://127.0.0.1:9/orders"})
    market.add_rest("tyre24", server)
    market.add("unset", "rest", {"ulr": "https://127.0.0.1:9/orders"})

    told = market.pull(code=1)

    assert "2 of 3 platforms failed: broken: " in told
    assert "'unset' is wrong: url: Field required; ulr: there is no such key; did you mean" in told
    assert len(market.pulled()) == 5
    assert sorted(server.acknowledged) == [one.id for one in orders(5)]
    assert market.database.query("SELECT code FROM platform WHERE problem IS NULL") == [("tyre24",)]


def test_ops_and_the_owner_of_the_platforms_are_told_in_different_words(
    market: Market,
) -> None:
    """The specification's scenario, with two real endpoints."""
    with (
        https_server(lambda _: Reply(b"ok"), tls=False) as ops,
        https_server(lambda _: Reply(b"ok"), tls=False) as owner,
    ):
        routes = {
            "Shared Ops": [f"json://127.0.0.1:{ops.port}/"],
            "Platform Export": [f"json://127.0.0.1:{owner.port}/"],
        }
        market.database.env["CRONOPS_ALERTS__ROUTES"] = json.dumps(routes)
        market.add("tyre24", "rest", {"url": "https://127.0.0.1:9/orders"})
        market.pull(code=1)
        paged, notified = (
            [json.loads(one.body) for one in inbox.requests] for inbox in (ops, owner)
        )

    assert len(paged) == len(notified) == 1
    assert "tyre24" in paged[0]["message"]
    assert "do not reach the ERP: customers wait" in notified[0]["message"]
    assert paged[0]["message"] != notified[0]["message"]


def test_nothing_of_customers_or_secrets_gets_into_logs_or_errors(market: Market) -> None:
    secret = "t0ken-of-tyre24"
    market.database.env["CRONOPS_CLIENTS__CREDENTIALS"] = json.dumps({"t24": {"token": secret}})
    bad = as_json_file(list(orders(2))).replace(
        b'"quantity": ', b'"quantity": "x Anna Muster", "q": '
    )
    with https_server(lambda _: Reply(bad)) as server:
        market.database.env["CRONOPS_CLIENTS__CA_FILE"] = str(server.ca_file)
        market.add(
            "tyre24",
            "rest",
            {"url": f"{server.url}/orders", "token_header": "X-AUTH-TOKEN"},
            credential="t24",
        )
        told = market.pull()
        assert server.requests[0].headers["X-AUTH-TOKEN"] == secret
    done = market.cli("queue", "process", "--queue=general")

    errors = market.database.query("SELECT status, error FROM queue_message")
    assert {status for status, _ in errors} == {"CRASH"}
    assert {"lines.0.quantity" in error for _, error in errors} == {True}
    seen = told + done.stdout + done.stderr + str(errors)
    for private in (secret, "Anna", "Muster", "example.com", "Ringstraße"):
        assert private not in seen


def test_a_platform_that_repeats_our_token_in_its_error_does_not_spread_it(market: Market) -> None:
    secret = "t0ken-of-tyre24"
    market.database.env["CRONOPS_CLIENTS__CREDENTIALS"] = json.dumps({"t24": {"token": secret}})

    def repeat(request: Request) -> Reply:
        return Reply(f"bad token {request.headers['X-AUTH-TOKEN']}".encode(), status=400)

    with https_server(repeat, tls=False) as server:
        config = {"url": f"{server.url}/orders", "token_header": "X-AUTH-TOKEN"}
        market.add("tyre24", "rest", {**config, "allow_http": True}, credential="t24")
        told = market.pull(code=1)

    stored = str(market.database.query("SELECT problem FROM platform"))
    stored += str(market.database.query("SELECT error FROM run"))
    stored += str(market.database.query("SELECT title, body FROM alert"))
    assert "bad token" in told
    assert secret not in told + stored


BROKEN_READER = """
from cronops.jobs.platform.formats import mapping

def fails(*_):
    raise KeyError("Anna Muster")

mapping.read_records = fails
"""


def test_a_mistake_in_reading_is_told_kept_and_does_not_end_each_run_after_it(
    market: Market, server: OrderServer, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(BROKEN_READER)
    market.add("easy4d", "xml-feed", {"url": f"{server.url}/feed", "allow_http": True})
    whole = market.database.env.copy()
    market.database.env["PYTHONPATH"] = str(tmp_path)
    told = market.pull(code=1)
    market.database.env["PYTHONPATH"] = whole.get("PYTHONPATH", "")
    market.pull()

    assert "its reading failed with KeyError, a mistake of the adapter; kept as fetch" in told
    assert "Anna" not in told
    assert [state for _, state in market.fetches()] == ["refused"]
    assert "5 of them new" in market.cli("platform", "replay", "1").stdout


def test_a_file_that_is_appended_to_while_it_is_read_is_left_for_the_next_run(
    market: Market,
) -> None:
    inbound = market.root / "inbound"
    inbound.mkdir()
    whole = as_opentrans(next(orders(1)))
    growing = inbound / "growing.xml"
    market.add("check24", "files", {"location": "inbound"})
    growing.write_bytes(whole[:300])

    # It pauses half-written: what is there cannot be read to its end.
    market.pull(code=1)
    with growing.open("ab") as file:
        file.write(whole[300:])
    market.pull()

    assert len(market.pulled()) == 1
    assert [state for _, state in market.fetches()] == ["refused", "taken"]
    assert [file.name for file in (inbound / "backup").iterdir()] == ["growing.xml"]


def test_a_file_that_cannot_be_read_twice_over_is_moved_to_the_rejected(market: Market) -> None:
    inbound = market.root / "inbound"
    inbound.mkdir()
    (inbound / "page.xml").write_bytes(HTML)
    (inbound / "whole.xml").write_bytes(as_opentrans(next(orders(1))))
    market.add("check24", "files", {"location": "inbound"})

    told = market.pull(code=1)
    assert "page.xml: an HTML page came where XML was expected" in told
    assert len(market.pulled()) == 1, "the others are read all the same"
    market.pull()

    assert (inbound / "rejected/page.xml").exists()

"""Platforms that mark as read what they give, and those that leave files."""

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cronops.samples.order_server import OrderServer
from cronops.samples.orders import (
    as_json_file,
    as_opentrans,
    as_opentrans_change,
    as_xml,
    orders,
)
from tests.integration.jobs.platform.conftest import Market
from tests.partners import CUT, Reply, Trouble, ftp_server, https_server, sftp_server
from tests.servers import Request


def test_a_feed_is_asked_until_nothing_is_unread(market: Market) -> None:
    with OrderServer(list(orders(25))) as server:
        market.add("easy4d", "xml-feed", {"url": f"{server.url}/feed", "allow_http": True})
        market.pull()

    assert len(market.pulled()) == 25
    # What held nothing is not kept.
    assert [state for _, state in market.fetches()] == ["taken"] * 3
    market.work()
    assert {row[1] for row in market.sales()} == {"ready"}


def test_a_feed_that_does_not_mark_as_read_ends_all_the_same(market: Market) -> None:
    page = as_xml(list(orders(2)))
    with https_server(lambda _: Reply(page), tls=False) as server:
        market.add("easy4d", "xml-feed", {"url": f"{server.url}/feed", "allow_http": True})
        market.pull()
        market.pull()

    assert len(server.requests) == 4
    assert market.messages() == 2


def test_an_answer_that_nobody_gives_again_outlives_the_database_connection(
    market: Market,
) -> None:
    pages = [as_xml(list(orders(2))), b"<orders></orders>"]

    def answer(_: Request) -> Reply:
        if len(pages) == 2:
            market.database.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
                " current_database() AND application_name LIKE 'cronops run % pull'"
            )
        return Reply(pages.pop(0) if pages else b"<orders></orders>")

    with https_server(answer, tls=False) as server:
        market.add("easy4d", "xml-feed", {"url": f"{server.url}/feed", "allow_http": True})
        told = market.pull()

    assert "an answer waits for the database" in told
    assert len(market.pulled()) == 2
    assert market.messages() == 2


def test_a_dry_run_stores_nothing_and_does_not_ask_what_would_be_lost(
    market: Market, server: OrderServer
) -> None:
    inbound = files(market, "check24", {"a.xml": as_opentrans(server.orders[0])})
    market.add("easy4d", "xml-feed", {"url": f"{server.url}/feed", "allow_http": True})
    market.add_rest("tyre24", server)

    told = market.pull("--dry-run")

    assert "easy4d was not asked: what is fetched there is marked as read" in told
    assert "6 orders" in told
    assert len(server.unread) == 5
    assert server.acknowledged == []
    assert market.pulled() == market.fetches() == []
    assert (inbound / "a.xml").exists()


def test_a_dry_run_fails_where_a_pull_would(market: Market) -> None:
    files(market, "check24", {"a.xml": b"<INVOICE><X/></INVOICE>"})

    assert "<INVOICE> is no openTRANS order" in market.pull("--dry-run", code=1)
    assert market.fetches() == []
    assert market.database.query("SELECT problem FROM platform") == [(None,)]


def test_an_order_its_change_and_its_cancellation_come_to_one_end_in_any_sequence(
    market: Market,
) -> None:
    order = next(one for one in orders(20) if len(one.lines) > 1)
    changed = replace(order, lines=order.lines[:1])
    # By their names the cancellation comes first, and the order last.
    files(
        market,
        "check24",
        {
            "1-cancelled.xml": as_opentrans_change(replace(order, lines=()), 2),
            "2-changed.xml": as_opentrans_change(changed, 1),
            "3-order.xml": as_opentrans(order),
        },
    )

    market.pull()
    market.work()

    assert [row[:3] for row in market.sales()] == [(order.id, "cancelled", changed.total)]
    states = market.database.query("SELECT kind, revision, state FROM platform_order ORDER BY id")
    assert [state for _, _, state in states] == ["applied", "applied", "superseded"]


def test_a_file_that_comes_again_word_for_word_is_moved_and_not_enqueued_again(
    market: Market,
) -> None:
    order = as_json_file(list(orders(2)))
    inbound = files(market, "zeroseven", {"a.json": order}, format="json", backup="done")
    market.pull()
    (inbound / "a.json").write_bytes(order)

    market.pull()

    assert market.messages() == 2
    assert sorted(file.name for file in (inbound / "done").iterdir()) == ["a.1.json", "a.json"]


def test_a_directory_outside_the_root_is_refused(market: Market, tmp_path: Path) -> None:
    market.add("check24", "files", {"location": str(tmp_path)})

    assert "1 of 1 platforms failed: check24: " in market.pull(code=1)


def test_a_file_that_cannot_be_taken_does_not_hold_up_those_after_it(market: Market) -> None:
    large, small = as_json_file(list(orders(9))), as_json_file(list(orders(1)))
    files(market, "zeroseven", {"a.json": large, "b.json": small}, format="json", max_bytes="2000")

    told = market.pull(code=1)

    assert "a.json is larger than 2,000 bytes" in told
    assert [one for one, _, _ in market.pulled()] == ["ORD-000001"]


def test_files_that_cannot_be_moved_are_read_all_the_same_and_once(market: Market) -> None:
    contents = {f"{one.id}.xml": as_opentrans(one) for one in orders(2)}
    inbound = files(market, "check24", contents, pattern="*.xml")
    (inbound / "backup").write_text("somebody made this a file")

    told = market.pull(code=1)
    market.pull(code=1)

    assert "ORD-000001.xml is read, and cannot be moved: " in told
    assert market.messages() == 2
    (inbound / "backup").unlink()
    market.pull()
    assert sorted(file.name for file in (inbound / "backup").iterdir()) == sorted(contents)


def files(market: Market, code: str, contents: dict[str, bytes], **more: str) -> Path:
    """A platform whose files lie in ``inbound``; where that is."""
    inbound = market.root / "inbound"
    inbound.mkdir()
    for name, content in contents.items():
        (inbound / name).write_bytes(content)
    market.add(code, "files", {"location": "inbound", **more})
    return inbound


@pytest.mark.parametrize("kind", ["ftps", "sftp"])
def test_files_behind_a_real_server_are_moved_beside_the_inbound(
    kind: str, market: Market, tmp_path: Path
) -> None:
    there = tmp_path / "partner"
    (there / "inbound").mkdir(parents=True)
    for one in orders(2):
        (there / "inbound" / f"{one.id}-ORDER.xml").write_bytes(as_opentrans(one))
    trouble = Trouble("download", CUT, times=1, after=0)
    with ExitStack() as stack:
        server: Any
        if kind == "ftps":
            server = stack.enter_context(ftp_server(there, tls=True, trouble=trouble))
            market.database.env["CRONOPS_CLIENTS__CA_FILE"] = str(server.ca_file)
        else:
            server = stack.enter_context(sftp_server(there, trouble=trouble))
        market.database.env["CRONOPS_CLIENTS__CREDENTIALS"] = json.dumps(
            {"partner": server.credential}
        )
        location = f"{server.url.rstrip('/')}/inbound"
        market.add(
            "roadzila",
            "files",
            {"location": location, "backup": "../backup"},
            credential="partner",
        )
        market.pull(code=1)  # cut in the middle of a file
        told = market.pull()

    assert [one for one, _, _ in market.pulled()] == [one.id for one in orders(2)]
    assert sorted(file.name for file in (there / "backup").iterdir()) == [
        f"{one.id}-ORDER.xml" for one in orders(2)
    ]
    assert list((there / "inbound").iterdir()) == []
    assert "pass word" not in told

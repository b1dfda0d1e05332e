"""``cronops platform``: setting platforms up, and looking after what came of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from cronops.jobs.platform.adapters.table import configuration_of
from cronops.jobs.platform.presets import PRESETS, PUSHES
from cronops.samples.order_server import OrderServer
from cronops.samples.orders import as_json_file, orders
from tests.integration.jobs.platform.conftest import Market


class Operator:
    """Types commands of one group."""

    def __init__(self, market: Market) -> None:
        self.market = market

    def __call__(self, *words: str, code: int = 0) -> str:
        done = self.market.cli("platform", *words)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def json(self, *words: str) -> Any:
        done = self.market.cli("platform", *words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def audit(self) -> list[tuple[Any, ...]]:
        return self.market.database.query("SELECT action, subject, reason FROM audit ORDER BY id")


@pytest.fixture
def operator(market: Market) -> Operator:
    return Operator(market)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_configuration_that_its_adapter_takes(name: str) -> None:
    preset = PRESETS[name]

    configuration_of(preset.adapter, preset.config, name)


def test_a_platform_is_set_shown_changed_and_switched(operator: Operator) -> None:
    assert "There is no platform yet" in operator("list")
    told = operator("set", "tyre24", "--preset", "tyre24", "--credential", "t24")
    assert "Added platform tyre24." in told
    assert "there is no credential 't24' in the settings of this machine" in told

    operator("set", "tyre24", "--option", "page_size=50", "--option", "fields.external_id=no")
    shown = operator.json("show", "tyre24")

    assert (shown["name"], shown["credential"], shown["active"]) == ("Tyre24", "t24", True)
    assert shown["article_ids"] == "tyre24_id"
    assert shown["config"]["page_size"] == 50
    assert shown["config"]["fields"] == {"external_id": "no"}
    assert shown["config"]["url"] == PRESETS["tyre24"].config["url"]
    assert operator("disable", "tyre24", "--reason", "contract ended") == (
        "Disabled platform tyre24.\n"
    )
    assert operator("disable", "tyre24") == "Platform tyre24 was disabled already.\n"
    assert operator.json("list")[0]["active"] is False
    assert operator("enable", "tyre24") == "Enabled platform tyre24.\n"
    assert operator.audit() == [
        ("platform set", "tyre24", None),
        ("platform set", "tyre24", None),
        ("platform disable", "tyre24", "contract ended"),
        ("platform enable", "tyre24", None),
    ]


def test_a_platform_comes_from_a_file(operator: Operator, tmp_path: Path) -> None:
    toml = tmp_path / "easy4d.toml"
    toml.write_text(
        'name = "Easy4D"\nadapter = "xml-feed"\n[config]\nurl = "https://x.example/orders"\n'
    )
    operator("set", "easy4d", "--from", str(toml), "--inactive")

    shown = operator.json("show", "easy4d")
    assert (shown["adapter"], shown["active"]) == ("xml-feed", False)
    assert shown["config"] == {"url": "https://x.example/orders"}


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["autodoc", "--adapter=rest"], 64, PUSHES["autodoc"]),
        (["x", "--preset=autodoc"], 64, PUSHES["autodoc"]),
        (["x", "--preset=tire24"], 64, "no preset is called 'tire24'; did you mean 'tyre24'?"),
        (["x"], 64, "say how it is asked"),
        (["X y", "--preset=directory"], 64, "is no code"),
        (["x", "--adapter=rest"], 78, "url: Field required"),
        (["x", "--adapter=rest", "--url=ftp://h/"], 78, "must be a URL such as https://"),
        (["x", "--adapter=rest", "--url=https://a:b@h/"], 78, "password inside a URL is refused"),
        (["x", "--preset=directory", "--location=/etc"], 64, "location: "),
        (["x", "--preset=directory", "--option=paterns=1"], 78, "did you mean 'pattern'?"),
        (["x", "--preset=directory", "--option=pattern"], 64, "write it as key=value"),
        (["x", "--preset=easy4d", "--option=time_zone=Europe/Berln"], 78, "must be a time zone"),
        (["x", "--preset=tyre24", "--option=acknowledge.url=https://h/ack"], 78, "{id}"),
        (["x", "--adapter=rest", "--url=http://h/"], 78, "allow_http"),
        (["x", "--adapter=rest", "--url=https://h\x1b/"], 78, "control characters"),
        (["x", "--preset=tyre24", "--option=token_header=X\r\nY: z"], 78, "token_header: "),
        (["x", "--preset=tyre24", "--name=x\x1b[31m"], 64, "--name: control characters"),
        (["x", "--preset=tyre24", '--option=params.x="\\u0000"'], 64, "a NUL in a value"),
        (["x", "--preset=directory", "--option=backup=./"], 78, "must be another directory"),
        (["x", "--preset=directory", "--option=backup=/etc"], 64, "backup: /etc lies outside"),
        (["x", "--from=/nowhere.json"], 65, "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_refused_before_it_is_written(
    words: list[str], code: int, reason: str, operator: Operator
) -> None:
    assert reason in operator("set", *words, code=code)
    assert operator.market.database.query("SELECT code FROM platform") == []
    assert operator.audit() == []


def test_a_date_in_a_file_is_refused_for_no_configuration_holds_one(
    operator: Operator, tmp_path: Path
) -> None:
    toml = tmp_path / "x.toml"
    toml.write_text(
        'adapter = "rest"\n[config]\nurl = "https://x.example/"\n'
        '[config.acknowledge]\nurl = "https://x.example/{id}"\nbody = {day = 2026-11-26}\n'
    )

    assert "is written as text" in operator("set", "x", "--from", str(toml), code=64)


def test_an_unknown_platform_is_answered_with_the_nearest(operator: Operator) -> None:
    operator("set", "roadzila", "--preset=directory")

    assert "did you mean 'roadzila'?" in operator("show", "roadzilla", code=65)


def test_a_cursor_is_moved_back_and_nothing_comes_twice(
    operator: Operator, server: OrderServer
) -> None:
    market = operator.market
    market.add_rest("tyre24", server)
    market.pull()
    assert operator("cursor", "tyre24") == "tyre24 is read up to 2026-11-01T08:05:00+00:00.\n"
    assert "say why with --reason" in operator("cursor", "tyre24", "--set=1d", code=64)
    assert "in the future" in operator(
        "cursor", "tyre24", "--set=2199-01-01T00:00:00Z", "--reason=x", code=64
    )

    operator("cursor", "tyre24", "--set=2026-10-01T00:00:00Z", "--reason=some are missing")
    server.requests.clear()
    market.pull()

    assert "since=2026-09-30T23" in server.requests[0]
    assert market.messages() == 5
    assert operator.audit() == [("platform cursor", "tyre24", "some are missing")]


def test_a_stored_answer_is_read_again_once_its_names_are_mended(operator: Operator) -> None:
    market = operator.market
    inbound = market.root / "inbound"
    inbound.mkdir()
    content = as_json_file(list(orders(3))).replace(b'"id":', b'"orderNo":')
    (inbound / "orders.json").write_bytes(content)
    operator("set", "zeroseven", "--preset=zeroseven", "--location=inbound")
    assert "order 1 of 3 has no id" in market.pull(code=1)
    ((fetch,),) = market.database.query("SELECT id FROM platform_fetch")

    operator("set", "zeroseven", "--option=fields.external_id=orderNo")
    told = operator("replay", str(fetch), "--reason=names mended")
    again = operator("replay", str(fetch))

    assert "3 orders read, 3 of them new and enqueued." in told
    assert "3 orders read, 0 of them new and enqueued." in again
    assert market.messages() == 3
    assert ("platform replay", "zeroseven", "names mended") in operator.audit()
    assert operator.json("fetches", "--state=taken")[0]["orders"] == 3
    assert "there is no fetch 99" in operator("replay", "99", code=65)


def test_doubtful_orders_are_listed_checked_again_and_accepted(
    operator: Operator, server: OrderServer
) -> None:
    market = operator.market
    market.add_rest("tyre24", server)
    market.database.query("UPDATE shop.article SET is_active = false")
    market.pull()
    market.work()
    listed = operator.json("orders", "list", "--needs-review")
    assert {row["external_id"] for row in listed} == {one.id for one in orders(5)}
    assert listed[0]["reasons"][0].endswith("its article is not active")
    first = min(row["id"] for row in listed)

    told = operator("orders", "accept", str(first), "--reason=sold out, but ordered again")
    assert told == f"Accepted order {first}.\n"
    assert "it is ready" in operator("orders", "accept", str(first), "--reason=x", code=1)
    market.database.query("UPDATE shop.article SET is_active = true WHERE id > 100")
    assert "Enqueued 4 orders" in operator("orders", "again")
    market.work()

    shown = operator.json("orders", "show", str(first))
    assert (shown["status"], shown["version"]) == ("ready", 2)
    assert shown["customer"]["email"] == f"{shown['external_id'].lower()}@example.com"
    assert [row["kind"] for row in shown["history"]] == ["order"]
    assert len(shown["lines"]) == len(next(orders(1)).lines)
    known = {f"A{number:07d}" for number in range(101, 201)}
    expected = {
        one.id: "ready"
        if number == 0 or all(line.article.article_number in known for line in one.lines)
        else "needs_review"
        for number, one in enumerate(orders(5))
    }
    rows = operator.json("orders", "list")
    assert {row["external_id"]: row["status"] for row in rows} == expected
    assert operator("orders", "list", "--platform=tyre24", "--status=cancelled") == (
        "No order matches.\n"
    )

"""The handler ``orders.process``: orders as the ERP gets them."""

import json
from decimal import Decimal
from typing import Any

import pytest

from cronops.jobs.platform.formats.order import FINAL
from cronops.samples.articles import ean_of
from tests.integration.jobs.platform.conftest import Market

LINE = {
    "position": 1,
    "article_number": "A0000001",
    "quantity": "4",
    "unit_price": "62.50",
    "title": "Continental",
}


def payload(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"currency": "EUR", "lines": [LINE | line for line in lines or ({},)], **more}


class Heard:
    """What a platform said, handed to the queue as a pull does."""

    def __init__(self, market: Market) -> None:
        self.market = market
        market.add("tyre24", "rest", {}, article_id_column="tyre24_id")

    def __call__(self, external_id: str, told: Any, kind: str = "order", revision: int = 0) -> int:
        ((source,),) = self.market.database.query(
            "INSERT INTO platform_order (platform_id, external_id, sha256, kind, revision, payload)"
            " SELECT id, %s, gen_random_uuid()::text, %s, %s, %s FROM platform RETURNING id",
            (external_id, kind, revision, json.dumps(told)),
        )
        self.enqueue(source)
        return int(source)

    def enqueue(self, source: int) -> None:
        self.market.database.query(
            "INSERT INTO queue_message (handler, payload) VALUES ('orders.process', %s)",
            (json.dumps({"order": source}),),
        )

    def standing(self) -> dict[str, tuple[str, list[str], int]]:
        return {
            row[0]: row[1:]
            for row in self.market.database.query(
                "SELECT external_id, status,"
                " array_remove(review_reasons || cancellation_note, NULL), version FROM sales_order"
            )
        }

    def errors(self) -> list[str]:
        rows = self.market.database.query(
            "SELECT error FROM queue_message WHERE status = 'CRASH' ORDER BY id"
        )
        return [row[0] for row in rows]


@pytest.fixture
def heard(market: Market) -> Heard:
    return Heard(market)


def test_an_order_is_written_with_its_lines_customer_and_articles(heard: Heard) -> None:
    heard(
        "o-1",
        payload(
            {},
            {"position": 2, "article_number": None, "ean": ean_of(2), "quantity": "2.0"}
            | {"unit_price": None, "total": "10.01"},
            total="260.01",
            tax="41.51",
            customer={"name": "Anna"},
            delivery={"zip": "50667"},
            ordered_at="2026-11-01T08:00:00+00:00",
        ),
    )
    heard.market.work()

    database = heard.market.database
    assert database.query(
        "SELECT status, currency, total, tax, lines_total, customer, delivery, ordered_at::text,"
        " version FROM sales_order"
    ) == [
        (
            *("ready", "EUR", Decimal("260.01"), Decimal("41.51"), Decimal("260.01")),
            *({"name": "Anna"}, {"zip": "50667"}, "2026-11-01 08:00:00+00", 1),
        )
    ]
    assert database.query(
        "SELECT article_id, matched_by, quantity, unit_price, total FROM sales_order_line"
        " ORDER BY position"
    ) == [
        (1, "article number", 4, Decimal("62.5000"), Decimal("250.00")),
        (2, "EAN", 2, None, Decimal("10.01")),
    ]


def test_what_cannot_be_right_is_written_and_marked_for_a_look(heard: Heard) -> None:
    heard.market.database.query(
        "UPDATE shop.article SET ean = '4000000000999', tyre24_id = NULL WHERE id IN (3, 4)"
    )
    heard.market.database.query("UPDATE shop.article SET tyre24_id = 'T24-X' WHERE id = 5")
    told: dict[str, tuple[dict[str, Any], list[str]]] = {
        "unknown": (
            payload({"article_number": "B-1", "ean": "1"}),
            ["line 1: no article has article number B-1, EAN 1"],
        ),
        "several": (
            payload({"article_number": None, "ean": "4000000000999"}),
            ["line 1: its EAN fits several articles"],
        ),
        "inactive": (
            payload({"article_number": "A0000049"}),
            ["line 1: its article is not active"],
        ),
        "own id": (payload({"article_number": None, "platform_article_id": "T24-X"}), []),
        "none": (payload({"quantity": "0"}), ["line 1: the quantity is 0"]),
        "less": (payload({"quantity": "-2"}), ["line 1: the quantity is -2"]),
        "no price": (payload({"unit_price": None}), ["line 1: it has no price"]),
        "no lines": ({"currency": "EUR", "lines": []}, ["it has no lines"]),
        "truncated": (payload(lines_announced="2"), ["2 lines were announced, 1 came"]),
        "wrong total": (
            payload(total="240.00", shipping="5.00"),
            ["the total is 240.00, its lines and shipping make 255.00"],
        ),
        "wrong line": (
            payload({"total": "200.00"}, total="200.00"),
            ["line 1: 4 at 62.50 make 250.00, not 200.00"],
        ),
        "rounded": (payload({"unit_price": "62.505"}, total="250.03"), []),
        "net": (payload(total="297.50", tax="47.50"), []),
        "gross": (payload(total="250.00", tax="39.92"), []),
        "shipped": (payload(total="255.90", shipping="5.90"), []),
    }
    for external_id, (order, _) in told.items():
        heard(external_id, order)

    heard.market.work()

    assert heard.standing() == {
        external_id: ("needs_review" if reasons else "ready", reasons, 1)
        for external_id, (_, reasons) in told.items()
    }


def test_a_set_needs_no_article_of_its_own_where_all_its_parts_have_one(heard: Heard) -> None:
    whole = {"article_number": "SET-1", "quantity": "2", "unit_price": "500.00"}
    tyre = {"position": 2, "part_of": 1, "quantity": "4", "quantity_of_set": "2"}
    wheel = tyre | {"position": 3, "article_number": "A0000002"}
    unknown = wheel | {"article_number": "B-1"}
    priced = {"unit_price": None}
    heard("set", payload(whole, tyre | priced, wheel | priced, total="1000.00"))
    heard("half", payload(whole, tyre | priced, unknown | priced, total="1000.00"))

    heard.market.work()

    standing = heard.standing()
    assert standing["set"] == ("ready", [], 1)
    assert standing["half"][1] == [
        "line 1: no article has article number SET-1",
        "line 3: no article has article number B-1",
    ]
    assert heard.market.database.query(
        "SELECT quantity, part_of FROM sales_order_line JOIN sales_order ON id = order_id"
        " WHERE external_id = 'set' ORDER BY position"
    ) == [(2, None), (8, 1), (8, 1)]


def test_revisions_and_cancellations_in_every_sequence(heard: Heard) -> None:
    one, four = payload({"quantity": "1"}), payload()
    heard("newer", one, revision=1)
    heard("newer", four, revision=2)
    heard("late", four, revision=2)
    heard("late", one, revision=1)
    heard("no revisions", one)
    heard("no revisions", four)
    heard("cancelled", four)
    heard("cancelled", {}, "cancellation", FINAL)
    heard("before", {}, "cancellation", FINAL)
    heard("before", four)
    heard("alone", {}, "cancellation", FINAL)
    heard("again", one, revision=1)
    heard("again", {}, "cancellation", 2)
    heard("again", four, revision=3)
    heard("part", four)
    heard("part", payload({"quantity": "1"}), "cancellation", FINAL)
    heard("all", four)
    heard("all", payload({"quantity": "4"}), "cancellation", FINAL)

    heard.market.work()

    assert heard.standing() == {
        "newer": ("ready", [], 2),
        "late": ("ready", [], 1),
        "no revisions": ("ready", [], 2),
        "cancelled": ("cancelled", [], 2),
        "before": ("cancelled", [], 2),
        "alone": ("cancelled", [], 1),
        "again": ("needs_review", ["it was cancelled, and ordered again afterwards"], 3),
        "part": ("needs_review", ["1 of its 4 pieces were cancelled"], 2),
        "all": ("cancelled", [], 2),
    }
    assert set(
        heard.market.database.query(
            "SELECT quantity FROM sales_order_line JOIN sales_order ON id = order_id"
            " WHERE external_id <> 'alone'"
        )
    ) == {(4,)}
    states = heard.market.database.query(
        "SELECT external_id, state FROM platform_order ORDER BY id LIMIT 4"
    )
    assert states == [
        ("newer", "superseded"),
        ("newer", "applied"),
        ("late", "applied"),
        ("late", "superseded"),
    ]


def test_a_message_that_comes_twice_changes_nothing(heard: Heard) -> None:
    source = heard("o-1", payload())
    heard.market.work()
    heard.enqueue(source)
    heard.market.work()

    assert heard.standing() == {"o-1": ("ready", [], 1)}


@pytest.mark.parametrize(
    ("told", "field"),
    [
        (payload({"quantity": "2.5"}), "lines.0.quantity: Value error, must be a whole number"),
        (payload({"quantity": "1e99"}), "lines.0.quantity"),
        (payload({"unit_price": "NaN"}), "lines.0.unit_price"),
        (payload({"unit_price": "12,50"}), "lines.0.unit_price: Value error, must be an amount"),
        (payload({"unit_price": "1_000"}), "lines.0.unit_price: Value error, must be an amount"),
        (payload(total="1e12"), "total: Value error, must be an amount below"),
        (payload({"quantity": "1000000", "unit_price": "999999"}), "its lines make 1,000,000,000"),
        (payload({"quantity": "999", "quantity_of_set": "999999"}), "more than 100,000,000 pieces"),
        (payload({}, {}), "two lines have one position"),
        (payload({"position": 2**40}), "lines.0.position"),
        (payload(currency="euro"), "currency"),
        (payload({"article_number": "x" * 201}), "lines.0.article_number"),
        ({"currency": "EUR"}, "lines: Field required"),
        ([], "valid dictionary"),
    ],
)
def test_what_does_not_fit_goes_to_crash_by_field_and_without_its_value(
    told: Any, field: str, heard: Heard
) -> None:
    heard("o-1", told)
    heard.market.work()

    (error,) = heard.errors()
    assert field in error
    assert "12,50" not in error
    assert heard.standing() == {}


def test_amounts_of_many_digits_are_kept_to_those_a_column_has(heard: Heard) -> None:
    heard("tiny", payload({"unit_price": "1E-999999"}))
    heard("third", payload({"unit_price": f"0.{'3' * 3000}"}))
    heard("many", payload(*({"position": n, "quantity": "9"} for n in range(1, 1001))))
    heard("many", {"lines": [{"quantity": "1000000"}] * 3000}, "cancellation", FINAL)
    heard.market.work()

    assert {key: status for key, (status, _, _) in heard.standing().items()} == {
        "tiny": "ready",
        "third": "ready",
        "many": "cancelled",
    }


def test_what_is_not_there_any_more_goes_to_crash_and_says_why(heard: Heard) -> None:
    source = heard("o-1", payload())
    heard.market.database.query("UPDATE platform_order SET payload = NULL")
    heard.enqueue(source + 1)
    heard.market.work()

    errors = heard.errors()
    assert "was blanked after platform.payload_retention" in errors[0]
    assert f"there is no pulled order {source + 1}" in errors[1]


def test_without_a_shop_it_is_tried_again_and_says_what_to_set(heard: Heard) -> None:
    heard.market.database.query("ALTER TABLE shop.article RENAME TO item")
    heard("o-1", payload())
    heard.market.work()

    ((status, error),) = heard.market.database.query("SELECT status, error FROM queue_message")
    assert status == "NEW"
    assert "CRONOPS_DB__SHOP_SCHEMA" in error

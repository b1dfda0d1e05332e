"""Orders out of JSON, XML and openTRANS."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronops.errors import BadInput
from cronops.jobs.platform.formats.json_orders import read_json
from cronops.jobs.platform.formats.mapping import LineNames, OrderNames, Reading, XmlNames
from cronops.jobs.platform.formats.opentrans import read_opentrans
from cronops.jobs.platform.formats.order import FINAL, moment_of, revision_of
from cronops.jobs.platform.formats.read import read_document
from cronops.jobs.platform.formats.xml_orders import read_xml
from cronops.samples.orders import (
    as_json_file,
    as_opentrans,
    as_opentrans_change,
    as_xml,
    orders,
)

LIMIT = 1 << 20
XML = Reading(fields=XmlNames())
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["orders", "id", "lines", "status", "sku", "quantity", "customer", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def test_the_samples_read_the_same_from_json_and_xml() -> None:
    some = list(orders(20))
    from_json = read_json(as_json_file(some), Reading(), "page")
    from_xml = read_xml(as_xml(some), XML, "feed", limit=LIMIT)

    assert not from_json.problems
    assert not from_xml.problems
    for order, one, other in zip(some, from_json.orders, from_xml.orders, strict=True):
        assert one.external_id == other.external_id == order.id
        assert one.kind == other.kind == "order"
        assert one.updated_at == other.updated_at == order.updated_at
        assert one.revision == revision_of(order.updated_at)
        for payload in (one.payload, other.payload):
            assert payload["total"] == str(order.total)
            assert payload["customer"]["name"] == order.customer
            assert [line["article_number"] for line in payload["lines"]] == [
                line.article.article_number for line in order.lines
            ]
            assert [line["quantity"] for line in payload["lines"]] == [
                str(line.quantity) for line in order.lines
            ]


def test_a_number_keeps_its_last_digit() -> None:
    content = b'{"orders": [{"id": 12345678901234567890, "total": 0.1000000000000000055}]}'
    (order,) = read_json(content, Reading(), "page").orders

    assert order.external_id == "12345678901234567890"
    assert order.payload["total"] == "0.1000000000000000055"


def test_an_order_with_a_number_beyond_all_counting_does_not_hide_its_neighbour() -> None:
    content = b'{"orders": [{"id": "a", "total": 1e99999999999999999999}, {"id": "b"}]}'

    page = read_json(content, Reading(), "page")

    assert [one.external_id for one in page.orders] == ["a", "b"]
    assert page.orders[0].payload["total"] == "1e99999999999999999999"


def test_of_a_page_of_things_that_are_no_orders_only_so_many_are_told() -> None:
    page = read_json(json.dumps([1] * 1_500).encode(), Reading(), "page")

    assert page.whole == 1_500
    assert len(page.problems) == 21
    assert page.problems[0] == "order 1 of 1500 is no object"
    assert page.problems[-1] == "1,480 more that cannot be told apart"


def test_an_order_nested_too_deep_does_not_hide_its_neighbour() -> None:
    deep = b'{"a":' * 400 + b"1" + b"}" * 400
    content = b'{"orders": [{"id": "a", "customer": %b}, {"id": "b"}]}' % deep

    page = read_json(content, Reading(), "page")

    assert [one.external_id for one in page.orders] == ["b"]
    assert page.problems == ["order 1 of 2 has an address that is nested too deep"]


def test_a_time_that_programs_write_for_none_is_none() -> None:
    record = {"id": "a", "updated_at": "0001-01-01T00:00:00Z", "created_at": "1899-12-30"}

    (order,) = read_json(json.dumps([record]).encode(), Reading(), "page").orders

    assert (order.revision, order.updated_at) == (0, None)
    assert order.payload["ordered_at"] is None


def test_names_are_the_platforms_own() -> None:
    reading = Reading(
        fields=OrderNames(
            orders="data.list",
            next_cursor="data.next",
            external_id="orderNo",
            status="state",
            revision="version",
            lines="positions",
            customer={"name": "buyer.fullName", "phone": "buyer.tel"},
            line=LineNames(article_number="item.no", quantity="qty"),
        ),
        cancelled=["X"],
        time_zone="Europe/Berlin",
    )
    record = {
        "orderNo": 7,
        "state": "x",
        "version": "12",
        "created_at": "2026-07-01T10:00:00",
        "buyer": {"fullName": "Anna", "other": "left out"},
        "positions": [{"item": {"no": "A1"}, "qty": 4}],
    }
    page = read_json(
        json.dumps({"data": {"list": [record], "next": "abc"}}).encode(), reading, "page"
    )

    (order,) = page.orders
    assert page.next_cursor == "abc"
    assert (order.external_id, order.kind, order.revision) == ("7", "cancellation", 12)
    assert order.payload["customer"] == {"name": "Anna"}
    assert order.payload["ordered_at"] == "2026-07-01T08:00:00+00:00"
    assert order.payload["lines"][0]["article_number"] == "A1"


def test_a_set_is_a_line_and_a_line_for_each_of_its_parts() -> None:
    record = {
        "id": "s",
        "lines": [
            {
                "sku": "SET",
                "quantity": 2,
                "price": 500,
                "components": [{"sku": "T", "quantity": 4}, {"sku": "W", "quantity": 4}],
            },
            {"sku": "B", "quantity": 1},
        ],
    }
    (order,) = read_json(json.dumps([record]).encode(), Reading(), "page").orders

    assert [
        (line["position"], line["part_of"], line["article_number"], line.get("quantity_of_set"))
        for line in order.payload["lines"]
    ] == [(1, None, "SET", None), (2, 1, "T", "2"), (3, 1, "W", "2"), (4, None, "B", None)]


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({}, "has no id"),
        ({"id": None}, "has no id"),
        ({"id": {"nested": 1}}, "has no id"),
        ({"id": "x" * 201}, "has an id that is none"),
        ({"id": "a\nb"}, "has an id that is none"),
        ({"id": "\ud800"}, "has an id that is none"),
        ("text", "is no object"),
    ],
)
def test_an_order_that_cannot_be_told_apart_is_a_problem_and_its_neighbour_is_not(
    record: Any, problem: str
) -> None:
    page = read_json(json.dumps([record, {"id": "b"}]).encode(), Reading(), "page")

    assert [order.external_id for order in page.orders] == ["b"]
    assert len(page.problems) == 1
    assert problem in page.problems[0]
    assert page.problems[0].startswith("order 1 of 2 ")


@settings(max_examples=150, deadline=None)
@given(JSON_VALUES)
def test_any_json_is_orders_problems_or_bad_input(document: Any) -> None:
    content = json.dumps(document).encode()
    try:
        page = read_json(content, Reading(), "page")
    except BadInput:
        return
    assert len(page.orders) + len(page.problems) == page.whole
    for order in page.orders:
        assert "\x00" not in order.text.replace("\\u0000", "\x00")
        assert len(order.sha256) == 64


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["json", "xml", "opentrans"]))
def test_any_bytes_are_orders_or_bad_input(content: bytes, form: Any) -> None:
    try:
        page = read_document(content, form, XML, "file", limit=LIMIT)
    except BadInput:
        return
    assert len(page.orders) + len(page.problems) == page.whole


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3000), st.sampled_from(["json", "xml", "opentrans"]))
def test_a_document_cut_off_anywhere_is_never_taken_for_a_whole_one(cut: int, form: Any) -> None:
    some = list(orders(2))
    whole = {
        "json": as_json_file(some),
        "xml": as_xml(some),
        "opentrans": as_opentrans(some[0]),
    }[form].strip()
    with pytest.raises(BadInput):
        read_document(whole[: max(1, len(whole) - cut)], form, XML, "file", limit=LIMIT)


def test_an_opentrans_order_is_read() -> None:
    order = next(one for one in orders(20) if one.lines[0].article.ean)
    (read,) = read_opentrans(as_opentrans(order), XML, "file", limit=LIMIT).orders

    assert (read.external_id, read.kind, read.revision) == (order.id, "order", 0)
    payload = read.payload
    assert payload["currency"] == "EUR"
    assert payload["total"] == str(order.total)
    assert payload["lines_announced"] == str(len(order.lines))
    assert payload["customer"]["name"] == order.customer
    assert payload["delivery"]["city"] == "Köln"
    line = payload["lines"][0]
    assert line["article_number"] == order.lines[0].article.article_number
    assert line["ean"] == order.lines[0].article.ean
    assert line["unit_price"] == str(order.lines[0].price)
    assert line["total"] == str(order.lines[0].total)


def test_opentrans_changes_are_ordered_by_their_sequence_and_may_cancel() -> None:
    order = next(orders(1))
    (change,) = read_opentrans(as_opentrans_change(order, 3), XML, "f", limit=LIMIT).orders
    empty = as_opentrans_change(replace(order, lines=()), 4)
    (cancels,) = read_opentrans(empty, XML, "f", limit=LIMIT).orders
    zero = replace(order, lines=[replace(line, quantity=0) for line in order.lines])
    (zeroed,) = read_opentrans(as_opentrans_change(zero, 5), XML, "f", limit=LIMIT).orders

    assert (change.kind, change.revision) == ("order", 3)
    assert (cancels.kind, cancels.revision) == ("cancellation", 4)
    assert (zeroed.kind, zeroed.revision) == ("cancellation", 5)


def test_an_opentrans_cancel_request_and_documents_in_one_without_namespaces() -> None:
    content = b"""<LIST><CANCELREQUEST><CANCELREQUEST_HEADER><CANCELREQUEST_INFO>
      <ORDER_ID>o-1</ORDER_ID></CANCELREQUEST_INFO></CANCELREQUEST_HEADER>
      <CANCELREQUEST_ITEM_LIST><CANCELREQUEST_ITEM><PRODUCT_ID><SUPPLIER_PID>A</SUPPLIER_PID>
      </PRODUCT_ID><QUANTITY>1</QUANTITY></CANCELREQUEST_ITEM></CANCELREQUEST_ITEM_LIST>
      </CANCELREQUEST><ORDER/></LIST>"""
    page = read_opentrans(content, XML, "file", limit=LIMIT)

    assert page.problems == ["ORDER 2 of 2 has no id"]
    (order,) = page.orders
    assert (order.kind, order.revision) == ("cancellation", FINAL)
    assert order.payload["lines"][0]["quantity"] == "1"


def test_an_opentrans_price_may_be_for_several() -> None:
    order = next(orders(1))
    price = f"<bmecat:PRICE_AMOUNT>{order.lines[0].price}</bmecat:PRICE_AMOUNT>".encode()
    content = as_opentrans(order).replace(
        price, b"<bmecat:PRICE_AMOUNT>100</bmecat:PRICE_AMOUNT><PRICE_QUANTITY>3</PRICE_QUANTITY>"
    )
    (read,) = read_opentrans(content, XML, "file", limit=LIMIT).orders

    assert read.payload["lines"][0]["unit_price"] == "33.3333"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<INVOICE><X/></INVOICE>", "<INVOICE> is no openTRANS order"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><ORDER/>", "document type"),
        (b"<ORDER>", "line 1"),
        (b"<html>", "HTML page"),
        (b"  ", "nothing came"),
    ],
)
def test_what_is_no_opentrans_says_so(content: bytes, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_opentrans(content, XML, "file", limit=LIMIT)


@pytest.mark.parametrize(
    ("value", "zone", "moment"),
    [
        ("2026-11-01T08:00:00Z", "UTC", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("2026-11-01 09:00:00", "Europe/Berlin", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("20261101", "UTC", datetime(2026, 11, 1, tzinfo=UTC)),
        (1793520000, "UTC", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("1793520000123", "UTC", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("yesterday", "UTC", None),
        ("9" * 30, "UTC", None),
        (True, "UTC", None),
        (None, "UTC", None),
    ],
)
def test_times_are_read_with_the_platforms_zone(
    value: Any, zone: str, moment: datetime | None
) -> None:
    assert moment_of(value, zone) == moment


def test_a_cancellation_without_a_time_holds_over_every_order() -> None:
    record = {"id": "a", "status": "Storniert"}

    (order,) = read_json(json.dumps([record]).encode(), Reading(), "page").orders

    assert (order.kind, order.revision) == ("cancellation", FINAL)


def test_opentrans_parties_are_told_apart_by_their_roles() -> None:
    content = b"""<ORDER><ORDER_HEADER><ORDER_INFO><ORDER_ID>a</ORDER_ID><PARTIES>
        <PARTY><PARTY_ROLE>buyer</PARTY_ROLE><ADDRESS><NAME>Anna</NAME></ADDRESS></PARTY>
        <PARTY><PARTY_ROLE>delivery</PARTY_ROLE><ADDRESS><NAME>Berta</NAME></ADDRESS></PARTY>
        </PARTIES></ORDER_INFO></ORDER_HEADER></ORDER>"""

    (order,) = read_opentrans(content, XML, "file", limit=LIMIT).orders

    assert order.payload["customer"] == {"name": "Anna"}
    assert order.payload["delivery"] == {"name": "Berta"}

"""How one price is made; the set-based query is held against this in tests/integration."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.jobs.stock.pricing import (
    CRITERIA,
    Article,
    Offer,
    Rule,
    Terms,
    best_offer,
    price_article,
    round_half_up,
)
from tests.integration.jobs.stock.golden import ARTICLE, GOLDEN, TODAY, Golden

money = st.decimals(0, 10_000, places=4)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.what)
def test_golden_prices(golden: Golden) -> None:
    for rules, wins in golden.arrangements:
        priced = price_article(ARTICLE, [golden.offer], rules, golden.terms, today=TODAY)

        assert priced is not None
        assert (priced.price, priced.raised) == (Decimal(golden.price), golden.raised)
        assert (priced.rule.id if priced.rule else None) == wins


@given(
    purchase=st.decimals("0.0001", 10_000, places=4),
    surcharge=st.decimals(0, 100, places=2),
    kind=st.sampled_from(["percent", "amount"]),
    value=st.decimals("-99.9999", 500, places=4),
)
def test_never_below_the_purchase_price_unless_that_is_allowed(
    purchase: Decimal, surcharge: Decimal, kind: str, value: Decimal
) -> None:
    rule = Rule(id=1, kind=kind, value=value)  # type: ignore[arg-type]
    offer = Offer(supplier_id=1, sku="s", qty=1, price=purchase)

    guarded = price_article(ARTICLE, [offer], [rule], Terms(surcharge=surcharge), today=TODAY)
    allowed = price_article(
        ARTICLE,
        [offer],
        [rule],
        Terms(surcharge=surcharge, allow_below_purchase=True),
        today=TODAY,
    )

    assert guarded is not None
    assert allowed is not None
    assert guarded.price is not None
    assert guarded.price >= round_half_up(purchase)
    assert allowed.price == round_half_up(purchase + rule.margin(purchase) + surcharge)
    assert guarded.raised == (rule.margin(purchase) + surcharge < 0)
    if not guarded.raised:
        assert guarded.price == allowed.price


def test_the_criteria_tie_in_the_documented_order() -> None:
    assert CRITERIA == ("category", "brand", "product_type", "wheel_diameter", "tyre_size")


def offer(supplier: int, price: str | None, qty: int = 1, sku: str = "s") -> Offer:
    return Offer(
        supplier_id=supplier, sku=sku, qty=qty, price=None if price is None else Decimal(price)
    )


@pytest.mark.parametrize(
    ("offers", "best"),
    [
        ([offer(1, "5"), offer(2, "4")], offer(2, "4")),
        ([offer(1, "5"), offer(2, "4", qty=0)], offer(1, "5")),
        ([offer(1, None), offer(2, "9", qty=0)], offer(2, "9", qty=0)),
        ([offer(1, "0"), offer(2, "9", qty=0)], offer(2, "9", qty=0)),
        ([offer(1, "NaN"), offer(2, "9", qty=0)], offer(2, "9", qty=0)),
        ([offer(2, "4"), offer(1, "4")], offer(1, "4")),
        ([offer(1, "4", sku="b"), offer(1, "4", sku="B")], offer(1, "4", sku="B")),
        ([offer(1, None), offer(2, None)], offer(1, None)),
        ([], None),
    ],
)
def test_the_best_offer(offers: list[Offer], best: Offer | None) -> None:
    assert best_offer(offers) == best
    assert best_offer(reversed(offers)) == best


def test_a_named_supplier_is_the_only_one() -> None:
    assert best_offer([offer(1, "4"), offer(2, "9")], supplier_id=2) == offer(2, "9")


@pytest.mark.parametrize(
    ("article", "terms", "reason"),
    [
        (Article(article_number="X", is_active=False), Terms(), "inactive"),
        (Article(article_number="X", is_active=None), Terms(), "inactive"),
        (Article(article_number="X"), Terms(require_ean=True), "missing_ean"),
        (Article(article_number="X", ean=""), Terms(require_ean=True), "missing_ean"),
        (Article(article_number="X", ean="4006381333931"), Terms(require_ean=True), None),
        (Article(article_number="X"), Terms(), None),
    ],
)
def test_what_is_left_out(article: Article, terms: Terms, reason: str | None) -> None:
    priced = price_article(article, [offer(1, "5")], [], terms, today=TODAY)

    assert priced is not None
    assert priced.left_out == reason


@pytest.mark.parametrize(
    ("base_price", "use", "price"),
    [
        ("7", True, "7.00"),
        ("7", False, None),
        ("0", True, None),
        ("-7", True, None),
        ("NaN", True, None),
        (None, True, None),
    ],
)
def test_without_a_price_of_the_suppliers(
    base_price: str | None, use: bool, price: str | None
) -> None:
    article = Article(article_number="X", base_price=base_price and Decimal(base_price))  # type: ignore[arg-type]

    priced = price_article(article, [offer(1, None)], [], Terms(use_base_price=use), today=TODAY)

    assert priced is not None
    assert priced.price == (None if price is None else Decimal(price))
    assert priced.left_out == (None if price else "missing_price")


def test_what_would_cost_nothing_is_left_out() -> None:
    rule = Rule(id=1, kind="amount", value=Decimal(-5))

    priced = price_article(
        ARTICLE, [offer(1, "5")], [rule], Terms(allow_below_purchase=True), today=TODAY
    )

    assert priced is not None
    assert priced.left_out == "not_positive"

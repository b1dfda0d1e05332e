"""The set-based prices are those of the reference, article by article, and both are right."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cronops.db.shop import create_shop
from cronops.jobs.stock.price_query import FIELDS, PLANNER, price_query
from cronops.jobs.stock.pricing import Article, Offer, Rule, Terms, price_article
from tests.databases import Database
from tests.integration.jobs.stock.exports import add_article, add_offer, add_rule
from tests.integration.jobs.stock.golden import ARTICLE, GOLDEN, TODAY

EMPTY = ("DELETE FROM supplier_stock", "DELETE FROM margin_rule", "DELETE FROM article")
INSERT_ARTICLE = """
INSERT INTO article (id, article_number, category, brand, type, wheel_diameter, tyre_size, ean,
    base_price, is_active)
VALUES (%(id)s, %(article_number)s, %(category)s, %(brand)s, %(product_type)s, %(wheel_diameter)s,
    %(tyre_size)s, %(ean)s, %(base_price)s, %(is_active)s)
"""
INSERT_OFFER = """
INSERT INTO supplier_stock (supplier_id, sku, article_id, qty, price)
VALUES (%(supplier_id)s, %(sku)s, %(article_id)s, %(qty)s, %(price)s)
"""
RULE_COLUMNS = tuple(Rule.__dataclass_fields__)
INSERT_RULE = (
    f"INSERT INTO margin_rule ({', '.join(RULE_COLUMNS)})"
    f" VALUES ({', '.join(f'%({name})s' for name in RULE_COLUMNS)})"
)


@dataclass(frozen=True)
class World:
    """Everything that prices are made of."""

    articles: list[tuple[Article, list[Offer]]]
    rules: list[Rule]
    terms: Terms


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


# Few values, so that rules meet articles and each other.
brands = st.sampled_from(["OZ", "OZ", "OZ", "Ronal"])
categories = st.sampled_from(["summer", "summer", "summer", "alloy"])
types = st.sampled_from(["tyre", "tyre", "tyre", "wheel"])
diameters = st.sampled_from([Decimal("16.0"), Decimal("16.0"), Decimal("17.5")])
sizes = st.sampled_from(["205/55 R16", "205/55 R16", "225/45 R17"])
numbers = st.sampled_from(["A1", "A2", "a1", "Ä3"])
suppliers = st.integers(1, 2)
prices = st.decimals(0, 100, places=4) | st.sampled_from(
    [Decimal("0.005"), Decimal("1.125"), Decimal("NaN")]
)
base_prices = st.decimals(-1, 100, places=2) | st.just(Decimal("NaN"))


@st.composite
def margins(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        value = draw(st.decimals("-99.9999", 150, places=4))
        return {"kind": "percent", "value": value}
    return {"kind": "amount", "value": draw(st.decimals(-60, 60, places=3))}


VALUES = {
    "category": categories,
    "brand": brands,
    "product_type": types,
    "wheel_diameter": diameters,
    "tyre_size": sizes,
}


@st.composite
def rule(draw: st.DrawFn, number: int) -> Rule:
    if draw(st.integers(0, 4)) == 0:
        named = {"article_number": draw(numbers)}
    else:
        criteria = draw(st.sets(st.sampled_from(sorted(VALUES)), max_size=2))
        named = {name: draw(VALUES[name]) for name in sorted(criteria)}
    return Rule(
        id=number,
        **draw(margins()),
        **named,
        priority=draw(st.sampled_from([0, 0, 1])),
        supplier_id=draw(maybe(suppliers)),
        customer_id=draw(st.sampled_from([None, None, 7, 8])),
        valid_from=draw(st.sampled_from([None, None, TODAY, TODAY + timedelta(days=1)])),
        active=draw(st.integers(0, 9)) > 0,
    )


@st.composite
def article(draw: st.DrawFn, number: str) -> tuple[Article, list[Offer]]:
    made = Article(
        article_number=number,
        category=draw(maybe(categories)),
        brand=draw(maybe(brands)),
        product_type=draw(types),
        wheel_diameter=draw(maybe(diameters)),
        tyre_size=draw(maybe(sizes)),
        ean=draw(st.sampled_from([None, "", "4006381333931"])),
        base_price=draw(maybe(base_prices)),
        is_active=draw(st.sampled_from([True, True, True, True, False, None])),
    )
    offers = [
        Offer(
            supplier_id=draw(suppliers),
            sku=f"{number}-{place}-{draw(st.sampled_from('aBä'))}",
            qty=draw(st.integers(0, 2)),
            price=draw(maybe(prices)),
        )
        for place in range(draw(st.integers(0, 3)))
    ]
    return made, offers


@st.composite
def worlds(draw: st.DrawFn) -> World:
    return World(
        articles=[draw(article(number)) for number in ("A1", "A2", "a1", "Ä3")],
        rules=[draw(rule(number)) for number in range(1, draw(st.integers(0, 16)) + 1)],
        terms=Terms(
            supplier_id=draw(maybe(suppliers)),
            customer_id=draw(st.sampled_from([None, 7, 7, 8])),
            surcharge=draw(st.decimals(0, 10, places=2)),
            allow_below_purchase=draw(st.booleans()),
            use_base_price=draw(st.booleans()),
            require_ean=draw(st.booleans()),
        ),
    )


def fill(connection: psycopg.Connection[Any], world: World) -> None:
    for statement in EMPTY:
        connection.execute(statement)
    with connection.cursor() as cursor:
        articles = [
            {"id": number, **asdict(one)} for number, (one, _) in enumerate(world.articles, 1)
        ]
        cursor.executemany(INSERT_ARTICLE, articles)
        offers = [
            {"article_id": number, **asdict(offer)}
            for number, (_, offered) in enumerate(world.articles, 1)
            for offer in offered
        ]
        if offers:
            cursor.executemany(INSERT_OFFER, offers)
        if world.rules:
            cursor.executemany(INSERT_RULE, [asdict(one) for one in world.rules])


Line = tuple[str, int, str, int, Decimal | None, Decimal | None, bool, int | None, str | None]


def by_query(connection: psycopg.Connection[Any], terms: Terms) -> list[Line]:
    with connection.transaction():
        for statement in PLANNER:
            connection.execute(statement)
        prices = price_query(connection, terms, FIELDS, today=TODAY)
        return connection.execute(
            prices
            + psycopg.sql.SQL(
                "SELECT article_number, supplier_id, sku, qty, purchase_price, price,"
                " coalesce(raised, false), rule_id, left_out FROM priced"
            )
        ).fetchall()


def by_reference(world: World) -> Iterable[Line]:
    for one, offers in sorted(world.articles, key=lambda pair: pair[0].article_number.encode()):
        priced = price_article(one, offers, world.rules, world.terms, today=TODAY)
        if priced is not None:
            yield (
                one.article_number,
                priced.offer.supplier_id,
                priced.offer.sku,
                priced.offer.qty,
                priced.purchase,
                priced.price,
                priced.raised,
                priced.rule.id if priced.rule else None,
                priced.left_out,
            )


@pytest.fixture
def market(database: Database) -> Database:
    with database.connect() as connection:
        create_shop(connection, database.settings().db.shop_schema)
        # The shop may show a view.
        connection.execute("ALTER TABLE article ALTER is_active DROP NOT NULL")
    return database


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(world=worlds())
def test_all_at_once_and_one_by_one_come_to_the_same(market: Database, world: World) -> None:
    connection = market._connection or market.connect()
    market._connection = connection
    with connection.transaction(force_rollback=True):
        fill(connection, world)

        assert by_query(connection, world.terms) == list(by_reference(world))


def test_golden_prices(market: Database) -> None:
    with market.connect() as connection:
        for golden in GOLDEN:
            for rules, wins in golden.arrangements:
                with connection.transaction(force_rollback=True):
                    fill(connection, World([(ARTICLE, [golden.offer])], rules, golden.terms))
                    [line] = by_query(connection, golden.terms)
                assert line[5:8] == (Decimal(golden.price), golden.raised, wins), golden.what


OFFERS = [
    # supplier, sku, stock, price; the best first.
    [(2, "s", 1, "4"), (1, "s", 1, "5")],
    [(1, "s", 1, "5"), (2, "s", 0, "4")],
    [(2, "s", 0, "9"), (1, "s", 1, None)],
    [(2, "s", 0, "9"), (1, "s", 1, "0")],
    [(2, "s", 0, "9"), (1, "s", 1, "NaN")],
    [(1, "s", 1, "4"), (2, "r", 1, "4")],
    [(1, "B", 1, "4"), (1, "a", 1, "4")],
    [(1, "s", 1, None), (2, "r", 1, "0")],
    [(1, "s", 1, "0"), (2, "r", 1, None)],
]


def test_the_best_offer_is_taken(market: Database) -> None:
    with market.connect() as connection:
        for offers in OFFERS:
            made = [
                Offer(supplier_id=one, sku=sku, qty=qty, price=None if to is None else Decimal(to))
                for one, sku, qty, to in offers
            ]
            with connection.transaction(force_rollback=True):
                world = World([(ARTICLE, made)], [], Terms())
                fill(connection, world)
                [line] = by_query(connection, world.terms)
            assert line[1:3] == offers[0][:2]


LEFT_OUT: list[tuple[str | None, dict[str, Any], dict[str, Any], str | None]] = [
    # The offer's price, the article, the terms; the first reason that there is.
    (None, {"is_active": False}, {"require_ean": True}, "inactive"),
    ("5", {"is_active": None}, {}, "inactive"),
    (None, {}, {"require_ean": True}, "missing_price"),
    (None, {"base_price": Decimal(0)}, {"use_base_price": True}, "missing_price"),
    (None, {"base_price": Decimal(-7)}, {"use_base_price": True}, "missing_price"),
    (None, {"base_price": Decimal("NaN")}, {"use_base_price": True}, "missing_price"),
    (None, {"base_price": Decimal(9)}, {"use_base_price": True}, None),
    ("5", {"ean": ""}, {"require_ean": True, "allow_below_purchase": True}, "missing_ean"),
    ("5", {"ean": "4006381333931"}, {"require_ean": True}, None),
    ("5", {}, {"allow_below_purchase": True}, "not_positive"),
    ("5.01", {}, {"allow_below_purchase": True}, None),
]


def test_what_is_left_out_says_why(market: Database) -> None:
    rules = [Rule(id=1, kind="amount", value=Decimal(-5))]
    with market.connect() as connection:
        for price, article, terms, reason in LEFT_OUT:
            sold = Offer(
                supplier_id=1, sku="s", qty=1, price=None if price is None else Decimal(price)
            )
            made = replace(ARTICLE, **article)
            world = World([(made, [sold])], rules, Terms(**terms))
            with connection.transaction(force_rollback=True):
                fill(connection, world)
                lines = by_query(connection, world.terms)
            assert lines == list(by_reference(world))
            assert lines[0][-1] == reason, (price, article, terms)


def test_ten_thousand_rules_cost_a_join_a_kind_and_not_one_a_rule(market: Database) -> None:
    add_offer(market, add_article(market, "X1", brand="brand 9999"), "10.00")
    market.query(
        "INSERT INTO margin_rule (brand, kind, value)"
        " SELECT 'brand ' || n, 'amount', n FROM generate_series(1, 10000) AS n"
    )
    add_rule(market, "amount", "1", category="summer")
    with market.connect() as connection:
        [line] = by_query(connection, Terms())
        with connection.transaction():
            for statement in PLANNER:
                connection.execute(statement)
            prices = price_query(connection, Terms(), (), today=TODAY)
            plan = connection.execute(
                psycopg.sql.SQL("EXPLAIN ") + prices + psycopg.sql.SQL("SELECT * FROM priced")
            ).fetchall()
    assert line[5] == Decimal("10009.00")
    steps = [row[0] for row in plan]
    # One for each kind of rule, one for the winner's value, one for the article.
    assert sum("Hash" in step and "Join" in step for step in steps) == 4
    assert not any("Nested Loop" in step for step in steps)


NONSENSE: list[dict[str, Any]] = [
    {"kind": "percent", "value": "-100"},
    {"kind": "percent", "value": "-250"},
    {"kind": "percent", "value": "1000.01"},
    {"kind": "double", "value": "1"},
    {"kind": "amount", "value": "1", "article_number": "X1", "brand": "OZ"},
    {"kind": "amount", "value": "1", "product_type": "boat"},
    {"kind": "amount", "value": "1", "valid_from": TODAY, "valid_until": date(2026, 1, 1)},
    {"kind": "amount", "value": "NaN"},
    {"kind": "amount", "value": "1", "wheel_diameter": "NaN"},
    {"kind": "amount", "value": "1", "valid_until": "infinity"},
    {"kind": "amount", "value": "1", "valid_from": "-infinity"},
    {"kind": "amount", "value": "1", "valid_until": "10000-01-01"},
]


def test_a_rule_that_makes_no_sense_is_not_taken(market: Database) -> None:
    for named in NONSENSE:
        with pytest.raises(psycopg.errors.CheckViolation):
            add_rule(market, **named)

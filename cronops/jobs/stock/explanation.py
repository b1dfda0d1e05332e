"""One article's price explained, from the database, by the reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cronops.jobs.stock.pricing import (
    CRITERIA,
    Article,
    Offer,
    Priced,
    Rule,
    Terms,
    price_article,
)
from cronops.jobs.stock.upkeep import load_rules

if TYPE_CHECKING:
    import psycopg

_ARTICLE = """
SELECT id, article_number, category, brand, type AS product_type, wheel_diameter, tyre_size, ean,
    base_price, is_active
FROM article WHERE article_number = %(number)s
"""
_OFFERS = """
SELECT supplier_id, sku, qty, price FROM supplier_stock
WHERE article_id = %(article)s AND (%(supplier)s::integer IS NULL OR supplier_id = %(supplier)s)
"""
_SIMILAR = """
SELECT article_number FROM article WHERE starts_with(lower(article_number), lower(%(start)s))
ORDER BY abs(length(article_number) - %(length)s), article_number LIMIT 2000
"""
_TODAY = "SELECT (clock_timestamp() AT TIME ZONE %(zone)s)::date"
_START = 5


@dataclass(frozen=True)
class Explanation:
    """An article, its price, and the rules that apply to it."""

    article: Article
    offers: int
    """Of how many offers the best was taken."""
    priced: Priced | None
    surcharge: Decimal
    applicable: Sequence[Rule]
    """In the order in which they are tried."""
    others: int
    """Rules that do not apply."""


def explain(
    connection: "psycopg.Connection[Any]", number: str, terms: Terms, *, zone: str
) -> Explanation | None:
    """Price one article as an export with those terms would; None where there is none such."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_ARTICLE, {"number": number}).fetchone()
        if found is None:
            return None
        identity = {"article": found.pop("id"), "supplier": terms.supplier_id}
        offers = [Offer(**row) for row in cursor.execute(_OFFERS, identity).fetchall()]
    row = connection.execute(_TODAY, {"zone": zone}).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    today, article, rules = row[0], Article(**found), load_rules(connection)
    priced = price_article(article, offers, rules, terms, today=today)
    applicable: list[Rule] = []
    if priced is not None:
        applicable = [
            rule
            for rule in rules
            if rule.mismatch(
                article,
                supplier_id=priced.offer.supplier_id,
                customer_id=terms.customer_id,
                today=today,
            )
            is None
        ]
    return Explanation(
        article=article,
        offers=len(offers),
        priced=priced,
        surcharge=terms.surcharge,
        applicable=sorted(applicable, key=lambda rule: rule.order),
        others=len(rules) - len(applicable),
    )


def why_later(rule: Rule, winner: Rule) -> str:
    """Why a rule that applies comes after the one that wins."""
    if winner.article_number is not None and rule.article_number is None:
        return "the article's own rule wins"
    if sum(winner.named) != sum(rule.named):
        return f"names {sum(rule.named)}, not {sum(winner.named)}"
    if winner.priority != rule.priority:
        return f"priority {rule.priority}, not {winner.priority}"
    for name in ("customer", "supplier"):
        if getattr(winner, f"{name}_id") is not None and getattr(rule, f"{name}_id") is None:
            return f"the other is for the {name}"
    for name, ours, theirs in zip(CRITERIA, rule.named, winner.named, strict=True):
        if ours != theirs:
            return f"the other names the {name.replace('_', ' ')}"
    return "the other has the lower id"


def similar_articles(connection: "psycopg.Connection[Any]", number: str) -> list[str]:
    """Article numbers that begin alike."""
    values = {"start": number[:_START], "length": len(number)}
    return [row[0] for row in connection.execute(_SIMILAR, values).fetchall()]

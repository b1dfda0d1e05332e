"""Prices that were worked out by hand."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from cronops.jobs.stock.pricing import Article, Offer, Rule, Terms

TODAY = date(2026, 11, 25)
ARTICLE = Article(
    article_number="X1",
    category="summer",
    brand="OZ",
    product_type="tyre",
    tyre_size="205/55 R16",
)


@dataclass(frozen=True)
class Golden:
    """A price that was worked out by hand."""

    what: str
    price: str
    rules: list[dict[str, Any]] = field(default_factory=list)
    purchase: str = "100"
    terms: Terms = field(default_factory=Terms)
    wins: int | None = 1
    """Which rule, from 1; None for none."""
    raised: bool = False
    by_id: bool = False
    """Whether the order of the rules' ids decides."""

    @property
    def offer(self) -> Offer:
        return Offer(supplier_id=1, sku="s", qty=1, price=Decimal(self.purchase))

    @property
    def arrangements(self) -> Iterator[tuple[list[Rule], int | None]]:
        """Its rules, and which wins: in both orders of their ids, so that no id decides."""
        yield [Rule(id=number, **named) for number, named in enumerate(self.rules, 1)], self.wins
        if not self.by_id:
            count = len(self.rules)
            wins = None if self.wins is None else count + 1 - self.wins
            yield [Rule(id=count - place, **named) for place, named in enumerate(self.rules)], wins


def percent(value: str, **named: Any) -> dict[str, Any]:
    return {"kind": "percent", "value": Decimal(value), **named}


def amount(value: str, **named: Any) -> dict[str, Any]:
    return {"kind": "amount", "value": Decimal(value), **named}


BELOW = Terms(allow_below_purchase=True)
GOLDEN = [
    Golden("no rule means margin 0", "100.00", wins=None),
    Golden("the surcharge is added", "102.50", terms=Terms(surcharge=Decimal("2.50")), wins=None),
    Golden("per cent of the purchase price", "112.50", [percent("12.5")]),
    Golden("an amount", "107.99", [amount("7.99")]),
    Golden(
        "the surcharge earns no margin",
        "115.00",
        [percent("10")],
        terms=Terms(surcharge=Decimal(5)),
    ),
    Golden("half a cent goes up", "10.01", [], purchase="10.005", wins=None),
    Golden("less than half goes down", "10.00", [], purchase="10.0049", wins=None),
    Golden(
        "rounded once, at the end",
        # 1.1139 + 0.0011139: the margin rounded by itself would be 0.00.
        "1.12",
        [percent("0.1")],
        purchase="1.1139",
        terms=Terms(surcharge=Decimal("0")),
        wins=1,
    ),
    Golden(
        "an article's own rule wins at once",
        "101.00",
        [
            amount("1", article_number="X1"),
            amount("9", category="summer", brand="OZ", tyre_size="205/55 R16", priority=99),
        ],
    ),
    Golden(
        "more criteria beat fewer, whatever the priority",
        "102.00",
        [amount("2", brand="OZ", category="summer"), amount("9", brand="OZ", priority=99)],
    ),
    Golden(
        "a rule for everything is the last",
        "102.00",
        [amount("2", brand="OZ"), amount("9", priority=99)],
    ),
    Golden(
        "all that a rule names must match",
        "100.00",
        [amount("9", brand="OZ", category="winter")],
        wins=None,
    ),
    Golden(
        "what the article lacks matches nothing",
        "100.00",
        [amount("9", wheel_diameter=Decimal(17))],
        wins=None,
    ),
    Golden(
        "a tie goes to the higher priority",
        "103.00",
        [amount("3", tyre_size="205/55 R16", priority=1), amount("9", brand="OZ")],
    ),
    Golden(
        "then to the rule for the customer",
        "104.00",
        [amount("4", brand="OZ", customer_id=7), amount("9", brand="OZ")],
        terms=Terms(customer_id=7),
    ),
    Golden(
        "for the customer beats for the supplier",
        "104.00",
        [amount("9", brand="OZ", supplier_id=1), amount("4", brand="OZ", customer_id=7)],
        terms=Terms(customer_id=7),
        wins=2,
    ),
    Golden(
        "then to the rule for the supplier",
        "104.00",
        [amount("4", brand="OZ", supplier_id=1), amount("9", brand="OZ")],
    ),
    Golden(
        "then to category before brand, type, diameter and size",
        "105.00",
        [
            amount("5", category="summer"),
            amount("9", brand="OZ"),
            amount("8", tyre_size="205/55 R16"),
        ],
    ),
    Golden(
        "then to brand before type and size",
        "105.00",
        [
            amount("5", brand="OZ"),
            amount("9", product_type="tyre"),
            amount("8", tyre_size="205/55 R16"),
        ],
    ),
    Golden(
        "then to type before size",
        "105.00",
        [amount("5", product_type="tyre"), amount("9", tyre_size="205/55 R16")],
    ),
    Golden(
        "the first of the criteria that differs decides",
        "105.00",
        [
            amount("5", category="summer", tyre_size="205/55 R16"),
            amount("9", brand="OZ", product_type="tyre"),
        ],
    ),
    Golden(
        "a tie is one of criteria that match, not of customers",
        "105.00",
        [
            amount("5", brand="OZ", category="summer"),
            amount("9", brand="OZ", customer_id=7, supplier_id=1, priority=99),
        ],
        terms=Terms(customer_id=7),
    ),
    Golden(
        "an article's own rules tie by priority, then customer",
        "105.00",
        [
            amount("5", article_number="X1", priority=1),
            amount("8", article_number="X1", customer_id=7),
            amount("9", article_number="X1"),
        ],
        terms=Terms(customer_id=7),
    ),
    Golden(
        "the priority comes before the customer",
        "105.00",
        [amount("5", brand="OZ", priority=1), amount("9", brand="OZ", customer_id=7)],
        terms=Terms(customer_id=7),
    ),
    Golden(
        "the supplier comes before the criteria",
        "105.00",
        [amount("5", tyre_size="205/55 R16", supplier_id=1), amount("9", category="summer")],
    ),
    Golden(
        "then to the lowest id",
        "106.00",
        [amount("6", brand="OZ"), amount("9", brand="OZ")],
        by_id=True,
    ),
    Golden("a rule for another customer", "100.00", [amount("9", customer_id=8)], wins=None),
    Golden("a rule for another supplier", "100.00", [amount("9", supplier_id=2)], wins=None),
    Golden(
        "not yet valid", "100.00", [amount("9", valid_from=TODAY + timedelta(days=1))], wins=None
    ),
    Golden("valid from today", "109.00", [amount("9", valid_from=TODAY)]),
    Golden("valid until today", "109.00", [amount("9", valid_until=TODAY)]),
    Golden(
        "no longer valid", "100.00", [amount("9", valid_until=TODAY - timedelta(days=1))], wins=None
    ),
    Golden("not active", "100.00", [amount("9", active=False)], wins=None),
    Golden(
        "below the purchase price the margin counts as 0",
        "102.00",
        [percent("-50")],
        terms=Terms(surcharge=Decimal(2)),
        raised=True,
    ),
    Golden(
        "a negative margin that the surcharge makes up for is none of that",
        "101.00",
        [amount("-1")],
        terms=Terms(surcharge=Decimal(2)),
    ),
    Golden(
        "below the purchase price where that is allowed", "50.00", [percent("-50")], terms=BELOW
    ),
    Golden(
        "less than a cent below is below",
        "10.00",
        [amount("-0.001")],
        purchase="10.0000",
        raised=True,
    ),
]

"""How a price is made, for one article: the reference that the set-based query is held against.

Price = purchase price + margin + transport surcharge, in EUR, rounded once, at the end, half up to
cents. `cronops.jobs.stock.price_query` says the same in SQL, for all articles at once; tests hold
the two together through a database, and ``cronops stock price`` explains prices by this one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

CENT = Decimal("0.01")
PERCENT = Decimal("0.01")

CRITERIA = ("category", "brand", "product_type", "wheel_diameter", "tyre_size")
"""What a rule may name beside an article, the most telling first; the last tie but one."""

Reason = Literal["inactive", "missing_price", "missing_ean", "not_positive"]
"""Why an article is left out of an export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What rules look at, and whether it may be sold."""

    article_number: str
    category: str | None = None
    brand: str | None = None
    product_type: str | None = None
    wheel_diameter: Decimal | None = None
    tyre_size: str | None = None
    ean: str | None = None
    base_price: Decimal | None = None
    is_active: bool | None = True
    """Only what is True is sold: the shop's view may not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One supplier's stock of the article."""

    supplier_id: int
    sku: str
    qty: int
    price: Decimal | None
    """Purchase price in EUR; None, 0 or NaN where the supplier says none."""

    @property
    def purchase(self) -> Decimal | None:
        """The price, where there is one."""
        return _known(self.price)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A margin rule; what it does not name does not matter to it."""

    id: int
    kind: Literal["percent", "amount"]
    value: Decimal
    """Percent of the purchase price, or EUR."""
    priority: int = 0
    supplier_id: int | None = None
    customer_id: int | None = None
    article_number: str | None = None
    category: str | None = None
    brand: str | None = None
    product_type: str | None = None
    wheel_diameter: Decimal | None = None
    tyre_size: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    active: bool = True

    @property
    def named(self) -> tuple[bool, ...]:
        """Which of `CRITERIA` it names."""
        return tuple(getattr(self, name) is not None for name in CRITERIA)

    @property
    def order(self) -> tuple[object, ...]:
        """Rules are tried by this, the smallest first; no two rules are equal.

        An article's own rule; more criteria; higher priority; for a customer; for a supplier;
        the criteria themselves, in the order of `CRITERIA`; the lowest id.
        """
        return (
            self.article_number is None,
            -sum(self.named),
            -self.priority,
            self.customer_id is None,
            self.supplier_id is None,
            tuple(not named for named in self.named),
            self.id,
        )

    def margin(self, purchase: Decimal) -> Decimal:
        """What it adds to a purchase price, not rounded."""
        return purchase * self.value * PERCENT if self.kind == "percent" else self.value

    def mismatch(
        self, article: Article, *, supplier_id: int, customer_id: int | None, today: date
    ) -> str | None:
        """Why it does not apply; None where it does."""
        if not self.active:
            return "not active"
        if self.valid_from is not None and today < self.valid_from:
            return f"valid from {self.valid_from}"
        if self.valid_until is not None and today > self.valid_until:
            return f"valid until {self.valid_until}"
        for name, given in (("customer_id", customer_id), ("supplier_id", supplier_id)):
            wanted = getattr(self, name)
            if wanted is not None and wanted != given:
                return f"for {name.removesuffix('_id')} {wanted}"
        for name in ("article_number", *CRITERIA):
            wanted = getattr(self, name)
            if wanted is not None and wanted != getattr(article, name):
                return f"{name} {wanted}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an export says about prices."""

    supplier_id: int | None = None
    customer_id: int | None = None
    surcharge: Decimal = Decimal(0)
    allow_below_purchase: bool = False
    use_base_price: bool = False
    require_ean: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """An article's line in an export, or why it has none."""

    offer: Offer
    purchase: Decimal | None
    rule: Rule | None
    margin: Decimal
    price: Decimal | None
    """In EUR, two decimals; None where there is no purchase price."""
    raised: bool
    """The margin would have sold it below the purchase price, and was left out."""
    left_out: Reason | None


def best_offer(offers: Iterable[Offer], *, supplier_id: int | None = None) -> Offer | None:
    """The cheapest in stock; then the cheapest; of equals, the lowest supplier, then the sku.

    An offer without a price is taken only where none has one.
    """
    return min(
        (offer for offer in offers if supplier_id is None or offer.supplier_id == supplier_id),
        key=lambda offer: (
            offer.purchase is None,
            offer.qty <= 0,
            offer.purchase or Decimal(0),
            offer.supplier_id,
            offer.sku.encode(),
        ),
        default=None,
    )


def winning_rule(
    rules: Iterable[Rule],
    article: Article,
    *,
    supplier_id: int,
    customer_id: int | None,
    today: date,
) -> Rule | None:
    """The most specific rule that applies."""
    return min(
        (
            rule
            for rule in rules
            if rule.mismatch(article, supplier_id=supplier_id, customer_id=customer_id, today=today)
            is None
        ),
        key=lambda rule: rule.order,
        default=None,
    )


def price_article(
    article: Article, offers: Iterable[Offer], rules: Iterable[Rule], terms: Terms, *, today: date
) -> Priced | None:
    """Price one article as an export would; None where nobody offers it.

    Where purchase price + margin + surcharge is less than the purchase price, and the export does
    not allow that, the margin counts as 0.
    """
    offer = best_offer(offers, supplier_id=terms.supplier_id)
    if offer is None:
        return None
    rule = winning_rule(
        rules,
        article,
        supplier_id=offer.supplier_id,
        customer_id=terms.customer_id,
        today=today,
    )
    purchase = offer.purchase
    if purchase is None and terms.use_base_price:
        purchase = _known(article.base_price)
    margin, price, raised = Decimal(0), None, False
    if purchase is not None:
        margin = rule.margin(purchase) if rule else Decimal(0)
        exact = purchase + margin + terms.surcharge
        raised = exact < purchase and not terms.allow_below_purchase
        price = round_half_up(purchase + terms.surcharge if raised else exact)
    return Priced(
        offer=offer,
        purchase=purchase,
        rule=rule,
        margin=margin,
        price=price,
        raised=raised,
        left_out=_left_out(article, terms, price),
    )


def _known(amount: Decimal | None) -> Decimal | None:
    """The amount, where it is a price at all: columns of numerics may hold NaN and less than 0."""
    return None if amount is None or amount.is_nan() or amount <= 0 else amount


def round_half_up(amount: Decimal) -> Decimal:
    """To whole cents; half a cent away from zero, as PostgreSQL rounds numerics."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def _left_out(article: Article, terms: Terms, price: Decimal | None) -> Reason | None:
    if not article.is_active:
        return "inactive"
    if price is None:
        return "missing_price"
    if terms.require_ean and not article.ean:
        return "missing_ean"
    return None if price > 0 else "not_positive"

"""An order as every format makes it, checked.

What does not fit at all is refused, by field and reason, never by value: an order is somebody's
name and address. What fits, but cannot be right, becomes a reason to look at it.
"""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from cronops.errors import PermanentError

_CENT = Decimal("0.01")
_LONGEST_TITLE = 500
_MOST_PIECES = 100_000_000
_MOST_MONEY = Decimal(10) ** 9
_MOST_DECIMALS = 9
_TOLERANCE_PER_LINE = Decimal("0.01")
"""Each line may have been rounded at the platform by itself."""


def cents(amount: Decimal) -> Decimal:
    """Rounded to the cent, half a cent up (away from zero)."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


def _whole(value: Any) -> Any:
    """``4.0`` is four pieces; ``2.5`` is none."""
    if not isinstance(value, str):
        return value
    try:
        number = _number(value)
    except InvalidOperation:
        raise ValueError("must be a whole number") from None
    if not number.is_finite() or abs(number) > 1_000_000 or number != number.to_integral_value():
        raise ValueError("must be a whole number of at most 1,000,000")
    return int(number)


def _money(value: Any) -> Any:
    if value is None or value == "":
        return None
    try:
        amount = _number(value)
    except (InvalidOperation, TypeError, ValueError):
        raise ValueError("must be an amount, as in 59.90") from None
    if not amount.is_finite() or abs(amount) >= _MOST_MONEY:
        raise ValueError("must be an amount below 1,000,000,000")
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_MOST_DECIMALS:
        return amount.quantize(Decimal(10) ** -_MOST_DECIMALS, ROUND_HALF_UP)
    return amount


def _number(value: Any) -> Decimal:
    """As people write one: Python would take ``1_000`` as well, and digits of any script."""
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        raise InvalidOperation
    return Decimal(value)


def _short(value: Any) -> Any:
    return value[:_LONGEST_TITLE] if isinstance(value, str) else value


Quantity = Annotated[int, BeforeValidator(_whole)]
Money = Annotated[Decimal | None, BeforeValidator(_money)]
Name = Annotated[str | None, Field(max_length=200)]


class OrderLine(BaseModel):
    """One line; a part of a set names the set's line, and is priced there."""

    model_config = ConfigDict(hide_input_in_errors=True)

    position: int = Field(ge=1, le=1_000_000)
    part_of: int | None = None
    article_number: Name = None
    ean: Name = None
    mpn: Name = None
    platform_article_id: Name = None
    title: Annotated[str | None, BeforeValidator(_short)] = None
    quantity: Quantity
    quantity_of_set: Quantity = 1
    unit_price: Money = None
    total: Money = None

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if abs(self.pieces) > _MOST_PIECES:
            raise ValueError(f"more than {_MOST_PIECES:,} pieces")
        return self

    @property
    def pieces(self) -> int:
        """How many articles are wanted, in all sets together."""
        return self.quantity * self.quantity_of_set

    @property
    def amount(self) -> Decimal | None:
        """What the line costs; None where that is nowhere said."""
        if self.total is not None:
            return cents(self.total)
        if self.unit_price is None:
            return None
        return cents(self.unit_price * self.quantity)


class Order(BaseModel):
    """One order."""

    model_config = ConfigDict(hide_input_in_errors=True)

    ordered_at: AwareDatetime | None = None
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    total: Money = None
    shipping: Money = None
    tax: Money = None
    customer: dict[str, Any] = {}
    delivery: dict[str, Any] = {}
    lines: list[OrderLine]
    lines_announced: Quantity | None = None

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if len({line.position for line in self.lines}) < len(self.lines):
            raise ValueError("two lines have one position")
        if sum(abs(line.amount or Decimal(0)) for line in self.own_lines) >= _MOST_MONEY:
            raise ValueError(f"its lines make {_MOST_MONEY:,} or more")
        return self

    @property
    def own_lines(self) -> list[OrderLine]:
        """The lines that were ordered, without the parts of sets."""
        return [line for line in self.lines if line.part_of is None]

    @property
    def pieces(self) -> int:
        """How many were ordered, a set as one."""
        return sum(line.quantity for line in self.own_lines)

    @property
    def lines_total(self) -> Decimal:
        """What its lines make."""
        return sum((line.amount or Decimal(0) for line in self.own_lines), Decimal(0))

    def doubts(self) -> list[str]:
        """What cannot be right about it, each in a sentence without names."""
        return [*self._doubts_about_lines(), *self._doubts_about_totals()]

    def _doubts_about_lines(self) -> list[str]:
        doubts = [] if self.lines else ["it has no lines"]
        if self.lines_announced is not None and self.lines_announced != len(self.own_lines):
            doubts.append(
                f"{self.lines_announced} lines were announced, {len(self.own_lines)} came"
            )
        for line in self.lines:
            if line.pieces <= 0:
                doubts.append(f"line {line.position}: the quantity is {line.pieces}")
            if line.part_of is not None:
                continue
            if line.amount is None:
                doubts.append(f"line {line.position}: it has no price")
            elif line.unit_price is not None and line.total is not None:
                made = cents(line.unit_price * line.quantity)
                if abs(made - line.total) > _TOLERANCE_PER_LINE * max(1, abs(line.quantity)):
                    doubts.append(
                        f"line {line.position}: {line.quantity} at {line.unit_price} make {made}, "
                        f"not {line.total}"
                    )
        return doubts

    def _doubts_about_totals(self) -> list[str]:
        if self.total is None:
            return []
        made = self.lines_total + (self.shipping or Decimal(0))
        # Prices are with tax at some platforms, and without at others.
        candidates = (made, made + (self.tax or Decimal(0)), self.lines_total)
        tolerance = _TOLERANCE_PER_LINE * (len(self.own_lines) + 1)
        if any(abs(self.total - candidate) <= tolerance for candidate in candidates):
            return []
        return [f"the total is {self.total}, its lines and shipping make {made}"]


def order_from(payload: Any) -> Order:
    """The checked order. Raises `PermanentError` that names fields and reasons, no values."""
    try:
        return Order.model_validate(payload)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise PermanentError(f"the order does not fit: {problems[:1500]}") from None


def cancelled_pieces(payload: Any) -> int | None:
    """How many pieces a cancellation names; None where it names none, and means all."""
    total = 0
    for line in payload.get("lines") or [] if isinstance(payload, dict) else []:
        if not isinstance(line, dict) or line.get("part_of") is not None:
            continue
        try:
            total += max(0, int(_whole(line.get("quantity"))))
        except (ValueError, TypeError):
            return None
    return min(total, _MOST_PIECES) or None

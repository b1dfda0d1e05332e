"""Kubernetes' notation for amounts: ``100m``, ``1Gi``, ``1e3``, ``0.5``.

Source: the grammar in the API reference of ``resource.Quantity``. What Go's parser takes beyond
it by accident (``+``, ``.``) is refused.
"""

import re
from fractions import Fraction
from functools import lru_cache

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))"
    r"(?P<suffix>[KMGTPE]i|[numkMGTPE]?|[eE](?P<exponent>[+-]?[0-9]+))"
)
_POWERS_OF_TWO = {f"{unit}i": Fraction(1024**power) for power, unit in enumerate("KMGTPE", start=1)}
_POWERS_OF_TEN = {
    suffix: Fraction(10) ** power
    for suffix, power in zip(
        ("n", "u", "m", "", "k", "M", "G", "T", "P", "E"),
        (-9, -6, -3, 0, 3, 6, 9, 12, 15, 18),
        strict=True,
    )
}
_FACTORS = _POWERS_OF_TEN | _POWERS_OF_TWO
# The API keeps amounts in 64 bits, so a larger exponent only costs time.
_LARGEST_EXPONENT = 18
_LONGEST = 40
# What people write who think of another notation: the number, and a unit's letters.
_FAMILIAR = re.compile(r"(?P<number>[0-9]+(?:[.,][0-9]+)?)(?P<unit>[A-Za-z]*)")
_BYTES = re.compile(r"i?(b|bytes?)?$")
_MEANT = {"k": "Ki", "m": "Mi", "g": "Gi", "t": "Ti", "p": "Pi"}


class InvalidQuantity(ValueError):
    """Text that is no amount; `instead` is what was probably meant, or empty."""

    def __init__(self, message: str, instead: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.instead = instead


@lru_cache(maxsize=4096)
def parse_quantity(text: str) -> Fraction:
    """The exact amount, in units (bytes, cores).

    Raises `InvalidQuantity` for text the API would reject. Negative amounts are read: whether
    one makes sense is not a matter of notation.
    """
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise InvalidQuantity(f"{text[:_LONGEST]!r} is no Kubernetes quantity", _meant(text))
    exponent = match["exponent"]
    if exponent is None:
        return Fraction(match["number"]) * _FACTORS[match["suffix"]]
    if abs(int(exponent)) > _LARGEST_EXPONENT:
        raise InvalidQuantity(f"{text!r} has an exponent beyond {_LARGEST_EXPONENT}")
    return Fraction(match["number"]) * Fraction(10) ** int(exponent)


def _meant(text: str) -> str:
    compact = "".join(text[:_LONGEST].split())
    if compact != text and _QUANTITY.fullmatch(compact):
        return compact
    familiar = _FAMILIAR.fullmatch(compact)
    if familiar is None:
        return ""
    number, unit = familiar["number"].replace(",", "."), familiar["unit"].lower()
    if unit in ("", "m"):
        return f"{number}{unit}"
    suffix = _MEANT.get(_BYTES.sub("", unit))
    return f"{number}{suffix}" if suffix else ""

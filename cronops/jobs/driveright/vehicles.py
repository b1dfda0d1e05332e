"""What DriveRight says of a vehicle, read and checked; what is malformed is named."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

_PCD = re.compile(r"[1-9]\d?x[1-9]\d{1,2}(\.\d{1,2})?")
_LONGEST_NAME = 200
_YEARS = range(1880, 2200)
_TENTH = Decimal("0.1")
_MOST = {"centreBore": 1000, "offsetMin": 1000, "offsetMax": 1000}
_LEAST = {"offsetMin": -1000, "offsetMax": -1000}
_POSITIONS = ("front", "rear", "both")


class Fitment(NamedTuple):
    """What fits, in the order of its table's columns; lengths in mm, diameters in inches."""

    product_type: str
    position: str
    is_oe: bool
    tyre_width: int | None
    tyre_aspect: int | None
    tyre_diameter: Decimal | None
    wheel_diameter: Decimal | None
    wheel_width: Decimal | None
    pcd: str | None
    centre_bore: Decimal | None
    offset_min: Decimal | None
    offset_max: Decimal | None


@dataclass(frozen=True)
class Vehicle:
    """One vehicle, as far as it can be used."""

    external_id: str
    make: str
    model: str
    generation: str
    variant: str
    built_from: int | None
    built_until: int | None
    fitments: tuple[Fitment, ...]
    problems: tuple[str, ...]
    is_valid: bool
    """Whether the vehicle itself can be used; else only its id counts: it is not gone."""

    @property
    def is_partial(self) -> bool:
        """Whether fitments of it were malformed: then those that are there must stay."""
        return bool(self.problems)


def read_vehicle(raw: Any) -> Vehicle:
    """Read one vehicle. Raises `ValueError` where it has no id: nobody knows which it is."""
    if not isinstance(raw, Mapping):
        raise ValueError("it is no object")
    external_id = _name(raw, "id")
    if not external_id:
        raise ValueError("it has no id")
    problems: list[str] = []
    try:
        make, model = _name(raw, "make"), _name(raw, "model")
        if not make or not model:
            raise ValueError("it has no make or no model")
        names = (make, model, _name(raw, "generation"), _name(raw, "variant"))
        built = _year(raw, "builtFrom"), _year(raw, "builtUntil")
        if built[0] and built[1] and built[1] < built[0]:
            raise ValueError(f"built until {built[1]}, which is before {built[0]}")
        listed = raw.get("fitments")
        if not isinstance(listed, list):
            raise ValueError("it has no list of fitments")
    except ValueError as error:
        return Vehicle(external_id, "", "", "", "", None, None, (), (str(error),), is_valid=False)
    fitments = tuple(_fitments(listed, problems))
    return Vehicle(external_id, *names, *built, fitments, tuple(problems), is_valid=True)


def _fitments(listed: list[Any], problems: list[str]) -> Iterator[Fitment]:
    for place, raw in enumerate(listed, 1):
        try:
            yield read_fitment(raw)
        except ValueError as error:
            problems.append(f"fitment {place}: {error}")


def read_fitment(raw: Any) -> Fitment:
    """Read what fits. Raises `ValueError` that says what is malformed."""
    if not isinstance(raw, Mapping):
        raise ValueError("it is no object")
    kind, position = raw.get("productType"), raw.get("position", "both")
    if kind not in ("tyre", "wheel"):
        raise ValueError(f"its product type is {_shown(kind)}, neither tyre nor wheel")
    if position not in _POSITIONS:
        raise ValueError(f"its position is {_shown(position)}, none of {', '.join(_POSITIONS)}")
    is_oe = raw.get("oe", False)
    if not isinstance(is_oe, bool):
        raise ValueError(f"oe is {_shown(is_oe)}, neither true nor false")
    needed = ("tyreWidth", "tyreDiameter") if kind == "tyre" else ("wheelDiameter", "wheelWidth")
    for name in needed:
        if raw.get(name) is None:
            raise ValueError(f"it has no {name}")
    lowest, highest = _number(raw, "offsetMin"), _number(raw, "offsetMax")
    if lowest is not None and highest is not None and lowest > highest:
        raise ValueError(f"its offset goes from {lowest} to {highest}, which is less")
    return Fitment(
        kind,
        position,
        is_oe,
        _whole(raw, "tyreWidth"),
        _whole(raw, "tyreAspect"),
        _number(raw, "tyreDiameter"),
        _number(raw, "wheelDiameter"),
        _number(raw, "wheelWidth"),
        _pcd(raw.get("pcd")),
        _number(raw, "centreBore"),
        lowest,
        highest,
    )


def _pcd(value: Any) -> str | None:
    """Bolts and their circle, as ``5x112``; ``5X112`` and ``5 x 112`` are the same."""
    if value is None or value == "":
        return None
    tidy = (
        value.lower().replace("\N{MULTIPLICATION SIGN}", "x").replace(" ", "")
        if isinstance(value, str)
        else ""
    )
    if "." in tidy:
        tidy = tidy.rstrip("0").rstrip(".")
    if not _PCD.fullmatch(tidy):
        raise ValueError(f"its pcd is {_shown(value)}; 5x112 is one")
    return tidy


def _name(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and key == "id":
        value = str(value)
    if not isinstance(value, str):
        raise ValueError(f"its {key} is {_shown(value)}, no text")
    tidy = " ".join(value.split())
    if len(tidy) > _LONGEST_NAME or not tidy.isprintable():
        raise ValueError(f"its {key} is longer than {_LONGEST_NAME} characters, or not printable")
    return tidy


def _year(raw: Mapping[str, Any], key: str) -> int | None:
    value = raw.get(key)
    if value is None:
        return None
    if type(value) is not int or value not in _YEARS:
        raise ValueError(f"its {key} is {_shown(value)}, no year")
    return value


def _whole(raw: Mapping[str, Any], key: str) -> int | None:
    value = _number(raw, key)
    if value is None:
        return None
    if value != value.to_integral_value():
        raise ValueError(f"its {key} is {_shown(raw[key])}, no whole number")
    return int(value)


def _number(raw: Mapping[str, Any], key: str) -> Decimal | None:
    """To a tenth, which is what the tables hold."""
    value = raw.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"its {key} is {_shown(value)}, no number")
    number = Decimal(value)
    least = _LEAST.get(key, 0)
    if not number.is_finite() or not least < number < _MOST.get(key, 1000):
        raise ValueError(f"its {key} is {_shown(value)}, out of all reason")
    rounded = number.quantize(_TENTH, ROUND_HALF_UP)
    # Rounding must not make of it what the tables refuse.
    if not least < rounded < _MOST.get(key, 1000):
        raise ValueError(f"its {key} is {_shown(value)}, out of all reason")
    return rounded


def _shown(value: Any) -> str:
    text = repr(str(value)) if isinstance(value, str | Decimal) else repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"

"""Margin rules as people write them: the words of an option, or the lines of a CSV file."""

import csv
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from cronops.errors import BadInput
from cronops.jobs.stock.pricing import Rule

TYPES = ("tyre", "wheel", "accessory")
_KINDS = ("percent", "amount")
_LARGEST = 16 * 1024 * 1024
_LONGEST = 200
_NAMED = 10
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def rule_from(values: Mapping[str, str | None]) -> Rule:
    """A rule from texts by column; what is empty or None is not named, without an id it is new.

    Raises `ValueError`, which names all that is wrong.
    """
    made: dict[str, Any] = {"id": 0}
    problems = []
    for name, text in values.items():
        if name not in READERS:
            problems.append(f"there is no column {name!r}; there are {', '.join(READERS)}")
            continue
        if text is None or not text.strip():
            continue
        try:
            made[name] = READERS[name](text.strip())
        except ValueError as error:
            problems.append(f"{name}: {error}")
    problems += [f"{name} is missing" for name in ("kind", "value") if not values.get(name)]
    if not problems:
        rule = Rule(**made)
        problems += problems_of(rule)
    if problems:
        raise ValueError("; ".join(problems))
    return rule


def problems_of(rule: Rule) -> Iterator[str]:
    """What makes no sense about a rule."""
    if rule.kind == "percent" and not -100 < rule.value <= 1000:
        yield f"value: {rule.value} % must be above -100 and at most 1000"
    if rule.kind == "amount" and abs(rule.value) >= 1_000_000:
        yield f"value: {rule.value} EUR is too much"
    if rule.article_number is not None and any(rule.named):
        yield "a rule for an article names no category, brand, type, diameter or size"
    if rule.valid_from and rule.valid_until and rule.valid_until < rule.valid_from:
        yield f"valid_until {rule.valid_until} is before valid_from {rule.valid_from}"


def read_rules(file: Path) -> list[Rule]:
    """The rules of a CSV file, with a header, separated by ``;`` or ``,``; all of them, or none.

    Raises `BadInput`, which names lines and reasons.
    """
    lines = _text(file).splitlines()
    header = lines[0] if lines else ""
    delimiter = ";" if header.count(";") >= header.count(",") else ","
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rules: list[Rule] = []
    problems: list[str] = []
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        _check_header(file, names)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            try:
                if len(cells) != len(names):
                    raise ValueError(f"it has {len(cells)} cells, the header {len(names)}")
                rules.append(rule_from(dict(zip(names, cells, strict=True))))
            except ValueError as error:
                problems.append(f"line {reader.line_num}: {error}")
    except csv.Error as error:
        problems.append(f"line {reader.line_num}: {error}")
    seen: set[int] = set()
    for rule in rules:
        if rule.id and rule.id in seen:
            problems.append(f"rule {rule.id} occurs twice")
        seen.add(rule.id)
    if problems:
        more = f"; and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
        raise BadInput(f"{file}: nothing was imported: {'; '.join(problems[:_NAMED])}{more}")
    if not rules:
        raise BadInput(f"{file} holds no rule")
    return rules


def _check_header(file: Path, names: list[str]) -> None:
    if "kind" not in names or "value" not in names:
        raise BadInput(
            f"{file}: its first line must name the columns, kind and value among them; there are "
            f"{', '.join(READERS)}"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"{file}: the column {twice[0]!r} occurs twice")


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST:
        raise BadInput(f"{file} is larger than {_LARGEST >> 20} MiB: no list of rules is")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{file} is not UTF-8: line {line}; save it as UTF-8") from None
    if "\0" in text:
        raise BadInput(f"{file} holds NUL characters: it is no text")
    return text


def _text_cell(text: str) -> str:
    if len(text) > _LONGEST or not text.isprintable():
        raise ValueError(f"must be printable text of at most {_LONGEST} characters")
    return text


def _whole(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"{text!r} is no whole number") from None
    if not -(2**31) <= number < 2**31:
        raise ValueError(f"{text!r} is too large")
    return number


def _positive(text: str) -> int:
    number = _whole(text)
    if number < 1:
        raise ValueError(f"{text!r} must be at least 1")
    return number


def _decimal(places: int) -> Callable[[str], Decimal]:
    def read(text: str) -> Decimal:
        # A comma is a decimal comma; whoever groups thousands has to say what is meant.
        try:
            number = Decimal(text.replace(",", ".", 1) if "." not in text else text)
        except InvalidOperation:
            raise ValueError(f"{text!r} is no number; write 12.5") from None
        if not number.is_finite() or abs(number) >= 10**9:
            raise ValueError(f"{text!r} is no number that makes sense here")
        if round(number, places) != number:
            raise ValueError(f"{text!r} has more than {places} decimal places")
        return round(number, places)

    return read


def _diameter(text: str) -> Decimal:
    number = _decimal(1)(text)
    if not 0 < number < 1000:
        raise ValueError(f"{text!r} is no diameter in inches")
    return number


def _one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is none of {', '.join(choices)}")
        return text

    return read


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date; write 2026-11-23") from None


def _truth(text: str) -> bool:
    if text.lower() not in _TRUTH:
        raise ValueError(f"{text!r} is neither true nor false")
    return _TRUTH[text.lower()]


READERS: Mapping[str, Callable[[str], Any]] = {
    "id": _positive,
    "kind": _one_of(_KINDS),
    "value": _decimal(4),
    "priority": _whole,
    "supplier_id": _positive,
    "customer_id": _positive,
    "article_number": _text_cell,
    "category": _text_cell,
    "brand": _text_cell,
    "product_type": _one_of(TYPES),
    "wheel_diameter": _diameter,
    "tyre_size": _text_cell,
    "valid_from": _date,
    "valid_until": _date,
    "active": _truth,
}
"""What may be said of a rule, and how it is read."""

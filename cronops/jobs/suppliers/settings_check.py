"""Makes a setting of what an operator wrote, and says everything that is wrong with it at once."""

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, fields
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any

from cronops.durations import parse_duration
from cronops.jobs.suppliers.setting import FIELDS, REQUIRED, ImportSetting
from cronops.jobs.suppliers.xml_rows import is_place

_THOUSANDS = ("", ".", ",", " ", "'", "\u2019", "\u00a0", "\u202f")
_WORDS = {"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ",", "pipe": "|"}
_NONE = {"", "none"}
_LONGEST_GLOB = 200
_LONGEST_QUIET = timedelta(minutes=10)
# Neither a terminal that shows them, nor PostgreSQL, nor JSON takes all of these well.
_UNSHOWABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def setting_of(values: Mapping[str, Any]) -> tuple[ImportSetting | None, list[str]]:
    """The setting of these values (as text, or as JSON and TOML have them), and what is wrong.

    What is not given has its default. There is a setting only where nothing is wrong.
    """
    problems: list[str] = []
    read: dict[str, Any] = {}
    known = [one.name for one in fields(ImportSetting)]
    for name, value in values.items():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            problems.append(f"there is no field {name!r}{hint}")
            continue
        try:
            read[name] = _READERS[name](value)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    problems += [f"{name} is missing" for name in ("supplier_id", "name") if name not in values]
    if problems:
        return None, problems
    setting = ImportSetting(**read)
    problems = list(_contradictions(setting))
    return (None if problems else setting), problems


def changes(before: ImportSetting | None, after: ImportSetting) -> dict[str, tuple[Any, Any]]:
    """Field to its value before and after, where they differ; everything of a new setting."""
    new = asdict(after)
    old = asdict(before) if before else {}
    return {name: (old.get(name), value) for name, value in new.items() if old.get(name) != value}


def _contradictions(setting: ImportSetting) -> Iterator[str]:
    if setting.decimal == setting.thousands:
        yield f"decimal and thousands are both {setting.decimal!r}"
    if setting.quote and setting.quote == setting.delimiter:
        yield f"delimiter and quote are both {setting.quote!r}"
    if setting.format == "xml":
        if not setting.row_tag:
            yield "row_tag is missing: in XML it says which element is a row"
        if setting.trailer:
            yield "trailer is for CSV: an XML file says itself where it ends"
        if any(isinstance(one, int) for one in setting.column_map.values()):
            yield "column_map: in XML a field is named by its path, as in Stock/@total"
        for field, path in setting.column_map.items():
            if not is_place(str(path)):
                yield f"column_map: {field}: {path!r} is no path below the row, as in Stock/@total"
    elif setting.row_tag:
        yield "row_tag is for XML"
    elif not setting.header and any(isinstance(one, str) for one in setting.column_map.values()):
        yield "column_map: without a header, columns are named by their position from 1"
    for field in REQUIRED:
        if field not in setting.column_map:
            yield f"column_map: {field} is missing"
    seen: dict[str, str] = {}
    for field, column in setting.column_map.items():
        key = str(column).strip().casefold()
        if key in seen:
            yield f"column_map: {seen[key]} and {field} are both in {column!r}"
        seen[key] = field


# --- values ------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 500:
        raise ValueError(f"must be text, not {value!r}"[:600])
    if _UNSHOWABLE.search(value.strip()):
        raise ValueError(f"has letters that cannot be shown: {value!a}")
    return value.strip()


def _maybe(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def maybe(value: Any) -> Any:
        is_none = value is None or (isinstance(value, str) and value.strip().lower() in _NONE)
        return None if is_none else read(value)

    return maybe


def _glob(value: Any) -> str:
    text = _text(value)
    if "/" in text or "\\" in text or len(text) > _LONGEST_GLOB:
        raise ValueError(f"must be a pattern of file names, such as stock_*.csv, not {text!r}")
    return text


def _choice(*names: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in names:
            raise ValueError(f"must be {' or '.join(map(repr, names))}, not {value!r}")
        return str(value)

    return read


def _letter(value: Any) -> str:
    text = _WORDS.get(value.lower(), value) if isinstance(value, str) else value
    is_letter = isinstance(text, str) and len(text) == 1 and not text.isalnum()
    # A tab is the one control character that tables are written with.
    if not is_letter or text in " \\\ufeff\ufffd" or (text != "\t" and _UNSHOWABLE.search(text)):
        raise ValueError(f"must be one letter that no value has, or tab; not {value!a}")
    return str(text)


def _quote(value: Any) -> str:
    return "" if value == "" or value == "none" else _letter(value)


def _encoding(value: Any) -> str:
    text = _text(value).lower()
    if text == "auto":
        return text
    try:
        # As files are read: what cannot be decoded is replaced.
        decoder = codecs.getincrementaldecoder(text)("replace")
        is_text = decoder.decode("a\n".encode(text), final=True) == "a\n"
    except Exception:  # each codec has errors of its own
        is_text = False
    if not is_text:
        raise ValueError(
            f"there is no encoding {text!r}; auto, utf-8, windows-1252, latin-1 and utf-16 are "
            "common"
        )
    return text


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {value!r}")
    return value


def _integer(at_least: int, at_most: int = 2**31 - 1) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not is_number or not at_least <= value <= at_most:
            raise ValueError(f"must be a whole number from {at_least}, not {value!r}")
        return int(value)

    return read


def _percent(value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal(-1)
    if isinstance(value, bool) or not number.is_finite() or not 0 <= number <= 100:
        raise ValueError(f"must be 0 to 100, not {value!r}")
    return number.quantize(Decimal("0.01"))


def _age(value: Any) -> timedelta:
    age = parse_duration(value)
    if age <= timedelta(0):
        raise ValueError("must be longer than 0")
    return age


def _quiet(value: Any) -> timedelta:
    quiet = parse_duration(value)
    if quiet > _LONGEST_QUIET:
        raise ValueError("must be 10 minutes at most: a run waits for so long")
    return quiet


def _column_map(value: Any) -> dict[str, str | int]:
    if not isinstance(value, Mapping):
        raise ValueError("must name a column for each field: sku, qty, …")
    found: dict[str, str | int] = {}
    for field, column in value.items():
        if field not in FIELDS:
            near = get_close_matches(str(field), FIELDS, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ":"
            raise ValueError(f"there is no field {field!r}{hint} there are {', '.join(FIELDS)}")
        if isinstance(column, str) and column.strip().isdecimal():
            column = int(column)
        is_place = isinstance(column, int) and not isinstance(column, bool) and column >= 1
        if not is_place and not (isinstance(column, str) and column.strip()):
            raise ValueError(f"{field}: must be a header's name or a position from 1: {column!r}")
        if isinstance(column, str) and _UNSHOWABLE.search(column.strip()):
            raise ValueError(f"{field}: has letters that cannot be shown: {column!a}")
        found[field] = column.strip() if isinstance(column, str) else int(column)
    return {field: found[field] for field in FIELDS if field in found}


def _currency(value: Any) -> str:
    if value != "EUR":
        raise ValueError(f"stock is priced in EUR; prices in {value!r} are not converted")
    return "EUR"


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "supplier_id": _integer(1),
    "name": _text,
    "active": _truth,
    "source": _maybe(_text),
    "credential": _maybe(_text),
    "glob": _glob,
    "delta_glob": _maybe(_glob),
    "member_glob": _glob,
    "format": _choice("csv", "xml"),
    "delimiter": _letter,
    "quote": _quote,
    "encoding": _encoding,
    "decimal": _choice(".", ","),
    "thousands": lambda value: _choice(*_THOUSANDS)("" if value == "none" else value),
    "header": _truth,
    "row_tag": _maybe(_text),
    "trailer": _maybe(_text),
    "column_map": _column_map,
    "mode": _choice("full", "delta"),
    "yes_qty": _integer(1, 1_000_000),
    "currency": _currency,
    "max_age": _maybe(_age),
    "min_rows": _integer(0),
    "max_drop_pct": _percent,
    "max_reject_pct": _percent,
    "quiet": _quiet,
}

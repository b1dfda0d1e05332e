"""An export's settings as people write them: the words of options, or a file of JSON or TOML."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cronops.errors import BadInput
from cronops.jobs.stock.setting import COLUMNS, ExportSetting, problems_of

_LARGEST = 1024 * 1024
_NONE = ("none", "")
_REQUIRED = {
    "name": "--name",
    "platform": "--platform",
    "column_map": "--column",
    "transport": "--to",
    "file_pattern": "--file-name",
}
_KEPT = ("id", "active")
"""What is not set by value: a new export gets an id, and is enabled by a command of its own."""
_SHOWN = ("problems", "last_state", "last_reason", "last_rows", "last_started_at")
_IGNORED = (*_KEPT, *_SHOWN, "last_delivered_at")


def setting_from(values: Mapping[str, Any], *, before: ExportSetting | None) -> ExportSetting:
    """`before` with those values, or a new one; all of it checked.

    Values are texts, or of the type the setting has. Raises `BadInput`, naming all that is wrong.
    """
    problems = []
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name not in COLUMNS or name in _KEPT:
            near = get_close_matches(name, [one for one in COLUMNS if one not in _KEPT])
            hint = f"; did you mean {near[0]!r}?" if near else ""
            problems.append(f"there is no setting {name!r}{hint}")
            continue
        try:
            reader: Callable[[Any], Any] = _READERS.get(name, _text)
            read[name] = reader(value)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    if before is None:
        missing = [option for name, option in _REQUIRED.items() if name not in values]
        if missing:
            problems.append(f"a new export needs {', '.join(missing)}")
    if not problems:
        setting = ExportSetting(id=0, **read) if before is None else replace(before, **read)
        problems += problems_of(setting)
    if problems:
        raise BadInput(f"nothing was changed: {'; '.join(problems)}")
    return setting


def read_setting(file: Path) -> dict[str, Any]:
    """The values in a file, TOML where it is called so, else JSON."""
    import json
    import tomllib

    try:
        if file.stat().st_size > _LARGEST:
            raise BadInput(f"{file} is too large for the settings of an export")
        text = file.read_text(encoding="utf-8")
        if file.suffix.lower() == ".toml":
            values = tomllib.loads(text, parse_float=Decimal)
        else:
            values = json.loads(text, parse_float=Decimal)
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{file} is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file}: {error}") from None
    if not isinstance(values, dict):
        raise BadInput(f"{file} must hold an object of settings")
    # What `show --json` prints can be edited and read again.
    return {name: value for name, value in values.items() if name not in _IGNORED}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


def _maybe_text(value: Any) -> str | None:
    return None if value is None or value in _NONE else _text(value)


def _whole(value: Any) -> int | None:
    if value is None or (isinstance(value, str) and value.lower() in _NONE):
        return None
    try:
        number = int(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number < 2**31:
        raise ValueError(f"{value!r} is no whole number from 1 on; or write none")
    return number


def _amount(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("must be a number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is no number; write 4.90") from None
    if not number.is_finite() or abs(number) >= 10**6:
        raise ValueError(f"{value!r} is no number that makes sense here")
    if round(number, 2) != number:
        raise ValueError(f"{value!r} has more than 2 decimal places")
    return round(number, 2)


def _share(value: Any) -> Decimal | None:
    if value is None or (isinstance(value, str) and value.lower() in _NONE):
        return None
    return _amount(value.removesuffix("%") if isinstance(value, str) else value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _delimiter(value: Any) -> str:
    return "\t" if value in ("tab", "\\t") else _text(value)


def _columns(value: Any) -> list[tuple[str, str]]:
    """From ``name=source`` texts, from pairs, or from an object; in their order."""
    if isinstance(value, Mapping):
        value = list(value.items())
    if not isinstance(value, list):
        raise ValueError('must be {"name": "source", …}')
    columns = []
    for one in value:
        pair = one.split("=", 1) if isinstance(one, str) else one
        if (
            not isinstance(pair, list | tuple)
            or len(pair) != 2
            or not all(isinstance(part, str) for part in pair)
        ):
            raise ValueError(f"{one!r} must be NAME=SOURCE")
        columns.append((pair[0].strip(), pair[1]))
    return columns


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "supplier_id": _whole,
    "customer_id": _whole,
    "credential": _maybe_text,
    "column_map": _columns,
    "transport_surcharge": _amount,
    "delimiter": _delimiter,
    "min_rows": _whole,
    "max_drop_pct": _share,
    **dict.fromkeys(
        ("header", "guard_formulas", "allow_below_purchase", "use_base_price", "require_ean"),
        _truth,
    ),
}

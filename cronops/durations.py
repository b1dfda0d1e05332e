"""Lengths of time as people, settings and manifests write them."""

import re
from datetime import timedelta

_SHORT = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m|h|d|w)")
_ISO = re.compile(
    r"P(?:(?P<w>\d+(?:\.\d+)?)W)?(?:(?P<d>\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<h>\d+(?:\.\d+)?)H)?(?:(?P<m>\d+(?:\.\d+)?)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?",
    re.IGNORECASE,
)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_duration(value: object) -> timedelta:
    """A duration from seconds (``90``, ``"1.5"``), ISO 8601 (``PT10M``) or short (``1h30m``).

    Raises `ValueError` for anything else, for negative values and for years or months,
    whose length is not fixed.
    """
    if isinstance(value, timedelta):
        duration = value
    elif isinstance(value, bool):
        raise ValueError("a duration is a number of seconds, not true or false")
    elif isinstance(value, int | float):
        duration = _of_seconds(float(value))
    elif isinstance(value, str):
        duration = _parse_text(value.strip())
    else:
        raise ValueError(f"not a duration: {value!r}")
    if duration < timedelta(0):
        raise ValueError(f"a duration cannot be negative: {value!r}")
    return duration


def format_duration(duration: timedelta) -> str:
    """The duration for people, its largest two units: ``2d 3h``, ``4m 10s``, ``0.25s``."""
    seconds = duration.total_seconds()
    if seconds < 10:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + "s"
    parts: list[str] = []
    left = round(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])


def _parse_text(text: str) -> timedelta:
    try:
        return _of_seconds(float(text))
    except (ValueError, OverflowError):
        pass
    iso = _ISO.fullmatch(text)
    if iso and any(iso.groupdict().values()):
        amounts = {unit: float(number) for unit, number in iso.groupdict().items() if number}
        return _of_seconds(sum(_SECONDS[unit] * number for unit, number in amounts.items()))
    parts = list(_SHORT.finditer(text.lower()))
    if parts and "".join(part.group() for part in parts) == text.lower():
        return _of_seconds(sum(float(p["number"]) * _SECONDS[p["unit"]] for p in parts))
    raise ValueError(
        f"not a duration: {text!r}; write seconds (90), ISO 8601 (PT1M30S) or short (1m30s)"
    )


def _of_seconds(seconds: float) -> timedelta:
    try:
        return timedelta(seconds=seconds)
    except (OverflowError, ValueError) as error:
        raise ValueError(f"not a duration: {seconds!r} seconds") from error

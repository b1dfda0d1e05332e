"""Values as YAML that PyYAML and Go's parsers read alike.

PyYAML writes ``12e4567890`` and ``y`` without quotes, which Go reads as a number and a truth
value. Here a string stands without quotes only where no parser can take it for anything else.
"""

import re
from functools import lru_cache
from typing import Any

# A letter first and no colon: no number, date, time, indicator or document marker looks like it.
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?")
_KEYWORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
# Fixed ranges, for `str.isprintable` differs from one Python to the next: control characters,
# line breaks that only some parsers know, blanks and marks nobody sees, noncharacters, and what
# lies beyond 16 bits. Surrogates are not text and have no spelling in YAML.
_ESCAPED = re.compile(
    '["\\\\\x00-\x1f\x7f-\xa0\xad\u061c\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000'
    "\ufe00-\ufe0f\ufeff\ufff0-\uffff\U00010000-\U0010ffff\ud800-\udfff]"
)
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Verbatim(str):
    """Text that is YAML already; `scalar` leaves it alone."""

    __slots__ = ()


@lru_cache(maxsize=16384)
def quoted(text: str) -> str:
    """A string as one line of YAML, for a value, a list item, or a key of up to 1,000 characters.

    Raises `ValueError` for a lone surrogate, which no YAML file and no API object can hold.
    """
    if _PLAIN.fullmatch(text) and text.lower() not in _KEYWORDS:
        return text
    return f'"{_ESCAPED.sub(_escape, text)}"'


def scalar(value: Any) -> str:
    """Any value that a template writes: strings are quoted where need be.

    Raises `TypeError` for what has no place in a manifest: None, a float, a collection.
    """
    kind = type(value)
    if kind is str:
        return quoted(value)
    if kind is Verbatim:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    raise TypeError(f"{value!r} cannot be written into a manifest")


def indented(text: str, blanks: int) -> Verbatim:
    """YAML moved to the right; safe because no string in it spans two lines."""
    pad = " " * blanks
    return Verbatim(pad + text.replace("\n", "\n" + pad))


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    short = _SHORT.get(character)
    if short is not None:
        return short
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError(f"the lone surrogate U+{code:04X} is not text")
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"

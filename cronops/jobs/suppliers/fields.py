"""What suppliers write into a field, and what it means; pure."""

import re
from decimal import ROUND_HALF_UP, Decimal

CHEAPEST_REFUSED = Decimal(100_000_000)
MOST_PIECES = 9_999_999
LONGEST_TEXT = 100
LONGEST_NUMBER = 40
"""What is longer is no number, and not worth a look: a cell may have a million letters."""

_YES = frozenset({"Y", "YES", "J", "JA"})
_NO = frozenset({"N", "NO", "NEIN"})
_QUANTITY = re.compile(r">?\s*(?P<sign>-?)(?P<number>[^\s>+-][^>+-]*?)\s*\+?")
_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?[eE][+-]?\d+")
_EXCEL_TEXT = re.compile(r'="(.*)"|\'(.*)')
_DAYS = re.compile(r"(?:(?P<from>\d{1,3})\s*[-\u2013]\s*)?(?P<to>\d{1,3})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_CURRENCY_SIGN = re.compile(r"\s*(?:€|EUR)\s*")
_FOUR_PLACES = Decimal("0.0001")


class Refused(ValueError):
    """A field that cannot be taken; the text is the reason that is counted."""


class Numbers:
    """How a supplier writes numbers."""

    def __init__(self, decimal: str, thousands: str) -> None:
        self._decimal, self._thousands = decimal, thousands
        point, group = re.escape(decimal), re.escape(thousands)
        grouped = rf"\d{{1,3}}(?:{group}\d{{3}})+|" if thousands else ""
        self._pattern = re.compile(rf"(?:{grouped}\d+)(?:{point}\d+)?", re.ASCII)

    def read(self, text: str) -> Decimal:
        """An unsigned number; `ValueError` for anything else, scientific notation included."""
        if not self._pattern.fullmatch(text):
            raise ValueError(text)
        plain = text.replace(self._thousands, "") if self._thousands else text
        return Decimal(plain.replace(self._decimal, "."))


def quantity(text: str, numbers: Numbers, *, yes: int) -> tuple[int, str | None]:
    """Pieces in stock, and a note: ``>20`` and ``20+`` are 20, ``Y`` is `yes`, ``N`` is 0.

    Less than nothing is nothing: there is a backlog. Raises `Refused`.
    """
    word = text.strip()
    if len(word) > LONGEST_NUMBER:
        raise Refused("qty")
    if word.upper() in _YES:
        return yes, None
    if word.upper() in _NO:
        return 0, None
    found = _QUANTITY.fullmatch(word)
    if found is None:
        raise Refused("qty")
    try:
        number = numbers.read(found["number"])
    except ValueError:
        raise Refused("qty") from None
    if number != number.to_integral_value() or number > MOST_PIECES:
        raise Refused("qty")
    if found["sign"] and number:
        return 0, "negative_qty"
    return int(number), None


def price(text: str, numbers: Numbers) -> Decimal | None:
    """A price to four places, half up; nothing is no price. Raises `Refused`."""
    word = text.strip()
    if len(word) > LONGEST_NUMBER:
        raise Refused("price")
    word = _CURRENCY_SIGN.sub("", word)
    if not word:
        return None
    try:
        amount = numbers.read(word).quantize(_FOUR_PLACES, ROUND_HALF_UP)
    except ValueError:
        raise Refused("price") from None
    if amount >= CHEAPEST_REFUSED:
        raise Refused("price")
    return amount


def delivery_days(text: str) -> tuple[int | None, str | None]:
    """Days until delivery, of a range the longer; and a note where it says something else."""
    word = text.strip()
    if not word:
        return None, None
    found = _DAYS.fullmatch(word) if len(word) <= LONGEST_NUMBER else None
    return (int(found["to"]), None) if found else (None, "delivery_days")


def ean(text: str) -> tuple[str | None, str | None]:
    """The EAN as 13 digits, and a note: why it is not used, or that zeros were put back.

    Spreadsheets lose leading zeros: they are put back where the check digit fits then.
    """
    word = "".join(text.split()).replace("-", "")
    if len(word) > LONGEST_NUMBER:
        return None, "ean_malformed"
    spreadsheet = _EXCEL_TEXT.fullmatch(word)
    if spreadsheet:
        word = spreadsheet[1] or spreadsheet[2] or ""
    word = re.sub(r"[.,]0+$", "", word)
    if not word:
        return None, None
    if _SCIENTIFIC.fullmatch(word):
        return None, "ean_scientific"
    if not word.isascii() or not word.isdigit():
        return None, "ean_malformed"
    if len(word) == 14 and word[0] == "0":
        word = word[1:]
    if not 8 <= len(word) <= 13:
        return None, "ean_length"
    if not word.strip("0"):
        return None, "ean_placeholder"
    whole = word.zfill(13)
    if not fits_check_digit(whole):
        return None, "ean_check_digit"
    return whole, "ean_zeros_restored" if len(word) < 13 else None


def fits_check_digit(digits: str) -> bool:
    """Whether thirteen digits end with the check digit of the others."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return total % 10 == 0


def name(text: str, *, of: str) -> str:
    """A number or name as its owner writes it, outer blanks gone. Raises `Refused`."""
    word = text.strip()
    if _CONTROL.search(word):
        raise Refused("control_character")
    if len(word) > LONGEST_TEXT:
        raise Refused(f"{of}_too_long")
    return word


_VALUES = bytes(max(0, code - ord("0")) if chr(code).isdigit() else 0 for code in range(256))
_IS_OFF = bytes(0 if code % 10 == 0 else 1 for code in range(256))


def all_fit_check_digit(digits: bytes) -> bool:
    """`fits_check_digit` of many at once: thirteen ASCII digits each, one behind the other.

    Each EAN is one byte of some long numbers, and thirteen additions sum up all of them: no byte
    can overflow, for the largest sum is 9 * (7 + 3 * 6) = 225. A hundred times as fast as one
    by one.
    """
    values = digits.translate(_VALUES)
    count = len(values) // 13
    places = [int.from_bytes(values[place::13], "little") for place in range(13)]
    total = sum(places[0::2]) + 3 * sum(places[1::2])
    return b"\x01" not in total.to_bytes(count, "little").translate(_IS_OFF)

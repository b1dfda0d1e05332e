"""The five fields of the cluster's cron dialect: values, lists, ranges, steps and names.

It is robfig/cron v3's standard parser, which Kubernetes uses, and stricter in what that parser
takes without a word and without doing what it looks like.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_NUMBER = re.compile(r"\+?[0-9]+")
_LARGEST = 2**63 - 1  # what the cluster's parser can read
_ELSEWHERE = (
    (re.compile(r"[0-9a-z]*#.*", re.I), "the nth weekday of a month"),
    (re.compile(r"(\d+|[a-z]{3})?L([-W].*)?", re.I), "the last such day"),
    (re.compile(r"\d+W", re.I), "the weekday nearest to a day"),
)
_HASHED = re.compile(r"H([(/].*)?")


@dataclass(eq=False)
class Refused(Exception):
    """What is wrong with an expression, and where; offsets count from its beginning."""

    message: str
    start: int
    end: int
    replacement: str | None = None
    """What to write from `start` to `end`."""
    by_cluster: bool = True
    """Whether the API refuses it too; else it takes it, and does something else than it says."""


@dataclass(frozen=True)
class Field:
    """One field: its name, its values, and the words for them."""

    name: str
    low: int
    high: int
    names: Mapping[str, int] = field(default_factory=dict)
    full_names: Sequence[str] = ()

    @property
    def everything(self) -> int:
        """The bitmask of all values: bit n stands for the value n."""
        return (1 << self.high + 1) - (1 << self.low)


def _named(first: int, *full_names: str) -> dict[str, int]:
    return {name[:3]: value for value, name in enumerate(full_names, first)}


# fmt: off
_MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)
_WEEKDAY_NAMES = (
    "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
)
# fmt: on

MINUTES = Field("minute", 0, 59)
HOURS = Field("hour", 0, 23)
DAYS = Field("day of the month", 1, 31)
MONTHS = Field("month", 1, 12, _named(1, *_MONTH_NAMES), _MONTH_NAMES)
WEEKDAYS = Field("day of the week", 0, 6, _named(0, *_WEEKDAY_NAMES), _WEEKDAY_NAMES)
FIELDS = (MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS)


def parse_field(field: Field, text: str, start: int, doubts: list[Refused]) -> tuple[int, bool]:
    """The bitmask of a field's values, and whether a star leaves it open.

    Raises `Refused` for what the cluster refuses, and adds to `doubts` what only we do. `start`
    is the field's offset in the expression.
    """
    mask, star = 0, False
    for item in text.split(","):
        if item:
            values, item_star = _Item(field, item, start).parse(doubts)
            mask, star = mask | values, star or item_star
        start += len(item) + 1
    if text.strip(",") != text or ",," in text:
        tidy = ",".join(filter(None, text.split(",")))
        start -= len(text) + 1
        message = f"{field.name}: a comma in {quoted(text)} has nothing beside it"
        doubts.append(Refused(message, start, start + len(text), tidy or None, by_cluster=False))
    return mask, star


@dataclass(frozen=True)
class _Item:
    """One item of a field's list: a value or a range, with or without a step."""

    field: Field
    text: str
    start: int

    def parse(self, doubts: list[Refused]) -> tuple[int, bool]:
        body, *steps = self.text.split("/")
        if len(steps) > 1:
            raise self._refused("has more than one '/'")
        first, *others = body.split("-")
        star = first in ("*", "?")
        if star:
            low, high = self.field.low, self.field.high
        else:
            low = self._value(first)
            high = self._value(others[0]) if others else low
            if len(others) > 1:
                raise self._refused("has more than one '-'")
        step = self._step(steps[0]) if steps else 1
        if steps and not others:
            high = self.field.high
        self._check(low, high, step, ranged=bool(others))
        values = range(low, high + 1, step)
        if star and others:
            message = "is read as if nothing followed the star"
            doubts.append(self._refused(message, "/".join([first, *steps]), by_cluster=False))
        elif step > 1 and len(values) == 1:
            message = f"has a step past the end of its range: it means {low} alone"
            doubts.append(self._refused(message, str(low), by_cluster=False))
        return sum(1 << value for value in values), star and step == 1

    def _check(self, low: int, high: int, step: int, *, ranged: bool) -> None:
        limits = range(self.field.low, self.field.high + 1)
        if step == 0:
            raise self._refused("has a step of 0; the smallest is 1")
        if self.field is WEEKDAYS and max(low, high) == 7:
            instead = self._around(low % 7, high, step) if ranged else self.text.replace("7", "0")
            raise self._refused("counts Sunday as 7; here it is 0", instead)
        for value in (low, high):
            if value not in limits:
                raise self._refused(f"is outside {self._reach}")
        if low > high:
            raise self._refused("begins after it ends", self._around(low, high, step))

    def _around(self, low: int, high: int, step: int) -> str:
        """What a range means that runs on past the field's largest value."""
        field, size = self.field, self.field.high - self.field.low + 1
        length = (high - low) % size + 1 if low > high else min(high - low + 1, size)
        if step == 1 and length == size:
            return "*"
        values = [(low - field.low + n) % size + field.low for n in range(0, length, step)]
        runs: list[list[int]] = []
        for value in values:
            if runs and runs[-1][-1] + 1 == value:
                runs[-1].append(value)
            else:
                runs.append([value])
        return ",".join(
            f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs
        )

    def _value(self, text: str) -> int:
        named = self.field.names.get(text.lower())
        if named is not None:
            return named
        number = _number(text)
        if number is not None:
            return number
        for full_name in self.field.full_names:
            if len(text) > 3 and full_name.startswith(text.lower()):
                short = self.text.replace(text, full_name[:3].upper())
                raise self._refused("must be named by three letters", short)
        if _HASHED.fullmatch(self.text):
            raise self._refused("(a time made from a hash) is not known to the cluster; choose one")
        for pattern, meaning in _ELSEWHERE:
            if pattern.fullmatch(self.text):
                raise self._refused(
                    f"({meaning}) is not known to the cluster; "
                    "name plain days, and let the job itself look at the date"
                )
        if not text:
            raise self._refused("lacks a number")
        names = [name.upper() for name in self.field.names]
        or_name = f" and no name from {names[0]} to {names[-1]}" if names else ""
        what = "" if text == self.text else f": {quoted(text)}"
        raise self._refused(f"is no number from {self._reach}{or_name}{what}")

    def _step(self, text: str) -> int:
        step = _number(text)
        if step is None:
            raise self._refused("needs a step that is a number of 1 or more")
        return step

    @property
    def _reach(self) -> str:
        return f"{self.field.low} to {self.field.high}"

    def _refused(
        self, message: str, replacement: str | None = None, *, by_cluster: bool = True
    ) -> Refused:
        end = self.start + len(self.text)
        message = f"{self.field.name}: {quoted(self.text)} {message}"
        return Refused(message, self.start, end, replacement, by_cluster)


def _number(text: str) -> int | None:
    if not _NUMBER.fullmatch(text):
        return None
    digits = text.lstrip("+").lstrip("0") or "0"
    if len(digits) > len(str(_LARGEST)) or int(digits) > _LARGEST:
        return None
    return int(digits)


def quoted(text: str) -> str:
    """Text from an expression, as a message shows it: one line, and not too long."""
    return repr(text if len(text) <= 40 else text[:39] + "…")

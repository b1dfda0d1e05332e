"""Which minutes of which days a cron expression means, and how far they lie apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

from cronops.schedules.cron.fields import DAYS, WEEKDAYS

# Every way in which one year can follow another, and 29 February eight years after the last.
_TAPE_BEGINS, _TAPE_ENDS = date(2069, 1, 1), date(2110, 1, 1)


@dataclass(frozen=True)
class Times:
    """Bitmasks: bit n of a field stands for its value n (weekdays: 0 is Sunday)."""

    minutes: int
    hours: int
    days: int
    months: int
    weekdays: int
    either_day: bool
    """Whether a day matches by its number or by its weekday; else it must by both."""

    def day_matches(self, day: date) -> bool:
        """Whether the day fields name that day; the month is not looked at."""
        by_number = self.days >> day.day & 1
        by_weekday = self.weekdays >> day.isoweekday() % 7 & 1
        return bool(by_number | by_weekday if self.either_day else by_number & by_weekday)

    def names(self, day: date) -> bool:
        """Whether the expression names that day."""
        return bool(self.months >> day.month & 1) and self.day_matches(day)

    def of_day(self) -> Iterator[tuple[int, int]]:
        """Hour and minute of each run of a day, by time."""
        minutes = _values(self.minutes)
        return ((hour, minute) for hour in _values(self.hours) for minute in minutes)

    @property
    def open_days(self) -> tuple[bool, bool]:
        """Whether the number of the day, and the weekday, leave every day open."""
        by_number, by_weekday = self.days == DAYS.everything, self.weekdays == WEEKDAYS.everything
        if self.either_day and (by_number or by_weekday):
            return True, True
        return by_number, by_weekday

    @property
    def never(self) -> bool:
        """Whether no such date exists, as 31 February. 29 February does."""
        return not _matching_days(*self._calendar)

    @property
    def one_minute(self) -> int | None:
        """The one minute of the hour at which it starts; None where there are several."""
        return self.minutes.bit_length() - 1 if self.minutes.bit_count() == 1 else None

    @property
    def at_most_daily(self) -> bool:
        """Whether there is one time of day at most, by the clock on the wall."""
        return self.minutes.bit_count() == self.hours.bit_count() == 1

    def shortest_gap(self) -> timedelta:
        """The shortest time between two runs, clock changes aside; exact.

        `timedelta.max` for a date that never comes.
        """
        if self.never:
            return timedelta.max
        return timedelta(minutes=min(self._gaps(_day_gaps(*self._calendar)[0])))

    def longest_gap(self) -> timedelta:
        """The longest time between two runs, clock changes aside; exact.

        So 31 days for a monthly one, and eight years for 29 February, though the cluster gives up
        after five. `timedelta.max` for a date that never comes.
        """
        if self.never:
            return timedelta.max
        return timedelta(minutes=max(self._gaps(_day_gaps(*self._calendar)[1])))

    @property
    def _calendar(self) -> tuple[int, int, int, bool]:
        return self.days, self.months, self.weekdays, self.either_day

    def _gaps(self, days: int) -> Iterator[int]:
        """Minutes between runs: within an hour, within a day, and to a day so many days off."""
        minutes, hours = _values(self.minutes), _values(self.hours)
        over_the_hour = minutes[0] - minutes[-1]
        yield from (later - sooner for sooner, later in pairwise(minutes))
        for sooner, later in pairwise(hours):
            yield (later - sooner) * 60 + over_the_hour
        yield days * 1440 + (hours[0] - hours[-1]) * 60 + over_the_hour


@lru_cache(maxsize=4096)
def _values(mask: int) -> tuple[int, ...]:
    return tuple(value for value in range(mask.bit_length()) if mask >> value & 1)


@lru_cache(maxsize=16384)
def _day_gaps(days: int, months: int, weekdays: int, either: bool) -> tuple[int, int]:
    """The shortest and the longest distance between two matching days, in days."""
    matching = _matching_days(days, months, weekdays, either)
    longest = _longest_gap(matching)
    shortest = next(gap for gap in range(1, longest + 1) if matching & matching >> gap)
    return shortest, longest


def _longest_gap(matching: int) -> int:
    lowest = matching & -matching
    span = (1 << matching.bit_length()) - lowest
    # Let every match cover ever more of the days after it: first doubling, then more finely.
    covered, reach = matching, 1
    tried = []
    while span & ~covered:
        tried.append((covered, reach))
        covered, reach = covered | covered << reach, reach * 2
    if not tried:
        return 1
    covered, reach = tried[-1]
    for more, further in reversed(tried):
        attempt = covered | more << reach
        if span & ~attempt:
            covered, reach = attempt, reach + further
    return reach + 1


@lru_cache(maxsize=16384)
def _matching_days(days: int, months: int, weekdays: int, either: bool) -> int:
    """The matching days of the tape as a bitmask."""
    tape = _tape()
    by_number = _union(tape[0], days)
    by_weekday = _union(tape[2], weekdays)
    in_months = _union(tape[1], months)
    return in_months & (by_number | by_weekday if either else by_number & by_weekday)


def _union(masks: list[int], values: int) -> int:
    union = 0
    for value in _values(values):
        union |= masks[value]
    return union


@lru_cache(maxsize=1)
def _tape() -> tuple[list[int], list[int], list[int]]:
    """By number, month and weekday: the days of the tape that have it, as bitmasks."""
    length = (_TAPE_ENDS - _TAPE_BEGINS).days
    blank = b"0" * length
    numbers = [bytearray(blank) for _ in range(32)]
    months = [bytearray(blank) for _ in range(13)]
    weekdays = [bytearray(blank) for _ in range(7)]
    for index in range(length):
        day = date.fromordinal(_TAPE_BEGINS.toordinal() + index)
        # The last digit of a written number is its lowest bit: later days come first.
        place = length - 1 - index
        numbers[day.day][place] = months[day.month][place] = 49
        weekdays[day.isoweekday() % 7][place] = 49
    return (
        [int(text, 2) for text in numbers],
        [int(text, 2) for text in months],
        [int(text, 2) for text in weekdays],
    )

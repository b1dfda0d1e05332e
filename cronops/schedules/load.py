"""How many runs start in each minute of the coming weeks, counted all at once.

A `Calendar` of days in UTC has one bit a minute. A schedule's starts are one large integer, so
that whole weeks are joined and counted by a few operations on integers.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronops.schedules.cron import Cron
from cronops.schedules.zones import DAY, Offsets, offsets_around

MINUTES = 1440
"""A day has."""
DAYS = 35
"""Enough for every day of the month, and every weekday five times."""
_BYTES = MINUTES // 8
# Clocks on the wall are a day away from UTC at most.
_MARGIN = 1


@dataclass(frozen=True)
class Calendar:
    """The days that are looked at: bit n stands for minute n since midnight UTC of the first."""

    first: date
    days: int = DAYS
    _known: dict[tuple[Cron, ZoneInfo], int] = field(default_factory=dict, compare=False)

    def starts(self, cron: Cron, zone: ZoneInfo) -> int:
        """The minutes in which an expression starts runs, as bits; clock changes included."""
        known = self._known.get((cron, zone))
        if known is None:
            known = self._known[cron, zone] = self._in_utc(self._on_the_wall(cron), zone)
        return known

    def moment(self, minute: int) -> datetime:
        """When a minute begins, in UTC."""
        return self._midnight + timedelta(minutes=minute)

    def by_time_of_day(self, mask: int) -> int:
        """The minutes of a day that are set on any of the days."""
        folded = 0
        for _ in range(self.days):
            folded |= mask & _WHOLE_DAY
            mask >>= MINUTES
        return folded

    def highest_of_day(self, planes: Sequence[int]) -> list[int]:
        """The planes of a day's minutes: the highest count that each has on any of the days."""
        highest = [0] * len(planes)
        for day in range(self.days):
            counts = [plane >> day * MINUTES & _WHOLE_DAY for plane in planes]
            more, equal = 0, -1
            for one, other in zip(reversed(counts), reversed(highest), strict=True):
                more |= equal & one & ~other
                equal &= ~(one ^ other)
            pairs = zip(counts, highest, strict=True)
            highest = [one & more | other & ~more for one, other in pairs]
        return highest

    @property
    def _midnight(self) -> datetime:
        return datetime.combine(self.first, time(), UTC)

    def _on_the_wall(self, cron: Cron) -> int:
        """The starts by the clock on the wall, from a day before the first until a day after."""
        day = _day(cron.hours, cron.minutes).to_bytes(_BYTES, "little")
        blank = bytes(_BYTES)
        ordinal = self.first.toordinal() - _MARGIN
        dates = (date.fromordinal(ordinal + n) for n in range(self.days + 2 * _MARGIN))
        return int.from_bytes(b"".join(day if cron.names(d) else blank for d in dates), "little")

    def _in_utc(self, wall: int, zone: ZoneInfo) -> int:
        offsets: Offsets = offsets_around(zone, self._midnight)
        begin = int(self._midnight.timestamp())
        end = begin + self.days * DAY
        mask, at = 0, begin
        while at < end:
            offset, _, until = offsets.at(at)
            until = min(until, end)
            # The first bit of `wall` is the minute a day before `begin`, as if that were UTC.
            part = wall >> (at - begin + offset) // 60 + _MARGIN * MINUTES
            part &= (1 << (until - at) // 60) - 1
            mask |= part << (at - begin) // 60
            at = until
        return mask


class Counter:
    """Counts how many masks have a bit set, for all bits at once.

    Numbers are kept in planes: bit n of plane p says whether the count of minute n has 2^p in it.
    Three masks of a plane become one there and one above, so that a mask costs a few operations.
    """

    def __init__(self) -> None:
        self._waiting: list[list[int]] = []

    def add(self, mask: int, times: int = 1) -> None:
        """Count the mask's bits, so many `times`."""
        plane = 0
        while times:
            if times & 1:
                self._add(mask, plane)
            times, plane = times >> 1, plane + 1

    def planes(self) -> list[int]:
        """The counts in binary, the lowest plane first."""
        planes: list[int] = []
        carries: list[int] = []
        plane = 0
        while plane < len(self._waiting) or carries:
            masks = [*(self._waiting[plane] if plane < len(self._waiting) else ()), *carries]
            carries = []
            while len(masks) > 1:
                one, two = masks.pop(), masks.pop()
                masks.append(one ^ two)
                if one & two:
                    carries.append(one & two)
            planes.append(masks[0] if masks else 0)
            plane += 1
        return planes

    def _add(self, mask: int, plane: int) -> None:
        while True:
            while len(self._waiting) <= plane:
                self._waiting.append([])
            waiting = self._waiting[plane]
            waiting.append(mask)
            if len(waiting) < 3:
                return
            one, two, three = waiting
            half = one ^ two
            self._waiting[plane] = [half ^ three]
            mask = one & two | half & three
            plane += 1


def above(planes: Sequence[int], limit: int) -> int:
    """The bits whose count, in `planes`, is above `limit`."""
    more, equal = 0, -1
    for plane in range(max(len(planes), limit.bit_length()) - 1, -1, -1):
        bits = planes[plane] if plane < len(planes) else 0
        if limit >> plane & 1:
            equal &= bits
        else:
            more |= equal & bits
            equal &= ~bits
    return more


def most(planes: Sequence[int], among: int) -> tuple[int, int]:
    """The highest count that a bit of `among` has, and the bits of `among` that have it."""
    count = 0
    for plane in range(len(planes) - 1, -1, -1):
        if among & planes[plane]:
            among &= planes[plane]
            count |= 1 << plane
    return count, among


def union(masks: Iterable[int]) -> int:
    """The bits that any of the masks has."""
    found = 0
    for mask in masks:
        found |= mask
    return found


def twice(masks: Iterable[int]) -> int:
    """The bits that more than one of the masks have."""
    seen = again = 0
    for mask in masks:
        again |= seen & mask
        seen |= mask
    return again


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set, the lowest first."""
    # Taking bit for bit off a large integer would copy all of it each time.
    digits = bin(mask)[:1:-1]
    at = digits.find("1")
    while at >= 0:
        yield at
        at = digits.find("1", at + 1)


def mask_of(minutes: Iterable[int]) -> int:
    """The opposite of `bits`: those bits set."""
    octets = bytearray()
    for minute in minutes:
        if minute >> 3 >= len(octets):
            octets.extend(bytes((minute >> 3) + 1))
        octets[minute >> 3] |= 1 << (minute & 7)
    return int.from_bytes(octets, "little")


def shifted(mask: int, minutes: int) -> int:
    """The same starts so many minutes later, or earlier."""
    return mask << minutes if minutes >= 0 else mask >> -minutes


_WHOLE_DAY = (1 << MINUTES) - 1


def _day(hours: int, minutes: int) -> int:
    return sum(minutes << 60 * hour for hour in range(24) if hours >> hour & 1)

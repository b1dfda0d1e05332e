"""A calmer timetable: which schedules could take another minute of the hour, and which."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cronops.schedules.load import MINUTES, Calendar, Counter, above, bits, most, shifted

_HOUR = 60


@dataclass(frozen=True)
class Starts:
    """One schedule, as far as its starts are concerned."""

    name: str
    mask: int
    """In which minutes of the calendar it starts."""
    pods: int = 1
    """How many pods start each time."""
    minute: int | None = None
    """The minute of the hour in its expression, where it has one; only such can be moved."""


@dataclass(frozen=True)
class Move:
    """A schedule, and the minute of the hour it could take."""

    name: str
    minute: int


@dataclass(frozen=True)
class Spread:
    """What moving would do."""

    moves: tuple[Move, ...]
    highest: int
    """The most starts in one minute after it."""


def count(starts: Sequence[Starts]) -> list[int]:
    """The planes of all starts (`cronops.schedules.load.Counter`)."""
    counter = Counter()
    for one in starts:
        counter.add(one.mask, one.pods)
    return counter.planes()


def spread(calendar: Calendar, starts: Sequence[Starts], limit: int) -> Spread:
    """Move schedules, the last ones first, until no minute has more than `limit` starts.

    All days are looked at as one: who shares a minute of the day on any day counts. So some may
    be moved that need not, and what is free is free on every day. Where `limit` cannot be kept,
    the starts are spread as evenly as they can be.
    """
    planes = count(starts)
    hot = above(planes, limit)
    day = _Day(calendar, planes)
    moved: dict[int, int] = {}
    for index in range(len(starts) - 1, -1, -1):
        one = starts[index]
        if one.minute is not None and one.mask & hot:
            minute = day.move(one, one.minute, limit)
            if minute is not None:
                moved[index] = minute
    after = [
        _shifted(one, moved[index]) if index in moved else one for index, one in enumerate(starts)
    ]
    moves = tuple(Move(starts[index].name, moved[index]) for index in sorted(moved))
    return Spread(moves, most(count(after), -1)[0])


class _Day:
    """The most starts that each minute of the day has on any day."""

    def __init__(self, calendar: Calendar, planes: Sequence[int]) -> None:
        self._calendar = calendar
        highest = calendar.highest_of_day(planes)
        self._counts = [
            sum((bits >> minute & 1) << plane for plane, bits in enumerate(highest))
            for minute in range(MINUTES)
        ]
        self._busiest = [max(self._counts[minute::_HOUR]) for minute in range(_HOUR)]

    def move(self, one: Starts, minute: int, limit: int) -> int | None:
        """Give it another minute of its hour, and return that; None where it may stay."""
        times = list(bits(self._calendar.by_time_of_day(one.mask)))
        if all(self._counts[at] <= limit for at in times):
            return None
        here = times[0] % _HOUR
        there = min(range(_HOUR), key=lambda other: (self._busiest[other], (other - here) % _HOUR))
        if self._busiest[there] + one.pods >= max(self._counts[at] for at in times):
            return None
        # The hour on the wall stays; in UTC another one may begin in the midst of it.
        other = (minute + there - here) % _HOUR
        for at in times:
            self._counts[at] -= one.pods
            self._counts[(at + other - minute) % MINUTES] += one.pods
        for changed in (here, there):
            self._busiest[changed] = max(self._counts[changed::_HOUR])
        return other


def _shifted(one: Starts, minute: int) -> Starts:
    return replace(one, mask=shifted(one.mask, minute - (one.minute or 0)), minute=minute)

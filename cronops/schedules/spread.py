"""A calmer timetable: which schedules could take another minute of the hour, and which."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cronops.schedules.load import MINUTES, Calendar, Counter, above, bits, most, shifted

_HOUR = 60
# Counts of a day are the highest of all days, and moving changes them by a guess; so look again.
_ROUNDS = 4
# Times of a day that are looked at one by one; of more, whole minutes of the hour are.
_FEW = 4


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
    the starts are spread more evenly.
    """
    after, moved = list(starts), dict[int, int]()
    planes = count(after)
    for _ in range(_ROUNDS):
        hot = above(planes, limit)
        found = _moves(_Day(calendar, planes), after, hot, limit) if hot else {}
        if not found:
            break
        moved |= found
        for index, minute in found.items():
            after[index] = _shifted(after[index], minute)
        planes = count(after)
    moves = tuple(
        Move(starts[index].name, minute)
        for index, minute in sorted(moved.items())
        if minute != starts[index].minute
    )
    return Spread(moves, most(planes, -1)[0])


def _moves(day: "_Day", starts: Sequence[Starts], hot: int, limit: int) -> dict[int, int]:
    """By place in the list: the minutes that schedules should take."""
    moves: dict[int, int] = {}
    for index in range(len(starts) - 1, -1, -1):
        one = starts[index]
        if one.minute is not None and one.mask & hot:
            minute = day.move(one, one.minute, limit)
            if minute is not None:
                moves[index] = minute
    return moves


class _Day:
    """The most starts that each minute of the day has on any day."""

    def __init__(self, calendar: Calendar, planes: Sequence[int]) -> None:
        self._calendar = calendar
        self._times: dict[int, list[int]] = {}
        highest = calendar.highest_of_day(planes)
        self._counts = [
            sum((plane >> minute & 1) << power for power, plane in enumerate(highest))
            for minute in range(MINUTES)
        ]
        self._busiest = [max(self._counts[minute::_HOUR]) for minute in range(_HOUR)]

    def move(self, one: Starts, minute: int, limit: int) -> int | None:
        """Give it another minute of its hour, and return that; None where it stays."""
        times = self._times.get(one.mask)
        if times is None:
            folded = self._calendar.by_time_of_day(one.mask)
            times = self._times[one.mask] = list(bits(folded))
        counts = self._counts
        here = max(counts[at] for at in times)
        if here <= limit:
            return None
        there, _, other = min(self._choices(times, minute))
        if there + one.pods >= here:
            return None
        for at in times:
            counts[at] -= one.pods
            counts[(at + other - minute) % MINUTES] += one.pods
        for changed in {at % _HOUR for at in times}:
            for place in (changed, (changed + other - minute) % _HOUR):
                self._busiest[place] = max(counts[place::_HOUR])
        return other

    def _choices(self, times: Sequence[int], minute: int) -> Iterator[tuple[int, int, int]]:
        """Of each minute of the hour: the most that start then, how much later it is, and it."""
        counts, busiest = self._counts, self._busiest
        of_hour = {at % _HOUR for at in times}
        for other in range(_HOUR):
            # The hour on the wall stays; in UTC another one may begin in the midst of it.
            later = other - minute
            if len(times) <= _FEW:
                most_starts = max([counts[(at + later) % MINUTES] for at in times])
            else:
                most_starts = max([busiest[(at + later) % _HOUR] for at in of_hour])
            yield most_starts, later % _HOUR, other


def _shifted(one: Starts, minute: int) -> Starts:
    return replace(one, mask=shifted(one.mask, minute - (one.minute or 0)), minute=minute)

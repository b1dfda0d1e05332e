"""Rules about runs that start at once, found by going through the coming five weeks.

What is suspended counts: it will be resumed. What only an operator triggers does not.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from cronops.schedules.findings import Severity
from cronops.schedules.load import DAYS, Calendar, above, bits, most, shifted, twice, union
from cronops.schedules.resolve import ResolvedEnvironment, ResolvedSchedule
from cronops.schedules.rules.rule import Problem, environment_rule
from cronops.schedules.spread import Starts, count, spread

MOST_STARTS = 10
"""Pods that may start in one minute before it is called a stampede: the scheduler, the registry
and the database meet them all at once."""
_NAMED = 5
_MOVED = 10


@environment_rule(
    "lock-overlap",
    severity=Severity.WARNING,
    title="Schedules that take the same lock start in different minutes",
    why="Only one gets it; the other waits or skips its slot, each time.",
    instead="let one of them start some minutes later",
)
def _lock_overlap(environment: ResolvedEnvironment) -> Iterator[Problem]:
    calendar = _calendar(environment.today)
    for key, takers in _by_lock(environment, calendar).items():
        exclusive = [one.mask for one in takers if not one.shared]
        collisions = twice(exclusive) | union(exclusive) & union(
            [one.mask for one in takers if one.shared]
        )
        if not collisions:
            continue
        involved = [one for one in takers if one.mask & collisions]
        last = involved[-1].schedule
        first_time = calendar.moment(next(bits(collisions)))
        skips = any(_skips(one.schedule) for one in involved)
        yield Problem(
            f"{_listed([one.schedule.name for one in involved])} take the lock {key!r} and start "
            f"in the same minute, {collisions.bit_count()} times in {DAYS} days, first "
            f"{first_time:%Y-%m-%d %H:%M} UTC",
            _elsewhere(involved),
            path=last.path_of("schedule"),
            severity=None if skips else Severity.NOTE,
        )


@environment_rule(
    "stampede",
    severity=Severity.NOTE,
    title=f"No more than {MOST_STARTS} pods start in one minute",
    why="The scheduler, the registry and the database meet them all at once.",
    instead="spread them over the minutes of the hour",
)
def _stampede(environment: ResolvedEnvironment) -> Iterator[Problem]:
    calendar = _calendar(environment.today)
    starts = [
        Starts(schedule.name, mask, schedule.shards or 1, _minute(schedule))
        for schedule, mask in _started(environment, calendar)
    ]
    planes = count(starts)
    crowded = above(planes, MOST_STARTS)
    if not crowded:
        return
    highest, times = most(planes, crowded)
    minute = next(bits(times))
    names = [one.name for one in starts if one.mask >> minute & 1]
    yield Problem(
        f"{highest} pods start at {calendar.moment(minute):%Y-%m-%d %H:%M} UTC "
        f"({_listed(names)}); {crowded.bit_count()} minutes in {DAYS} days have more than "
        f"{MOST_STARTS}",
        _timetable(calendar, starts),
        path=("schedules",),
    )


@dataclass(frozen=True)
class _Taker:
    """A schedule that takes a lock."""

    schedule: ResolvedSchedule
    mask: int
    shared: bool


def _by_lock(environment: ResolvedEnvironment, calendar: Calendar) -> dict[str, list[_Taker]]:
    takers: dict[str, list[_Taker]] = defaultdict(list)
    for schedule, mask in _started(environment, calendar):
        for lock in schedule.declaration.locks if schedule.declaration else ():
            takers[lock.key].append(_Taker(schedule, mask, lock.shared))
    return {key: found for key, found in takers.items() if len(found) > 1}


def _started(
    environment: ResolvedEnvironment, calendar: Calendar
) -> Iterator[tuple[ResolvedSchedule, int]]:
    """The schedules that the clock starts, and in which minutes."""
    for schedule in environment.schedules:
        cron, zone = schedule.cron, schedule.zone
        if cron is not None and zone is not None and not schedule.entry.manual:
            yield schedule, calendar.starts(cron, zone)


def _elsewhere(involved: Sequence[_Taker]) -> str:
    """The next minute in which the last of them that can be moved would meet none of the others."""
    for index in range(len(involved) - 1, -1, -1):
        one, minute = involved[index], _minute(involved[index].schedule)
        if minute is None:
            continue
        others = union([other.mask for n, other in enumerate(involved) if n != index])
        for later in range(1, 60):
            there = (minute + later) % 60
            if not shifted(one.mask, there - minute) & others:
                return f"let {one.schedule.name} start at minute {there}"
        break
    return ""


def _timetable(calendar: Calendar, starts: Sequence[Starts]) -> str:
    found = spread(calendar, starts, MOST_STARTS)
    if not found.moves:
        return ""
    told = [f"{move.name} to {move.minute}" for move in found.moves]
    return f"move to these minutes: {_listed(told, _MOVED)}; then {found.highest} start at most"


def _minute(schedule: ResolvedSchedule) -> int | None:
    """The one minute of the hour at which it starts."""
    return schedule.cron.one_minute if schedule.cron is not None else None


def _skips(schedule: ResolvedSchedule) -> bool:
    return schedule.declaration is not None and schedule.declaration.lock_wait == 0


def _listed(names: Sequence[str], most: int = _NAMED) -> str:
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


@lru_cache(maxsize=1)
def _calendar(today: date) -> Calendar:
    """One for all environments: they share most of their times."""
    return Calendar(today)


RULES = (_lock_overlap, _stampede)

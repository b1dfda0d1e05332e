"""Rules about the days on which clocks are changed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cronops.schedules.cron import Cron
from cronops.schedules.findings import Severity
from cronops.schedules.resolve import ResolvedSchedule
from cronops.schedules.rules.rule import Problem, schedule_rule
from cronops.schedules.zones import offsets_around

# A monthly run meets a change only in some years.
_YEARS = 6
_EPOCH = datetime(1970, 1, 1)


class _Odd(NamedTuple):
    """Times on the wall that a change repeats or skips, the end exclusive."""

    start: datetime
    end: datetime


@schedule_rule(
    "dst-twice",
    title="What runs at most daily never stands in the hour that autumn repeats",
    why="The cluster runs it twice that day, in two slots: the times differ in UTC.",
    instead="Choose a time outside of that hour.",
)
def _twice(schedule: ResolvedSchedule) -> Iterator[Problem]:
    return _met(schedule, autumn=True)


@schedule_rule(
    "dst-skipped",
    severity=Severity.WARNING,
    title="What runs at most daily never stands in the hour that spring skips",
    why="The cluster does not run it that day; nothing is made up for.",
    instead="Choose a time outside of that hour.",
)
def _skipped(schedule: ResolvedSchedule) -> Iterator[Problem]:
    return _met(schedule, autumn=False)


def _met(schedule: ResolvedSchedule, *, autumn: bool) -> Iterator[Problem]:
    cron, zone = schedule.cron, schedule.zone
    if cron is None or zone is None or schedule.entry.manual or not cron.at_most_daily:
        return
    day = _first_met(cron, zone, schedule.today, autumn)
    if day is None:
        return
    [(hour, minute)] = cron.of_day()
    what = "twice" if autumn else "never"
    message = f"{hour:02}:{minute:02} comes {what} on {day:%-d %B %Y} in {zone.key}"
    yield Problem(message, _advice(schedule, cron, zone), field=("schedule",))


def _advice(schedule: ResolvedSchedule, cron: Cron, zone: ZoneInfo) -> str:
    [(hour, minute)] = cron.of_day()
    odd = [*_changes(zone, schedule.today, True), *_changes(zone, schedule.today, False)]
    for other in sorted(range(24), key=lambda other: (abs(other - hour), other < hour)):
        if not any(_hit(one, time(other, minute)) for one in odd):
            fields = (schedule.expression or "").split()
            if len(fields) != 5:
                return f"choose a time such as {other:02}:{minute:02}"
            return f'write "{" ".join((fields[0], str(other), *fields[2:]))}"'
    return ""


def _first_met(cron: Cron, zone: ZoneInfo, today: date, autumn: bool) -> date | None:
    [(hour, minute)] = cron.of_day()
    for odd in _changes(zone, today, autumn):
        day = _hit(odd, time(hour, minute))
        if day is not None and cron.names(day):
            return day
    return None


def _hit(odd: _Odd, clock: time) -> date | None:
    """The day on which that time of day is repeated or skipped by a change."""
    for day in (odd.start.date(), odd.end.date()):
        if odd.start <= datetime.combine(day, clock) < odd.end:
            return day
    return None


@lru_cache(maxsize=1024)
def _changes(zone: ZoneInfo, today: date, autumn: bool) -> tuple[_Odd, ...]:
    """The coming times that are repeated, or skipped, by time."""
    start = datetime.combine(today, time(), UTC)
    begin = int(start.timestamp())
    end = begin + _YEARS * 366 * 86400
    return tuple(
        _Odd(
            _EPOCH + timedelta(seconds=change.at + min(change.before, change.after)),
            _EPOCH + timedelta(seconds=change.at + max(change.before, change.after)),
        )
        for change in offsets_around(zone, start).changes(begin, end)
        if (change.after < change.before) is autumn
    )


RULES = (_twice, _skipped)

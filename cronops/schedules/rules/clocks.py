"""Rules about the days on which clocks are changed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronops.schedules.findings import Severity
from cronops.schedules.resolve import ResolvedSchedule
from cronops.schedules.rules.rule import Problem, schedule_rule
from cronops.schedules.zones import DAY, offsets_around

# A monthly run meets a change only in some years.
_YEARS = 6
_EPOCH = date(1970, 1, 1)


@schedule_rule(
    "dst-twice",
    title="What runs at most daily never stands in the hour that autumn repeats",
    why="The cluster runs it twice that day, in two slots: the times differ in UTC.",
    instead="choose a time outside of that hour",
)
def _twice(schedule: ResolvedSchedule) -> Iterator[Problem]:
    return _met(schedule, autumn=True)


@schedule_rule(
    "dst-skipped",
    severity=Severity.WARNING,
    title="What runs at most daily never stands in the hour that spring skips",
    why="The cluster does not run it that day; nothing is made up for.",
    instead="choose a time outside of that hour",
)
def _skipped(schedule: ResolvedSchedule) -> Iterator[Problem]:
    return _met(schedule, autumn=False)


def _met(schedule: ResolvedSchedule, *, autumn: bool) -> Iterator[Problem]:
    cron, zone = schedule.cron, schedule.zone
    if cron is None or zone is None or schedule.entry.manual or not cron.at_most_daily:
        return
    [(hour, minute)] = cron.of_day()
    days = _odd_days(zone, schedule.today, autumn).get(60 * hour + minute, ())
    day = next(filter(cron.names, days), None)
    if day is not None:
        what = "comes twice" if autumn else "does not come"
        message = f"{hour:02}:{minute:02} {what} on {day:%-d %B %Y} in {zone.key}"
        yield Problem(message, _advice(schedule, zone, hour, minute), field=("schedule",))


def _advice(schedule: ResolvedSchedule, zone: ZoneInfo, hour: int, minute: int) -> str:
    """The nearest hour of the day, at the same minute, that no change touches."""
    odd = [_odd_days(zone, schedule.today, autumn) for autumn in (True, False)]
    for other in sorted(range(24), key=lambda other: (abs(other - hour), other < hour)):
        if not any(60 * other + minute in days for days in odd):
            fields = (schedule.expression or "").split()
            if len(fields) != 5:
                return f"choose a time such as {other:02}:{minute:02}"
            return f'write "{" ".join((fields[0], str(other), *fields[2:]))}"'
    return ""


@lru_cache(maxsize=1024)
def _odd_days(zone: ZoneInfo, today: date, autumn: bool) -> Mapping[int, Sequence[date]]:
    """By minute of the day: the coming days on which it comes twice, or not at all."""
    start = datetime.combine(today, time(), UTC)
    begin = int(start.timestamp())
    days: dict[int, list[date]] = defaultdict(list)
    for change in offsets_around(zone, start).changes(begin, begin + _YEARS * 366 * DAY):
        if (change.after < change.before) is autumn:
            first, last = sorted((change.at + change.before, change.at + change.after))
            for wall in range(first, last, 60):
                days[wall % DAY // 60].append(_EPOCH + timedelta(days=wall // DAY))
    return days


RULES = (_twice, _skipped)

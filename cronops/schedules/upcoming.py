"""The coming runs of a schedule, and what clock changes do to them.

A schedule that runs in every hour runs in real time and surprises nobody; one that names hours
loses those that spring skips, and runs twice in those that autumn repeats.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from cronops.schedules.cron import Cron
from cronops.schedules.cron.fields import HOURS
from cronops.schedules.zones import DAY, Change, Offsets, offsets_around

_EPOCH = datetime(1970, 1, 1)
# A walk that was thrown off by a clock change is back by the end of the day after.
_REACH = 2 * DAY


@dataclass(frozen=True)
class Slot:
    """A run that will be."""

    local: datetime
    """Aware, in the schedule's zone."""
    utc: datetime
    surprise: str | None
    """What a clock change does to it; None for an ordinary run."""


@dataclass(frozen=True)
class Skipped:
    """Runs that the expression names and that will not be."""

    local: datetime
    """The first of them by the clock on the wall; without a zone, since it may not exist."""
    until: datetime
    """The last of them; the same where there is but one."""
    count: int
    why: str


def slots(cron: Cron, zone: ZoneInfo, after: datetime) -> Iterator[Slot | Skipped]:
    """The runs after a moment, by time, and among them those that a clock change takes away.

    `after` is aware; ends where there is no further run within five years. Raises `ValueError`
    as `Cron.next` does.
    """
    previous = after.astimezone(zone)
    for run in cron.upcoming(previous):
        offsets = offsets_around(zone, previous)
        start, end = _instant(previous), _instant(run)
        for change in offsets.changes(start - _REACH, end + _REACH):
            yield from _skipped(cron, offsets, change, start, end)
        yield Slot(run, run.astimezone(UTC), _surprise(cron, offsets, run))
        previous = run


def _skipped(
    cron: Cron, offsets: Offsets, change: Change, start: int, end: int
) -> Iterator[Skipped]:
    """What the change takes away of the runs between two others that follow each other."""
    unreal, lost = [], []
    before, after = change.at + change.before, change.at + change.after
    for day in sorted({before // DAY, after // DAY}):
        if not cron.names(_date(day * DAY)):
            continue
        for wall in _walls(cron, day, cron.hours):
            instants = offsets.instants(wall)
            if before <= wall < after:
                unreal.append(wall)
            elif instants and all(start < one < end for one in instants):
                lost.append(wall)
    if unreal and cron.hours != HOURS.everything and start < change.at <= end:
        why = f"the clock goes from {_clock(before)} to {_clock(after)}"
        yield _entry(unreal, f"this time does not exist: {why}")
    if lost:
        why = f"the cluster steps over it where the clock goes from {_clock(before)}"
        yield _entry(lost, f"{why} to {_clock(after)}")


def _surprise(cron: Cron, offsets: Offsets, run: datetime) -> str | None:
    wall = int((run.replace(tzinfo=None) - _EPOCH).total_seconds())
    instant = _instant(run)
    if not (cron.names(run.date()) and cron.hours >> run.hour & 1):
        return "not a time that the expression names: a clock change leads the cluster here"
    if cron.hours == HOURS.everything or not _near_a_change(offsets, instant):
        return None
    instants = [one for one in offsets.instants(wall) if _runs_at(cron, one, run.tzinfo)]
    if len(instants) < 2:
        return None
    [change] = offsets.changes(instants[0] + 1, instants[1] + 1)
    which = "first" if instant == instants[0] else "second"
    before, after = change.at + change.before, change.at + change.after
    return f"{which} of two runs: the clock goes back from {_clock(before)} to {_clock(after)}"


def _runs_at(cron: Cron, instant: int, zone: tzinfo | None) -> bool:
    # Python takes the two sides of a repeated hour for equal: compare instants.
    run = cron.next(datetime.fromtimestamp(instant - 1, zone))
    return run is not None and _instant(run) == instant


def _near_a_change(offsets: Offsets, instant: int) -> bool:
    _, start, end = offsets.at(instant)
    return instant - start < DAY or end - instant < DAY


def _walls(cron: Cron, day: int, hours: int) -> Iterator[int]:
    return (
        day * DAY + hour * 3600 + minute * 60 for hour, minute in cron.of_day() if hours >> hour & 1
    )


def _entry(walls: list[int], why: str) -> Skipped:
    first, last = (_EPOCH + timedelta(seconds=wall) for wall in (walls[0], walls[-1]))
    return Skipped(first, last, len(walls), why)


def _instant(moment: datetime) -> int:
    return int(moment.timestamp() // 1)


def _date(wall: int) -> date:
    return (_EPOCH + timedelta(seconds=wall)).date()


def _clock(wall: int) -> str:
    return f"{_EPOCH + timedelta(seconds=wall):%H:%M}"

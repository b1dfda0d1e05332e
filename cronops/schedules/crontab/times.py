"""When an entry runs: under cron, by cronsim, and in the cluster; and where the two differ.

The two agree on which minutes a day has, so days are compared one by one, and single minutes only
around the changes of the clock. Two years are looked at.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronops.schedules.cron import Cron, CronSyntaxError, parse_cron
from cronops.schedules.cron.expression import NICKNAMES
from cronops.schedules.zones import offsets_around

SPAN = timedelta(days=730)
_AROUND = timedelta(days=1, hours=12)
_DAY_SECONDS = 86_400
# cronsim takes more than cron does: the last day, the nearest weekday, the third Monday.
_NAMES = re.compile(
    r"(?i)jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat"
)
_MORE_THAN_CRON = re.compile(r"[A-Za-z#]")


@dataclass(frozen=True)
class Difference:
    """A moment at which only one of the two runs it."""

    at: datetime
    """In the zone."""
    by_cron: bool
    """Else by the cluster."""


@dataclass(frozen=True)
class Timing:
    """When an entry ran, and how a CronJob would."""

    expression: str | None
    """For the cluster; None where there is none."""
    remarks: tuple[str, ...]
    """What was rewritten, or is wrong."""
    differences: tuple[Difference, ...]
    """In order of time."""


@lru_cache(maxsize=4096)
def timing(when: str, zone: ZoneInfo, now: datetime) -> Timing:
    """Read what cron reads, and compare. Raises `ValueError` for what cron does not take."""
    if when == "@reboot":
        raise ValueError(
            "@reboot has no time: what must run when a machine starts is no CronJob. In a cluster "
            "make it an init container, or a Job of the release"
        )
    fields = NICKNAMES.get(when, when)
    if fields.startswith("@"):
        raise ValueError(f"cron knows no {when}")
    _simulated(fields, now)
    expression, remarks = _for_cluster(fields)
    if expression is None:
        return Timing(None, tuple(remarks), ())
    cron = parse_cron(expression)
    by_day = list(_by_day(fields, cron, zone, now))
    told = {one.at.date() for one in by_day}
    by_minute = [one for one in _by_minute(fields, cron, zone, now) if one.at.date() not in told]
    found = sorted([*by_day, *by_minute], key=lambda one: (one.at.astimezone(UTC), one.by_cron))
    return Timing(expression, tuple(remarks), tuple(found))


def _simulated(fields: str, start: datetime) -> Iterator[datetime]:
    """Cron's own runs after a moment. Raises `ValueError` where it takes no such times."""
    from cronsim import CronSim, CronSimError

    if _MORE_THAN_CRON.search(_NAMES.sub("", fields)):
        raise ValueError(f"cron does not take {fields!r}")
    try:
        return CronSim(fields, start)
    except CronSimError as error:
        raise ValueError(f"cron does not take {fields!r}: {error}") from None


def _for_cluster(fields: str) -> tuple[str | None, list[str]]:
    """The same times as the cluster writes them."""
    try:
        parse_cron(fields)
    except CronSyntaxError as error:
        if error.instead is None:
            return None, [f"the cluster does not take {fields!r}: {error.message}"]
        return error.instead, [f"{fields!r} is written {error.instead!r} in the cluster"]
    return fields, []


def _by_day(fields: str, cron: Cron, zone: ZoneInfo, now: datetime) -> Iterator[Difference]:
    """The first run of each day that only one of the two has."""
    _, _, *days = fields.split()
    first = now.astimezone(zone).date() + timedelta(days=1)
    last = first + SPAN
    start = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(minutes=1)
    by_cron = {
        run.date()
        for run in takewhile(
            lambda run: run.date() <= last, _simulated(" ".join(["0", "12", *days]), start)
        )
    }
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if cron.names(day) != (day in by_cron):
            yield Difference(_first_run(cron, day, zone), day in by_cron)


def _first_run(cron: Cron, day: date, zone: ZoneInfo) -> datetime:
    hour = (cron.hours & -cron.hours).bit_length() - 1
    minute = (cron.minutes & -cron.minutes).bit_length() - 1
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)


def _by_minute(fields: str, cron: Cron, zone: ZoneInfo, now: datetime) -> Iterator[Difference]:
    """Runs around the changes of the clock."""
    start = now.timestamp()
    offsets = offsets_around(zone, now)
    for change in offsets.changes(round(start), round(start + SPAN.total_seconds())):
        middle = datetime.fromtimestamp(change.at, UTC)
        begin, end = middle - _AROUND, middle + _AROUND
        by_cron = _until(_simulated(fields, begin.astimezone(zone)), end)
        by_cluster = _until(cron.upcoming(begin.astimezone(zone)), end)
        for at in by_cron ^ by_cluster:
            if abs((at - middle).total_seconds()) < _DAY_SECONDS:
                yield Difference(at.astimezone(zone), at in by_cron)


def _until(runs: Iterator[datetime], end: datetime) -> set[datetime]:
    return {run.astimezone(UTC) for run in takewhile(lambda run: run < end, runs)}

"""Which times of a schedule the history of runs lacks.

Times are bits of large integers (`cronops.schedules.load`), so that months of a thousand schedules
are compared in seconds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from cronops.cluster.firing import moment_of
from cronops.cluster.kinds import Object, schedule_of
from cronops.db.run_slots import Recorded
from cronops.schedules.cron import Cron, CronSyntaxError, parse_cron
from cronops.schedules.load import MINUTES, Calendar, bits, union
from cronops.schedules.zones import zone_of

_MINUTE = timedelta(minutes=1)


class UnreadableSchedule(ValueError):
    """A CronJob whose times we cannot tell."""


@dataclass(frozen=True)
class Planned:
    """A schedule whose times are asked for."""

    name: str
    cron: Cron
    zone: ZoneInfo
    cron_job: Object | None
    """None for one that should be in the cluster, and is not."""

    @property
    def shards(self) -> int:
        """Into how many pods the work is shared out; 1 where it is not."""
        if self.cron_job is None:
            return 1
        spec = self.cron_job["spec"]["jobTemplate"]["spec"]
        indexed = spec.get("completionMode") == "Indexed"
        return int(spec.get("completions") or 1) if indexed else 1


@dataclass(frozen=True)
class Slot:
    """A time that has no run, or not of every shard."""

    at: datetime
    next: datetime | None
    """The schedule's following time, which may be still to come; None where it is another day's."""
    shards: tuple[str, ...] = ()
    """Which are missing; none where the work is not shared out, or where all are."""

    def by_shard(self) -> "list[Slot]":
        """The time once for each shard that is missing, or as it is."""
        return [replace(self, shards=(one,)) for one in self.shards] or [self]


@dataclass(frozen=True)
class Gap:
    """What a schedule lacks; the minutes are bits of the window's calendar."""

    planned: Planned
    expected: int
    """Every time that it had."""
    whole: int
    """The times that have no run at all."""
    partly: Mapping[str, int]
    """By shard, the times that only other shards have."""
    edited_until: int
    """The last minute at which the cluster started it though it is no time of it now; 0: never."""
    has_history: bool

    @property
    def lacking(self) -> int:
        """The times that are not wholly there."""
        return self.whole | union(self.partly.values())

    def without(self, recorded: Sequence[Recorded]) -> "Gap":
        """What is still lacking when these runs have begun as well."""
        begun = {one.shard: one.own | one.others for one in recorded}
        partly = {
            shard: left
            for shard, one in self.partly.items()
            if (left := one & ~begun.get(shard, 0))
        }
        return replace(self, whole=self.whole & ~union(begun.values()), partly=partly)


class Window:
    """The time that is looked at: from one moment to another, both in UTC."""

    def __init__(self, start: datetime, now: datetime) -> None:
        self.start, self.now = start.astimezone(UTC), now.astimezone(UTC)
        self.end = self.now.replace(second=0, microsecond=0) + _MINUTE
        """When the minute that is now is over: a time that begins with it has come."""
        days = (self.now.date() - self.start.date()).days + 1
        self.calendar = Calendar(self.start.date(), days)

    def minute(self, moment: datetime) -> int:
        """The number of the first minute that does not begin before a moment, within the days."""
        minutes = -((self.calendar.moment(0) - moment) // _MINUTE)
        return min(max(minutes, 0), self.calendar.days * MINUTES)

    def between(self, start: datetime, end: datetime | None) -> int:
        """The minutes that begin from one moment on and before the other, as bits."""
        first = self.minute(start)
        last = self.calendar.days * MINUTES if end is None else self.minute(end)
        return ((1 << last - first) - 1) << first if last > first else 0

    def gaps(
        self,
        planned: Mapping[str, Planned],
        recorded: Iterable[Recorded],
        *,
        progress: Callable[[int, int], None],
    ) -> Iterator[Gap]:
        """What each schedule lacks, by what is recorded: a schedule's shards follow each other."""
        left = dict(planned)
        for name, shards in groupby(recorded, key=lambda one: one.schedule):
            one = left.pop(name, None)
            progress(len(planned) - len(left), len(planned))
            if one is not None:
                yield self._gap(one, list(shards))
        for one in left.values():
            yield self._gap(one, [])

    def slots(self, planned: Planned, minutes: int, partly: Mapping[str, int]) -> Iterator[Slot]:
        """Times of a schedule one by one, each with the shards that lack it by `partly`."""
        times = bin(self.calendar.starts(planned.cron, planned.zone))[:1:-1]
        by_shard = {shard: bin(lacking)[:1:-1] for shard, lacking in partly.items()}
        for minute in bits(minutes):
            following = times.find("1", minute + 1)
            yield Slot(
                self.calendar.moment(minute),
                self.calendar.moment(following) if following >= 0 else None,
                tuple(
                    shard for shard, lacks in by_shard.items() if lacks[minute : minute + 1] == "1"
                ),
            )

    def stretches(self, planned: Planned, minutes: int) -> Iterator[tuple[int, int]]:
        """Where times of a schedule follow each other: the first, and what they end before."""
        those = bin(minutes)[:1:-1]
        others = bin(self.calendar.starts(planned.cron, planned.zone) & ~minutes)[:1:-1]
        first = those.find("1")
        while first >= 0:
            end = others.find("1", first)
            end = end if end >= 0 else len(those)
            yield first, end
            first = those.find("1", end)

    def _gap(self, planned: Planned, recorded: Sequence[Recorded]) -> Gap:
        times = self.calendar.starts(planned.cron, planned.zone)
        expected = times & self.between(self._begin(planned), self.end)
        by_shard = {one.shard: one.own | one.others for one in recorded}
        every = union(by_shard.values())
        partly = {}
        if planned.shards > 1:
            # Before the work was shared out, one run did all of it.
            alone = by_shard.get("", 0)
            for shard in map(str, range(planned.shards)):
                lacking = expected & every & ~(by_shard.get(shard, 0) | alone)
                if lacking:
                    partly[shard] = lacking
        strange = union(one.own for one in recorded) & ~times
        edited = max(strange.bit_length() - 1, 0)
        return Gap(planned, expected, expected & ~every, partly, edited, bool(recorded))

    def _begin(self, planned: Planned) -> datetime:
        """A CronJob has no times before it was made, nor at that very moment."""
        if planned.cron_job is None:
            return self.start
        made = moment_of(planned.cron_job["metadata"].get("creationTimestamp"))
        return max(self.start, made + timedelta(seconds=1))


def planned_by(cron_job: Object) -> Planned:
    """What a CronJob says of its times. Raises `UnreadableSchedule`."""
    spec = cron_job["spec"]
    try:
        cron = parse_cron(str(spec.get("schedule", "")))
    except CronSyntaxError as error:
        raise UnreadableSchedule(error.message) from None
    zone = zone_of(spec.get("timeZone") or "UTC")
    if zone is None:
        raise UnreadableSchedule(f"nobody knows the time zone {spec['timeZone']!r}")
    return Planned(schedule_of(cron_job), cron, zone, cron_job)

"""Which times of the schedules have no run, and why: the calendar, the history and the cluster."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from cronops.cluster.api import Cluster
from cronops.cluster.causes import (
    Cause,
    Reason,
    forbids,
    last_start,
    reason_of,
    spans_suspended,
    start_until,
    told_from,
)
from cronops.cluster.gaps import (
    Gap,
    Planned,
    Slot,
    UnreadableSchedule,
    Window,
    planned_by,
)
from cronops.cluster.kinds import Object, name_of, schedule_of
from cronops.cluster.remains import Remains, remains_of, slot_of
from cronops.db.run_slots import Recorded, busy_at, recorded_slots
from cronops.schedules.load import Calendar, bits, mask_of, union

if TYPE_CHECKING:
    import psycopg

_Told = tuple[Reason, tuple[str, ...]]
_PROBED_AT_ONCE = 1000
_CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True)
class Missing:
    """Times of one schedule that have no run, for one cause."""

    schedule: str
    reason: Reason
    calendar: Calendar
    minutes: int
    """As bits of the calendar."""
    shards: tuple[str, ...] = ()
    """Which have none, where the work is shared out and others have."""

    @property
    def times(self) -> int:
        """How many."""
        return self.minutes.bit_count()

    @property
    def first(self) -> datetime:
        """The first of them."""
        return next(self.slots())

    @property
    def last(self) -> datetime:
        """The last of them."""
        return self.calendar.moment(self.minutes.bit_length() - 1)

    def slots(self, limit: int | None = None) -> Iterator[datetime]:
        """The times, the first `limit` of them."""
        return (self.calendar.moment(minute) for minute in islice(bits(self.minutes), limit))


@dataclass
class Audit:
    """What came of it."""

    expected: int = 0
    """How many times the schedules had."""
    recorded: int = 0
    """How many of those have a run, whatever came of it."""
    pending: int = 0
    """How many may still come."""
    missing: list[Missing] = field(default_factory=list)
    """Those first that a person has to look at."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Schedules whose times we cannot tell, with the reason."""


@dataclass(frozen=True)
class Auditor:
    """Compares the schedules of a namespace with the history of their runs."""

    cluster: Cluster
    connection: "psycopg.Connection[Any]"
    window: Window
    progress: Callable[[int, int], None] = lambda _done, _of: None

    def audit(
        self,
        cron_jobs: Sequence[Object],
        *,
        only: str | None = None,
        absent: Iterable[Planned] = (),
    ) -> Audit:
        """Every time of the CronJobs, and of those that are `absent` though they should be there.

        `only` names the one schedule whose history is read.
        """
        found = Audit()
        planned = {one.name: one for one in absent}
        for cron_job in cron_jobs:
            name = schedule_of(cron_job)
            earlier = planned.get(name)
            try:
                if earlier is not None and earlier.cron_job is not None:
                    names = f"{name_of(earlier.cron_job)} and {name_of(cron_job)}"
                    raise UnreadableSchedule(f"the CronJobs {names} both start it")
                planned[name] = planned_by(cron_job)
            except UnreadableSchedule as error:
                found.unreadable[name] = str(error)
        for name in found.unreadable:
            planned.pop(name, None)
        gaps = list(self._gaps(planned, only, found))
        by_uid = {one["metadata"]["uid"]: gap for gap in gaps if (one := gap.planned.cron_job)}

        def is_asked_for(cron_job: Object, job: Object) -> bool:
            slot, gap = slot_of(cron_job, job), by_uid[cron_job["metadata"]["uid"]]
            return slot is not None and bool(gap.lacking >> self.window.minute(slot) & 1)

        those = [one for gap in gaps if (one := gap.planned.cron_job)]
        remains = remains_of(self.cluster, those, is_asked_for)
        begun = self._begun_meanwhile(only)
        for gap in gaps:
            left = gap.without(begun.get(gap.planned.name, ()))
            found.recorded += (gap.lacking & ~left.lacking).bit_count()
            found.missing += self._explained(left, remains, found)
        found.missing.sort(key=lambda one: (one.reason.cause.is_meant, one.schedule, one.first))
        return found

    def _gaps(
        self, planned: Mapping[str, Planned], only: str | None, found: Audit
    ) -> Iterator[Gap]:
        """The schedules that lack something; all are counted."""
        window = self.window
        recorded = recorded_slots(self.connection, window.calendar.moment(0), window.end, only=only)
        for gap in window.gaps(planned, recorded, progress=self.progress):
            found.expected += gap.expected.bit_count()
            found.recorded += (gap.expected & ~gap.lacking).bit_count()
            if gap.lacking:
                yield gap

    def _explained(
        self, gap: Gap, remains: Mapping[str, Remains], found: Audit
    ) -> Iterator[Missing]:
        name, cron_job, calendar = gap.planned.name, gap.planned.cron_job, self.window.calendar
        if cron_job is None:
            reason = Reason(Cause.ABSENT, "it is in the file, but not in the cluster")
            if gap.lacking:
                yield Missing(name, reason, calendar, gap.lacking)
            return
        left = gap.lacking
        for meant, minutes in self._meant(gap, cron_job):
            if left & minutes:
                yield Missing(name, meant, calendar, left & minutes)
            left &= ~minutes
        rest = remains.get(cron_job["metadata"]["uid"]) or Remains()
        busy = self._busy(gap, cron_job, left)
        told: dict[_Told, int] = defaultdict(int)
        for alike in self._told_alike(gap, cron_job, rest, left & ~mask_of(busy)):
            slot = next(self.window.slots(gap.planned, alike, {}))
            why = reason_of(cron_job, slot, rest, self.window.now)
            if why is not None:
                told[why, ()] |= alike
                left &= ~alike
        one_by_one: dict[_Told, list[int]] = defaultdict(list)
        for slot in self.window.slots(gap.planned, left, gap.partly):
            minute = self.window.minute(slot.at)
            reasons = self._reasons(cron_job, slot, rest, busy.get(minute))
            found.pending += not reasons
            for key in reasons:
                one_by_one[key].append(minute)
        for key, those in one_by_one.items():
            told[key] |= mask_of(those)
        for (why, shards), minutes in told.items():
            yield Missing(name, why, calendar, minutes, shards)

    def _reasons(
        self, cron_job: Object, slot: Slot, rest: Remains, busy: str | None
    ) -> list[_Told]:
        """Why a time is missing, with the shards of which it is so; nothing where it may come."""
        found: dict[Reason, list[str]] = defaultdict(list)
        for part in slot.by_shard():
            why = reason_of(cron_job, part, rest, self.window.now, busy=busy)
            if why is not None:
                found[why] += part.shards
        return [(why, tuple(shards)) for why, shards in found.items()]

    def _told_alike(self, gap: Gap, cron_job: Object, rest: Remains, left: int) -> Iterator[int]:
        """Those of the times of which there is one thing to tell: all before what is left.

        Where nothing has a run, months of them need not be looked at one by one.
        """
        window = self.window
        times = window.calendar.starts(gap.planned.cron, gap.planned.zone)
        begin, last = told_from(cron_job, rest, window.now), last_start(cron_job)
        times &= window.between(window.calendar.moment(0), begin)
        times ^= 1 << times.bit_length() >> 1  # the last might still have come after `begin`
        left &= times & ~union(gap.partly.values())
        before = left if last is None else left & window.between(window.calendar.moment(0), last)
        after = 0 if last is None else left & window.between(last + timedelta(minutes=1), None)
        return filter(None, (before, after))

    def _begun_meanwhile(self, only: str | None) -> dict[str, list[Recorded]]:
        """By schedule, the runs that began while the cluster was asked: it may know their end."""
        start, end = self.window.calendar.moment(0), self.window.end
        began = self.window.now - _CLOCKS_DIFFER
        found: dict[str, list[Recorded]] = defaultdict(list)
        for one in recorded_slots(self.connection, start, end, only=only, began=began):
            found[one.schedule].append(one)
        return found

    def _meant(self, gap: Gap, cron_job: Object) -> Iterator[tuple[Reason, int]]:
        """Why times are missing that nobody expected to be there, and the minutes of those."""
        for start, end, said in spans_suspended(cron_job):
            yield Reason(Cause.SUSPENDED, said), self.window.between(start, end)
        if gap.edited_until:
            until = self.window.calendar.moment(gap.edited_until)
            why = f"its runs until {until:%Y-%m-%d %H:%M} had other times"
            yield Reason(Cause.EDITED, why), (1 << gap.edited_until) - 1

    def _busy(self, gap: Gap, cron_job: Object, left: int) -> dict[int, str]:
        """The runs that kept times from being worked, by the minute."""
        if not gap.has_history or not forbids(cron_job):
            return {}
        window = self.window
        found: dict[int, str] = {}

        def until(slot: Slot) -> datetime:
            return min(start_until(cron_job, slot) or window.now, window.now)

        # Of times that follow each other without a run, a run was at work for the first ones.
        stretches = dict(window.stretches(gap.planned, left))
        firsts = window.slots(gap.planned, mask_of(stretches), {})
        while part := list(islice(firsts, _PROBED_AT_ONCE)):
            spans, shards = [(slot.at, until(slot)) for slot in part], gap.planned.shards
            busy = busy_at(self.connection, gap.planned.name, spans, shards=shards)
            for place, (run, ended) in busy.items():
                first = window.minute(part[place].at)
                those = left & window.between(part[place].at, ended)
                for slot in window.slots(gap.planned, those, {}):
                    minute = window.minute(slot.at)
                    if minute < stretches[first] and until(slot) <= ended:
                        found[minute] = run
        return found

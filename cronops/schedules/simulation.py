"""What an environment's schedules would do together: who meets whom at a lock, and when it is full.

Starts and running minutes are bits of large integers (`cronops.schedules.load`), so that months of
a thousand schedules take seconds. Whole minutes are looked at: a run that takes ten seconds is in
its minute, and a start in the minute in which another run ends counts as one that meets it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from cronops.schedules.declarations import LockUse
from cronops.schedules.load import Calendar, Counter, above, bits, most, union
from cronops.schedules.resolve import ResolvedEnvironment
from cronops.schedules.spread import Move, Starts, spread

_MINUTE = 60
_HOURS = 24


@dataclass(frozen=True)
class Simulated:
    """One schedule, as far as it is simulated."""

    name: str
    starts: int
    """The minutes of the calendar in which it starts."""
    seconds: int
    """How long a run takes."""
    pods: int
    locks: tuple[LockUse, ...]
    waits: int
    """Seconds that it waits for its lock before it skips."""
    minute: int | None
    """The one minute of the hour at which it starts: then it can be moved."""

    @property
    def running(self) -> int:
        """The minutes in which a run of it is at work."""
        return _smeared(self.starts, max(1, -(-self.seconds // _MINUTE)))


@dataclass(frozen=True)
class Meeting:
    """Starts that find a lock held."""

    lock: str
    name: str
    """Whose starts."""
    others: tuple[str, ...]
    """Who holds it then; its own earlier run may be among them."""
    times: int
    first: datetime
    waits: int
    """Seconds that it waits before it skips; 0 where it skips at once."""


@dataclass(frozen=True)
class Busy:
    """A minute with many starts."""

    at: datetime
    pods: int
    names: tuple[str, ...]


class Simulation:
    """An environment from one moment to another; both are cut to whole minutes."""

    def __init__(
        self,
        environment: ResolvedEnvironment,
        start: datetime,
        length: timedelta,
        durations: Mapping[str, int],
    ) -> None:
        """`durations`, in seconds by schedule; of the others it is what they declare at most."""
        end = start + length
        last = (end - timedelta(minutes=1)).date()
        self.calendar = Calendar(start.date(), (last - start.date()).days + 1)
        first = (start - self.calendar.moment(0)) // timedelta(minutes=1)
        count = length // timedelta(minutes=1)
        self._window = ((1 << count) - 1) << first
        self.start, self.end = start, end
        self.schedules = tuple(self._simulated(environment, durations))

    def _simulated(
        self, environment: ResolvedEnvironment, durations: Mapping[str, int]
    ) -> Iterator[Simulated]:
        for one in environment.schedules:
            if one.cron is None or one.zone is None or one.entry.manual:
                continue
            declared = one.declaration
            period = one.period or _HOURS * 3600
            longest = declared.timeout if declared and declared.timeout else period
            yield Simulated(
                one.name,
                self.calendar.starts(one.cron, one.zone) & self._window,
                durations.get(one.name, longest),
                one.shards or 1,
                declared.locks if declared else (),
                declared.lock_wait if declared else 0,
                one.cron.one_minute,
            )

    def meetings(self) -> list[Meeting]:
        """Starts that find their lock held, the most frequent first."""
        takers: dict[str, list[tuple[Simulated, bool]]] = defaultdict(list)
        for one in self.schedules:
            for lock in one.locks:
                takers[lock.key].append((one, lock.shared))
        found = [
            meeting
            for key, those in sorted(takers.items())
            for meeting in self._at_one_lock(key, those)
        ]
        return sorted(found, key=lambda one: (-one.times, one.first, one.name))

    def _at_one_lock(self, key: str, takers: Sequence[tuple[Simulated, bool]]) -> Iterator[Meeting]:
        # Of two that start in the same minute, the first in the file is taken to be first.
        at_work = [(one.running, _again(one)) for one, _ in takers]
        every = _held(at_work)
        exclusive = _held(
            [(0, 0) if shared else work for work, (_, shared) in zip(at_work, takers, strict=True)]
        )
        for place, (one, shared) in enumerate(takers):
            held = exclusive[place] if shared else every[place] | at_work[place][1]
            collisions = one.starts & held
            if not collisions:
                continue
            others = [
                other.name
                for at, (other, other_shared) in enumerate(takers)
                if not (shared and other_shared)
                and at_work[at][0 if at < place else 1] & collisions
            ]
            yield Meeting(
                key,
                one.name,
                tuple(others),
                collisions.bit_count(),
                self.calendar.moment(next(bits(collisions))),
                one.waits,
            )

    def busiest(self, limit: int = 5) -> list[Busy]:
        """The minutes with the most pods that start, each with as many as another one."""
        planes = self._starting
        left = self._window & union([one.starts for one in self.schedules])
        found: list[Busy] = []
        while left and len(found) < limit:
            pods, times = most(planes, left)
            for minute in bits(times):
                names = tuple(one.name for one in self.schedules if one.starts >> minute & 1)
                found.append(Busy(self.calendar.moment(minute), pods, names))
                if len(found) == limit:
                    break
            left &= ~times
        return found

    def crowded(self, limit: int) -> int:
        """In how many minutes more than `limit` pods start."""
        return above(self._starting, limit).bit_count()

    def spread(self, limit: int) -> tuple[Sequence[Move], int]:
        """What to move so that no minute has more than `limit` starts, and the most after it."""
        starts = [Starts(one.name, one.starts, one.pods, one.minute) for one in self.schedules]
        found = spread(self.calendar, starts, limit)
        return found.moves, found.highest

    def by_hour(self) -> list[tuple[datetime, list[int]]]:
        """Of each day in UTC, how many pods start in each of its hours."""
        planes = self._starting
        hour = (1 << _MINUTE) - 1
        rows = []
        for day in range(self.calendar.days):
            first = day * _HOURS * _MINUTE
            counts = [
                sum(
                    (plane >> first + at * _MINUTE & hour).bit_count() << power
                    for power, plane in enumerate(planes)
                )
                for at in range(_HOURS)
            ]
            rows.append((self.calendar.moment(first), counts))
        return rows

    def most_at_work(self) -> tuple[int, datetime | None]:
        """The most pods that are at work in one minute, and the first such minute."""
        counter = Counter()
        for one in self.schedules:
            counter.add(one.running, one.pods)
        count, times = most(counter.planes(), -1 if self.schedules else 0)
        if not count:
            return 0, None
        return count, self.calendar.moment(next(bits(times)))

    @cached_property
    def _starting(self) -> list[int]:
        counter = Counter()
        for one in self.schedules:
            counter.add(one.starts, one.pods)
        return counter.planes()


def _again(one: Simulated) -> int:
    """The minutes in which a run that started in an earlier one is still at work."""
    minutes = max(1, -(-one.seconds // _MINUTE))
    return _smeared(one.starts << 1, minutes - 1) if minutes > 1 else 0


def _smeared(mask: int, minutes: int) -> int:
    """Each bit, and those behind it, so many `minutes` in all."""
    done = 1
    while done < minutes:
        step = min(done, minutes - done)
        mask |= mask << step
        done += step
    return mask


def _held(at_work: Sequence[tuple[int, int]]) -> list[int]:
    """For each place: when those before it are at work, or those behind it are from earlier on."""
    before, held = 0, []
    for running, _ in at_work:
        held.append(before)
        before |= running
    after = 0
    for place in range(len(at_work) - 1, -1, -1):
        held[place] |= after
        after |= at_work[place][1]
    return held

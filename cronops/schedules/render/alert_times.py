"""How long a schedule may be silent, late or at work before somebody is told; whole seconds."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronops.schedules.cron import Cron
from cronops.schedules.resolve import ResolvedSchedule, pod_backoff
from cronops.schedules.zones import DAY, Change, offsets_around

_HOUR = 3600
# Fixed, for the same file must give the same bytes next year.
_FROM = datetime(2026, 1, 1, tzinfo=UTC)
_UNTIL = datetime(2036, 1, 1, tzinfo=UTC)
_CONTROLLER_SECONDS = 60
# Scraping and evaluating take up to two minutes; after the deadline there is nothing left to see.
_BEFORE_THE_DEADLINE = 120
_PATIENCE = 300


def longest_silence(schedule: ResolvedSchedule) -> int:
    """Longest time between two slots, clock changes included."""
    if schedule.cron is None:
        raise ValueError(f"{schedule.name} runs by no clock")
    return _longest_silence(schedule.cron, schedule.zone)


def missed_after(schedule: ResolvedSchedule) -> int:
    """Time from one success after which the next one is overdue.

    The earlier may have come at once, the later as late as its Job may start and end.
    """
    return longest_silence(schedule) + schedule.starting_deadline + schedule.active_deadline


def unstarted_after(schedule: ResolvedSchedule) -> int:
    """Time after a slot when the controller no longer starts its Job."""
    return schedule.starting_deadline + _CONTROLLER_SECONDS


def overlong_after(schedule: ResolvedSchedule) -> int | None:
    """Time that a Job takes whose first pod does what is declared; None without a timeout.

    Less where the Job's own deadline would come first, but never less than a run may work.
    """
    declared = schedule.declaration
    if declared is None or declared.timeout is None:
        return None
    retries = schedule.backoff_limit
    one_pod = (schedule.budget - pod_backoff(retries)) // (retries + 1)
    in_time = min(one_pod, schedule.active_deadline - _BEFORE_THE_DEADLINE)
    return max(in_time, declared.lock_wait + declared.timeout)


def pending_after(schedule: ResolvedSchedule) -> int:
    """Time that a pod may wait for a node, its image and its files."""
    return max(_PATIENCE, schedule.template.startup_seconds or 0)


@lru_cache(maxsize=16384)
def _longest_silence(cron: Cron, zone: ZoneInfo | None) -> int:
    gap = int(cron.longest_gap().total_seconds())
    changes = _changes(zone) if zone else ()
    shift = max((abs(change.after - change.before) for change in changes), default=0)
    if gap <= shift:
        # In real time the clock goes on: 01:59 is followed by 03:00 a minute later.
        return gap
    skipped = any(_skips(change, cron) for change in changes)
    return max(gap + shift, 2 * gap - shift if skipped else 0)


@lru_cache(maxsize=512)
def _changes(zone: ZoneInfo) -> tuple[Change, ...]:
    start, end = int(_FROM.timestamp()), int(_UNTIL.timestamp())
    return tuple(offsets_around(zone, _FROM).changes(start, end))


def _skips(change: Change, cron: Cron) -> bool:
    """Whether the change skips a slot, or midnight: then the cluster may pass over that day."""
    first, last = change.at + change.before, change.at + change.after - 1
    hours = range(first // _HOUR, last // _HOUR + 1)
    return any(hour % (DAY // _HOUR) == 0 or cron.hours >> hour % 24 & 1 for hour in hours)

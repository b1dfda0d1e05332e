"""What the cluster would start at once after a change: its own rule for missed times, foretold.

The CronJob controller looks back from now to the last time it started something, or to the
creation, but no further than ``startingDeadlineSeconds``; where a time of the schedule lies
there, it starts the latest of them at once. So an edited schedule or one let go may fire.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cronops.cluster.kinds import Object
from cronops.schedules.cron import CronSyntaxError, parse_cron
from cronops.schedules.zones import zone_of

_WATCHED = ("schedule", "timeZone", "suspend", "startingDeadlineSeconds")
# How far back to look first: most schedules come round within a day.
_LOOKS_BACK = (timedelta(days=1), timedelta(days=40), timedelta(days=400))


@dataclass(frozen=True)
class Firing:
    """A run that would start as soon as the change is made."""

    slot: datetime
    waits_for_active: bool
    """Not before the active run has ended, since the schedule forbids two at once."""

    @property
    def told(self) -> str:
        """In a line."""
        when = f"the run of {self.slot:%Y-%m-%d %H:%M} UTC"
        return (
            f"{when} starts as soon as the active one ends"
            if self.waits_for_active
            else (f"{when} starts at once")
        )


def firing(live: Object | None, wanted: Object, now: datetime) -> Firing | None:
    """What starts at once when the CronJob `live` becomes `wanted`; None where nothing does."""
    if live is None:
        return None  # a new one looks back to its creation, which is now
    before, after = live["spec"], wanted["spec"]
    if after.get("suspend") or all(before.get(name) == after.get(name) for name in _WATCHED):
        return None
    slot = missed(after, _last_look(live), now)
    if slot is None:
        return None
    active = bool((live.get("status") or {}).get("active"))
    return Firing(slot, active and after.get("concurrencyPolicy") == "Forbid")


def missed(spec: Object, last_look: datetime, now: datetime) -> datetime | None:
    """The latest time of a schedule that was missed and may still be made up for."""
    deadline = spec.get("startingDeadlineSeconds")
    begin = last_look
    if deadline is not None:
        begin = max(begin, now - timedelta(seconds=int(deadline)))
    for back in _LOOKS_BACK:
        start = max(begin, now - back)
        latest = None
        for slot in slots_between(spec, start, now):
            latest = slot
        if latest is not None or start == begin:
            return latest
    return None


def slots_between(spec: Object, after: datetime, until: datetime) -> Iterator[datetime]:
    """The times of a CronJob after the one moment and up to the other, in UTC.

    None where the expression or the zone cannot be read: the cluster starts nothing then either.
    """
    try:
        cron = parse_cron(str(spec.get("schedule", "")))
    except CronSyntaxError:
        return
    zone = zone_of(spec.get("timeZone") or "UTC")
    if zone is None or cron.never:
        return
    for slot in cron.upcoming(after.astimezone(zone)):
        moment = slot.astimezone(UTC)
        if moment > until:
            return
        yield moment


def next_slot(spec: Object, now: datetime) -> datetime | None:
    """The next time of a CronJob, in UTC."""
    return next(iter(slots_between(spec, now, now + timedelta(days=5 * 366))), None)


def _last_look(live: Object) -> datetime:
    last = (live.get("status") or {}).get("lastScheduleTime")
    return moment_of(last or live["metadata"].get("creationTimestamp"))


def moment_of(text: object) -> datetime:
    """A time as the API writes it; the beginning of the calendar for none."""
    if not text:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.fromisoformat(str(text))

"""What a cluster still has of what its CronJobs did: Jobs, their pods, and events."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

from cronops.cluster.api import Cluster
from cronops.cluster.firing import moment_of
from cronops.cluster.follow import JOB_NAME
from cronops.cluster.gaps import Slot
from cronops.cluster.kinds import (
    EVENT,
    JOB,
    POD,
    Object,
    by_age,
    labels_of,
    name_of,
    owner_of,
)
from cronops.schedules.render.labels import SCHEDULE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Remains:
    """What the cluster still has of one CronJob."""

    jobs: list[Object] = field(default_factory=list)
    """The Jobs that it owns."""
    pods: dict[str, list[Object]] = field(default_factory=dict)
    """By Job, the oldest first; only of Jobs that are asked for."""
    events: list[Object] = field(default_factory=list)
    """Of the CronJob, and of its Jobs."""

    def events_about(self, slot: Slot) -> Sequence[Object]:
        """The events that may tell of a time: none where all came after the next time."""
        return () if slot.next is not None and slot.next < self._begin else self.events

    @cached_property
    def _begin(self) -> datetime:
        """When the first of the events came."""
        return min((moments_of(event)[0] for event in self.events), default=_EPOCH)


def moments_of(event: Object) -> tuple[datetime, datetime]:
    """When the first and the last came of those that an event stands for; newer ones have a series.

    The beginning of the calendar where it does not say.
    """
    series: Object = event.get("series") or {}
    told = event.get("firstTimestamp"), event.get("eventTime"), event.get("lastTimestamp")
    first = next(filter(None, told), None)
    last = event.get("lastTimestamp") or series.get("lastObservedTime") or first
    return moment_of(first), moment_of(last)


def slot_of(cron_job: Object, job: Object) -> datetime | None:
    """The time for which the controller made a Job: the minutes in its name; None by hand."""
    prefix, _, minutes = name_of(job).rpartition("-")
    if prefix != name_of(cron_job) or not minutes.isdecimal():
        return None
    return _EPOCH + timedelta(minutes=int(minutes))


def remains_of(
    cluster: Cluster,
    cron_jobs: Iterable[Object],
    is_asked_for: Callable[[Object, Object], bool],
) -> dict[str, Remains]:
    """What there is of the CronJobs, by their uid.

    Read page by page; kept are the Jobs of those CronJobs, and the pods of those Jobs for which
    `is_asked_for` says so, given the CronJob and the Job.
    """
    asked = {str(one["metadata"]["uid"]): one for one in cron_jobs}
    found: dict[str, Remains] = defaultdict(Remains)
    if not asked:
        return found
    owners: dict[str, str] = {}
    wanted: set[str] = set()
    for job in cluster.list(JOB, labels=SCHEDULE):
        uid = owner_of(job)
        if uid is not None and uid in asked:
            found[uid].jobs.append(job)
            owners[name_of(job)] = uid
            if is_asked_for(asked[uid], job):
                wanted.add(name_of(job))
    for pod in cluster.list(POD, labels=SCHEDULE) if wanted else ():
        job_name = labels_of(pod).get(JOB_NAME, "")
        if job_name in wanted:
            found[owners[job_name]].pods.setdefault(job_name, []).append(pod)
    for remains in found.values():
        for pods in remains.pods.values():
            pods.sort(key=by_age)
    names = {name_of(one): uid for uid, one in asked.items()}
    for kind, uids in (("CronJob", names), ("Job", owners)):
        for event in cluster.list(EVENT, fields=f"involvedObject.kind={kind}"):
            uid = uids.get(str((event.get("involvedObject") or {}).get("name")))
            if uid is not None:
                found[uid].events.append(event)
    return found

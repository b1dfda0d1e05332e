"""Why a time of a schedule has no run in the history; pure, from what is left in the cluster.

What the CronJob controller does is told at
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/: it looks every so often for
the latest time that was missed, and starts that one where the deadline still allows it and, under
Forbid, nothing else is at work.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from typing import Any

from cronops.cluster.firing import moment_of
from cronops.cluster.gaps import Slot
from cronops.cluster.kinds import Object, name_of
from cronops.cluster.pods import ended, finished, has_begun, held_up
from cronops.cluster.remains import Remains, slot_of
from cronops.cluster.suspension import is_suspended, suspended_spans

# A schedule without a deadline may be made up for at any time: so long nobody is called.
_PATIENCE = timedelta(minutes=5)


class Cause(StrEnum):
    """Why a time has no run."""

    SUSPENDED = "suspended"
    FORBID = "skipped by Forbid"
    EDITED = "other times then"
    DEADLINE = "deadline passed"
    NEVER_STARTED = "pod never started"
    IMAGE_PULL = "image pull"
    SILENT = "died without a word"
    UNRECORDED = "not recorded"
    ABSENT = "not in the cluster"
    UNKNOWN = "not known"

    @property
    def is_meant(self) -> bool:
        """Whether somebody has said that it be so: then nobody has to look."""
        return self in (Cause.SUSPENDED, Cause.FORBID, Cause.EDITED)


@dataclass(frozen=True)
class Reason:
    """A cause, and what tells it."""

    cause: Cause
    why: str


def spans_suspended(cron_job: Object) -> list[tuple[datetime, datetime | None, str]]:
    """When it stood still, as far as is known: from, until (None: still), and what was said.

    Of a suspension made past us nobody knows when it began: then since it last started something.
    """
    spans = suspended_spans(cron_job)
    if is_suspended(cron_job) and not any(until is None for _, until, _ in spans):
        last = last_start(cron_job) or moment_of(cron_job["metadata"].get("creationTimestamp"))
        spans.append((last, None, "suspended past cronops, or by the file"))
    return spans


def last_start(cron_job: Object) -> datetime | None:
    """The time of the last run that the cluster started."""
    text = (cron_job.get("status") or {}).get("lastScheduleTime")
    return moment_of(text) if text else None


def start_until(cron_job: Object, slot: Slot) -> datetime:
    """Until when the cluster may still start a time: its deadline, or the next time."""
    seconds = cron_job["spec"].get("startingDeadlineSeconds")
    patience = _PATIENCE if seconds is None else timedelta(seconds=int(seconds))
    return min(slot.at + patience, slot.next or datetime.max.replace(tzinfo=slot.at.tzinfo))


def reason_of(cron_job: Object, slot: Slot, remains: Remains, now: datetime) -> Reason | None:
    """Why the time has no run; None where one may still come.

    Does not know of suspensions, nor of runs in the history that kept others from starting.
    """
    job = next((one for one in remains.jobs if slot_of(cron_job, one) == slot.at), None)
    if job is not None:
        return _of_job(job, remains, slot)
    until = start_until(cron_job, slot)
    if until > now:
        return None
    return (
        _of_events(remains.events, slot, until)
        or _of_other_jobs(remains.jobs, slot, until)
        or _of_nothing(cron_job, slot, remains)
    )


def _of_job(job: Object, remains: Remains, slot: Slot) -> Reason | None:
    pods = remains.pods.get(name_of(job), [])
    asked = [pod for pod in pods if not slot.shards or _index(pod) in slot.shards]
    end = finished(job)
    if asked:
        reason = _of_pod(asked[-1])
        return reason or (Reason(Cause.UNKNOWN, _end_of_job(end)) if end else None)
    name = f"job {name_of(job)}"
    refused = [one for one in remains.events if _is_of(one, "Job", name_of(job))]
    for event in refused:
        if event.get("reason") == "FailedCreate":
            return Reason(Cause.NEVER_STARTED, f"{name}: {event.get('message', '')}")
    if end is None:
        return None
    if (job.get("status") or {}).get("failed") or end[0]:
        return Reason(Cause.SILENT, f"{name}: {_end_of_job(end)}; its pods are gone")
    return Reason(Cause.NEVER_STARTED, f"{name}: {_end_of_job(end)}")


def _end_of_job(end: tuple[bool, str]) -> str:
    return "it succeeded, as the cluster says" if end[0] else (end[1] or "it failed")


def _of_pod(pod: Object) -> Reason | None:
    held = held_up(pod)
    if held is not None:
        return Reason(Cause(held.cause), f"pod {name_of(pod)}: {held.why}")
    end = ended(pod)
    if end is not None:
        how = f"pod {name_of(pod)} ended with {end.exit_code} ({end.reason})"
        if end.receipt is None:
            return Reason(Cause.SILENT, how)
        said = f"{end.receipt['outcome']}: {end.receipt.get('reason') or 'no reason'}"
        return Reason(Cause.UNRECORDED, f"{how}, and said: {said}")
    phase = (pod.get("status") or {}).get("phase")
    if phase == "Failed":
        why = pod["status"].get("message") or pod["status"].get("reason") or "it failed"
        cause = Cause.SILENT if has_begun(pod) else Cause.NEVER_STARTED
        return Reason(cause, f"pod {name_of(pod)}: {why}")
    return None


def _of_events(events: Sequence[Object], slot: Slot, until: datetime) -> Reason | None:
    for event in events:
        reason, message = event.get("reason"), str(event.get("message") or "")
        if reason == "MissSchedule" and format_datetime(slot.at) in message:
            return Reason(Cause.DEADLINE, message)
        if not _is_of(event, "CronJob") or not _covers(event, slot.at, until):
            continue
        if reason == "JobAlreadyActive":
            return Reason(Cause.FORBID, message)
        if reason == "FailedCreate":
            return Reason(Cause.NEVER_STARTED, message)
    return None


def _covers(event: Object, start: datetime, until: datetime) -> bool:
    """Whether an event, which stands for all of its kind from first to last, came meanwhile."""
    last = event.get("lastTimestamp") or event.get("eventTime")
    first = event.get("firstTimestamp") or last
    return moment_of(first) < until and start <= moment_of(last)


def _is_of(event: Object, kind: str, name: str | None = None) -> bool:
    involved: Mapping[str, Any] = event.get("involvedObject") or {}
    return involved.get("kind") == kind and name in (None, involved.get("name"))


def _of_other_jobs(jobs: Sequence[Object], slot: Slot, until: datetime) -> Reason | None:
    for job in jobs:
        if "cronjob.kubernetes.io/instantiate" in (job["metadata"].get("annotations") or {}):
            continue  # made by hand: the controller does not count it
        began = moment_of(job["metadata"].get("creationTimestamp"))
        done = end_of_job(job)
        if began < slot.at and (done is None or done >= until):
            return Reason(Cause.FORBID, f"job {name_of(job)} was at work until after that")
    return None


def end_of_job(job: Object) -> datetime | None:
    """When a Job came to its end; None while it is at work."""
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition.get("type") in ("Complete", "Failed") and condition.get("status") == "True":
            return moment_of(condition.get("lastTransitionTime"))
    return None


def _of_nothing(cron_job: Object, slot: Slot, remains: Remains) -> Reason:
    """Neither Job nor event: whether a Job would still be there, had there been one."""
    last = last_start(cron_job)
    if last == slot.at:
        return Reason(Cause.UNKNOWN, "its job was made, and is gone with its pods")
    spec = cron_job["spec"]
    newer = sum(
        1
        for job in remains.jobs
        if (end := finished(job)) and not end[0] and (slot_of(cron_job, job) or slot.at) > slot.at
    )
    kept = int(spec.get("failedJobsHistoryLimit", 1))
    expires = "ttlSecondsAfterFinished" in spec["jobTemplate"]["spec"]
    if (last is None or last < slot.at) or (newer < kept and not expires):
        return Reason(Cause.DEADLINE, "no job was made for it: the cluster did not look in time")
    return Reason(Cause.UNKNOWN, "neither a job nor an event is left of it")


def _index(pod: Object) -> str:
    labels = pod["metadata"].get("labels") or {}
    return str(labels.get("batch.kubernetes.io/job-completion-index", ""))

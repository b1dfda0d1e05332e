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
from cronops.cluster.pods import end_of, ended, finished, has_begun, held_up
from cronops.cluster.remains import Remains, moments_of, slot_of
from cronops.cluster.suspension import is_suspended, suspended_spans

# A schedule without a deadline may be made up for at any time: so long nobody is called.
_PATIENCE = timedelta(minutes=5)
# A large image takes a while.
_STARTING = timedelta(minutes=15)
_MINUTE = timedelta(minutes=1)


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
        spans.append((last + _MINUTE, None, "suspended past cronops, or by the file"))
    return spans


def last_start(cron_job: Object) -> datetime | None:
    """The time of the last run that the cluster started."""
    text = (cron_job.get("status") or {}).get("lastScheduleTime")
    return moment_of(text) if text else None


def told_from(cron_job: Object, remains: Remains, now: datetime) -> datetime:
    """Since when what is left may tell of one time another thing than of the next."""
    told = [moments_of(event)[0] for event in remains.events]
    told += [slot for job in remains.jobs if (slot := slot_of(cron_job, job))]
    told += [moment_of(job["metadata"].get("creationTimestamp")) for job in remains.jobs]
    return min([*told, now])


def start_until(cron_job: Object, slot: Slot) -> datetime | None:
    """Until when the cluster may start a time: its deadline, or the next time; None: for ever."""
    seconds = cron_job["spec"].get("startingDeadlineSeconds")
    ends = [] if seconds is None else [slot.at + timedelta(seconds=int(seconds))]
    return min([*ends, *([slot.next] if slot.next else [])], default=None)


def forbids(cron_job: Object) -> bool:
    """Whether it starts nothing while an earlier run is at work."""
    return bool(cron_job["spec"].get("concurrencyPolicy") == "Forbid")


def reason_of(
    cron_job: Object, slot: Slot, remains: Remains, now: datetime, *, busy: str | None = None
) -> Reason | None:
    """Why the time has no run; None where one may still come.

    `busy` is a run in the history that was at work for as long as the time could be started.
    Does not know of suspensions.
    """
    job = next((one for one in remains.jobs if slot_of(cron_job, one) == slot.at), None)
    if job is not None:
        return _of_job(job, remains, slot, now)
    if _was_made(cron_job, slot, remains):
        return Reason(Cause.UNKNOWN, "its job was made, and is gone with its pods")
    until = start_until(cron_job, slot)
    is_open = until is None or until > now
    has_deadline = cron_job["spec"].get("startingDeadlineSeconds") is not None
    if is_open and (has_deadline or now < slot.at + _PATIENCE):
        return None
    end = now if until is None else min(until, now)
    found = _of_events(remains, slot, end)
    if found is None and forbids(cron_job):
        found = _of_other_jobs(remains.jobs, slot, end)
        if found is None and busy:
            found = Reason(Cause.FORBID, f"run {busy} was at work until after that")
    if found is not None and found.cause is Cause.FORBID and is_open:
        return None  # it is made up for as soon as the other one ends
    return found or _of_nothing(cron_job, slot, remains)


def _was_made(cron_job: Object, slot: Slot, remains: Remains) -> bool:
    """Whether there has been a Job for the time: other shards, the CronJob or an event say so."""
    if slot.shards or last_start(cron_job) == slot.at:
        return True
    name = f"{name_of(cron_job)}-{int(slot.at.timestamp()) // 60}"
    return any(
        event.get("reason") == "SuccessfulCreate" and str(event.get("message")).endswith(f" {name}")
        for event in remains.events_about(slot)
    )


def _of_job(job: Object, remains: Remains, slot: Slot, now: datetime) -> Reason | None:
    pods = remains.pods.get(name_of(job), [])
    asked = [pod for pod in pods if not slot.shards or _index(pod) in slot.shards]
    end = finished(job)
    if asked:
        reason = _of_pod(asked[-1], now)
        return reason or (Reason(Cause.UNKNOWN, _end_of_job(end)) if end else None)
    name = f"job {name_of(job)}"
    refused = [one for one in remains.events if _is_of(one, "Job", name_of(job))]
    for event in refused:
        if event.get("reason") == "FailedCreate":
            return Reason(Cause.NEVER_STARTED, f"{name}: {event.get('message', '')}")
    if end is None:
        return None
    said = f"{name}: {_end_of_job(end)}"
    if end[0]:
        return Reason(Cause.UNRECORDED, f"{said}; its pods are gone")
    if not (job.get("status") or {}).get("failed"):
        return Reason(Cause.NEVER_STARTED, said)
    if (end_of(job) or {}).get("reason") == "DeadlineExceeded":
        # Its pods are deleted then, and count as failed: also those that never began.
        return Reason(Cause.UNKNOWN, f"{said}; its pods are gone, whether they began or not")
    return Reason(Cause.SILENT, f"{said}; its pods are gone")


def _end_of_job(end: tuple[bool, str]) -> str:
    return "it succeeded, as the cluster says" if end[0] else (end[1] or "it failed")


def _of_pod(pod: Object, now: datetime) -> Reason | None:
    held = held_up(pod)
    if held is not None:
        return Reason(Cause(held.cause), f"pod {name_of(pod)}: {held.why}")
    end = ended(pod)
    if end is not None:
        how = f"pod {name_of(pod)} ended with {end.exit_code} ({end.reason})"
        if end.receipt is None:
            return Reason(Cause.SILENT if end.exit_code else Cause.UNRECORDED, how)
        said = f"{end.receipt['outcome']}: {end.receipt.get('reason') or 'no reason'}"
        return Reason(Cause.UNRECORDED, f"{how}, and said: {said}")
    phase = (pod.get("status") or {}).get("phase")
    if phase == "Failed":
        why = pod["status"].get("message") or pod["status"].get("reason") or "it failed"
        cause = Cause.SILENT if has_begun(pod) else Cause.NEVER_STARTED
        return Reason(cause, f"pod {name_of(pod)}: {why}")
    made = moment_of(pod["metadata"].get("creationTimestamp"))
    if not has_begun(pod) and now - made > _STARTING:
        why = f"pod {name_of(pod)}: its container has not begun since {made:%Y-%m-%d %H:%M}Z"
        return Reason(Cause.NEVER_STARTED, f"{why}; see: kubectl describe pod {name_of(pod)}")
    return None


def _of_events(remains: Remains, slot: Slot, until: datetime) -> Reason | None:
    """What an event of the CronJob says of the time.

    Of events that are alike the cluster keeps only the first and the last moment.
    """
    when = format_datetime(slot.at)
    for event in remains.events_about(slot):
        reason, message = event.get("reason"), str(event.get("message") or "")
        if reason == "MissSchedule" and when in message:
            return Reason(Cause.DEADLINE, message)
        if not _is_of(event, "CronJob"):
            continue
        first, last = moments_of(event)
        if reason == "JobAlreadyActive" and any(slot.at <= one <= until for one in (first, last)):
            return Reason(Cause.FORBID, message)
        if reason == "FailedCreate" and first <= until and slot.at <= last:
            return Reason(Cause.NEVER_STARTED, message)
    return None


def _is_of(event: Object, kind: str, name: str | None = None) -> bool:
    involved: Mapping[str, Any] = event.get("involvedObject") or {}
    return involved.get("kind") == kind and name in (None, involved.get("name"))


def _of_other_jobs(jobs: Sequence[Object], slot: Slot, until: datetime) -> Reason | None:
    for job in jobs:
        if "cronjob.kubernetes.io/instantiate" in (job["metadata"].get("annotations") or {}):
            continue  # made by hand: the controller does not count it
        began = moment_of(job["metadata"].get("creationTimestamp"))
        end = end_of(job)
        done = moment_of(end.get("lastTransitionTime")) if end else until
        if began < slot.at and done >= until:
            return Reason(Cause.FORBID, f"job {name_of(job)} was at work until after that")
    return None


def _of_nothing(cron_job: Object, slot: Slot, remains: Remains) -> Reason:
    """Neither Job nor event: whether a Job would still be there, had there been one."""
    last = last_start(cron_job)
    spec = cron_job["spec"]
    newer = sum(
        1
        for job in remains.jobs
        if (end := finished(job)) and not end[0] and (slot_of(cron_job, job) or slot.at) > slot.at
    )
    kept = int(spec.get("failedJobsHistoryLimit", 1))
    expires = "ttlSecondsAfterFinished" in spec["jobTemplate"]["spec"]
    # Replace deletes the Job before, whatever has become of it.
    is_kept = newer < kept and not expires and spec.get("concurrencyPolicy") != "Replace"
    if last is None or last < slot.at or is_kept:
        return Reason(Cause.DEADLINE, "no job was made for it: the cluster did not look in time")
    return Reason(Cause.UNKNOWN, "neither a job nor an event is left of it")


def _index(pod: Object) -> str:
    labels = pod["metadata"].get("labels") or {}
    return str(labels.get("batch.kubernetes.io/job-completion-index", ""))

"""How each schedule of a namespace stands, by what the cluster knows of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from cronops.cluster.api import Cluster
from cronops.cluster.firing import moment_of, next_slot
from cronops.cluster.kinds import (
    JOB,
    Object,
    annotations_of,
    by_age,
    labels_of,
    name_of,
    owner_of,
    schedule_of,
)
from cronops.cluster.pods import container_of, finished
from cronops.cluster.suspension import suspension_of
from cronops.schedules.render.labels import SCHEDULE


def status_of(cluster: Cluster, cron_jobs: Sequence[Object], now: datetime) -> list[dict[str, Any]]:
    """One record a CronJob; scripts rely on the names."""
    jobs = jobs_by_owner(cluster.list(JOB, labels=SCHEDULE))
    return [_record(one, jobs.get(one["metadata"]["uid"], ()), now) for one in cron_jobs]


def jobs_of(cluster: Cluster, cron_job: Object) -> list[Object]:
    """The Jobs of one CronJob that are still there, the newest last."""
    labels = labels_of(cron_job["spec"]["jobTemplate"])
    selector = f"{SCHEDULE}={labels[SCHEDULE]}" if SCHEDULE in labels else ""
    return jobs_by_owner(cluster.list(JOB, labels=selector)).get(cron_job["metadata"]["uid"], [])


def jobs_by_owner(jobs: Iterable[Object]) -> dict[str, list[Object]]:
    """Jobs by the uid of the CronJob that owns them, the newest last."""
    found: dict[str, list[Object]] = defaultdict(list)
    for job in jobs:
        uid = owner_of(job)
        if uid is not None:
            found[uid].append(job)
    for owned in found.values():
        owned.sort(key=by_age)
    return found


def _record(cron_job: Object, jobs: Sequence[Object], now: datetime) -> dict[str, Any]:
    spec, status = cron_job["spec"], cron_job.get("status") or {}
    said = suspension_of(cron_job)
    last = next(((job, end) for job in reversed(jobs) if (end := finished(job))), None)
    over = " (its time is over)" if said and said.is_over(now) else ""
    return {
        "schedule": schedule_of(cron_job),
        "cronjob": name_of(cron_job),
        "expression": spec.get("schedule"),
        "time_zone": spec.get("timeZone"),
        "last_run": _moment(status.get("lastScheduleTime")),
        "last_outcome": None if last is None else "succeeded" if last[1][0] else "failed",
        "last_success": _moment(status.get("lastSuccessfulTime")),
        "next_run": None if said else next_slot(spec, now),
        "active": len(status.get("active") or ()),
        "failing_since": _failing_since(jobs),
        "suspended": f"{said.told}{over}" if said else None,
        "image": _image(cron_job),
        "version": labels_of(cron_job).get("app.kubernetes.io/version"),
        "made_by": annotations_of(cron_job).get("cronops/generated-by"),
    }


def _failing_since(jobs: Sequence[Object]) -> datetime | None:
    """When the first of the Jobs began that have failed since the last success."""
    since = None
    for job in reversed(jobs):
        end = finished(job)
        if end is None:
            continue
        if end[0]:
            break
        since = _moment(job["metadata"].get("creationTimestamp"))
    return since


def _image(cron_job: Mapping[str, Any]) -> str:
    pod: dict[str, Any] = cron_job["spec"]["jobTemplate"]["spec"]["template"]
    name = container_of(pod)
    return next(str(one["image"]) for one in pod["spec"]["containers"] if one["name"] == name)


def _moment(text: object) -> datetime | None:
    return moment_of(text) if text else None

"""One Job as its template wants it; a CronJob's, or the migration's own."""

from collections.abc import Mapping
from dataclasses import dataclass

from cronops.schedules.render.failure_policy import FailurePolicy
from cronops.schedules.render.pod import Pod
from cronops.schedules.render.quoting import Verbatim
from cronops.schedules.render.texts import fill


@dataclass(frozen=True, slots=True)
class Job:
    """What the template ``job.yaml.j2`` needs."""

    pod: Pod
    shards: int | None
    backoff_limit: int
    """For each shard, where there are shards."""
    active_deadline: int
    failure_policy: FailurePolicy


def job_text(job: Job, labels: Verbatim, annotations: Verbatim) -> Verbatim:
    """The Job's ``spec``; labels and annotations are those of its pods."""
    return fill(
        "job.yaml.j2",
        job=job,
        policy=job.failure_policy,
        pod=job.pod,
        labels=labels,
        annotations=annotations,
    )


def pairs(values: Mapping[str, str]) -> Verbatim:
    """Labels, annotations or data as lines of YAML, sorted by their names."""
    if not values:
        return Verbatim()
    return fill("pairs.yaml.j2", pairs=sorted(values.items()))

"""A run by hand: a Job from a deployed schedule's template, with other arguments where wanted."""

import random
from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from cronops.cluster.kinds import CRON_JOB, JOB, Object, name_of
from cronops.cluster.pods import container_of
from cronops.errors import UsageError
from cronops.schedules.render.pod import literal

# As the API's own: no vowel and nothing that looks like another.
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_RANDOM = random.SystemRandom()
_SHARD = "--shard"


def job_by_hand(
    cron_job: Object,
    *,
    words: Sequence[str] | None,
    scheduled_at: datetime | None,
    actor: str,
    why: str | None = None,
) -> dict[str, Any]:
    """The Job to create; `words` are its whole command line, None the deployed one.

    It belongs to the CronJob, so that it is counted and cleared away as one of its own. Its name
    is never of the form by which a run takes its slot: the slot, where one is given, is told.
    """
    template = deepcopy(dict(cron_job["spec"]["jobTemplate"]))
    meta = template.get("metadata") or {}
    annotations = {
        **(meta.get("annotations") or {}),
        "cronjob.kubernetes.io/instantiate": "manual",
        "cronops/triggered-by": actor,
    }
    if why:
        annotations["cronops/triggered-why"] = why
    spec: dict[str, Any] = template["spec"]
    container = _container(spec)
    if words is not None:
        container["args"] = [literal(word) for word in words]
    if scheduled_at is not None:
        told = scheduled_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        _set_variable(container, "CRONOPS_SCHEDULED_AT", told)
    return {
        "apiVersion": JOB.api_version,
        "kind": JOB.name,
        "metadata": {
            "name": f"{name_of(cron_job)}-t{''.join(_RANDOM.choices(_LETTERS, k=8))}",
            "namespace": cron_job["metadata"]["namespace"],
            "labels": dict(meta.get("labels") or {}),
            "annotations": annotations,
            "ownerReferences": [
                {
                    "apiVersion": CRON_JOB.api_version,
                    "kind": CRON_JOB.name,
                    "name": name_of(cron_job),
                    "uid": cron_job["metadata"]["uid"],
                    "controller": True,
                }
            ],
        },
        "spec": spec,
    }


def deployed_words(cron_job: Object) -> list[str]:
    """The deployed command line."""
    container = _container(cron_job["spec"]["jobTemplate"]["spec"])
    return [str(word).replace("$$", "$") for word in container.get("args") or ()]


def words_with(deployed: Sequence[str], length: int, given: Sequence[str]) -> list[str]:
    """The deployed job, the first `length` words, with the arguments `given` and no others.

    The job's words may be repeated in front of them. Shards stay as they are deployed unless
    given. Raises `UsageError` for another job: account and network of this one are not made for it.
    """
    job, rest = list(deployed[:length]), list(given)
    if rest[:length] == job:
        rest = rest[length:]
    elif rest and not rest[0].startswith("-") and _is_other_job(rest, job):
        raise UsageError(
            f"this schedule runs {' '.join(job)!r}; give its arguments only, as in: "
            f"-- {' '.join(word for word in rest if word.startswith('-')) or '--help'}"
        )
    if not any(word.split("=")[0] == _SHARD for word in rest):
        rest += _shard(deployed[length:])
    return [*job, *rest]


def _is_other_job(words: list[str], job: list[str]) -> bool:
    from cronops.jobs.registry import list_jobs

    paths = [one.path.split() for one in list_jobs()]
    return any(words[: len(path)] == path for path in paths if path != job)


def _shard(words: Sequence[str]) -> list[str]:
    for place, word in enumerate(words):
        if word == _SHARD:
            return list(words[place : place + 2])
        if word.startswith(f"{_SHARD}="):
            return [word]
    return []


def _container(job_spec: Any) -> dict[str, Any]:
    spec = job_spec["template"]["spec"]
    name = container_of({"spec": spec})
    found: dict[str, Any] = next(one for one in spec["containers"] if one["name"] == name)
    return found


def _set_variable(container: dict[str, Any], name: str, value: str) -> None:
    others = [one for one in container.get("env") or () if one.get("name") != name]
    container["env"] = [*others, {"name": name, "value": value}]

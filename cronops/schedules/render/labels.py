"""Labels and annotations: whose an object is, what it runs, and what made it."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import lru_cache

from cronops.durations import format_duration
from cronops.schedules.declarations import Declaration
from cronops.schedules.model import Template
from cronops.schedules.resolve import ResolvedEnvironment, ResolvedSchedule, shortened

LONGEST = 63
NAME = "app.kubernetes.io/name"
INSTANCE = "app.kubernetes.io/instance"
COMPONENT = "app.kubernetes.io/component"
PART_OF = "app.kubernetes.io/part-of"
SCHEDULE = "cronops/schedule"
ROLE = "cronops/role"
_NOT_IN_A_LABEL = re.compile(r"[^A-Za-z0-9._-]+")


@lru_cache(maxsize=4096)
def label_value(text: str) -> str:
    """The text as a label may hold it: other characters become hyphens, a long one is shortened."""
    return shortened(_NOT_IN_A_LABEL.sub("-", text).strip("-._"), LONGEST)


def slug(owner: str) -> str:
    """``Shared Ops`` as ``shared-ops``."""
    return label_value(owner.lower())


def common_labels(environment: ResolvedEnvironment, template: Template) -> dict[str, str]:
    """What all objects of one environment carry; ours are not overruled by the file's."""
    labels = _said(template.labels) | {
        NAME: "cronops",
        INSTANCE: label_value(environment.name),
        PART_OF: "cronops",
        "app.kubernetes.io/managed-by": "cronops",
    }
    if template.image and template.image.tag:
        labels["app.kubernetes.io/version"] = label_value(template.image.tag)
    return labels


def schedule_labels(environment: ResolvedEnvironment, schedule: ResolvedSchedule) -> dict[str, str]:
    """What a schedule's objects and pods carry."""
    name = label_value(schedule.name)
    labels = common_labels(environment, schedule.template)
    labels |= {COMPONENT: name, SCHEDULE: name, "cronops/cr": label_value(schedule.entry.cr)}
    declared = schedule.declaration
    if declared is not None:
        labels["cronops/responsible"] = slug(declared.responsible)
        if declared.accountable:
            owners = "_".join(slug(owner) for owner in declared.accountable)
            labels["cronops/accountable"] = label_value(owners)
    return labels


def migration_labels(environment: ResolvedEnvironment) -> dict[str, str]:
    """What the migration's objects and pods carry."""
    ours = {COMPONENT: "migration", ROLE: "migration"}
    return common_labels(environment, environment.migration) | ours


def schedule_annotations(schedule: ResolvedSchedule, generator: str) -> dict[str, str]:
    """What people read on a CronJob."""
    annotations = said_annotations(schedule.template) | waivers(schedule.template)
    annotations["cronops/command"] = f"cronops {schedule.entry.command}"
    annotations["cronops/generated-by"] = generator
    if schedule.entry.description:
        annotations["kubernetes.io/description"] = schedule.entry.description
    if schedule.standstill is not None:
        annotations["cronops/suspended"] = schedule.standstill
    if schedule.declaration is not None:
        annotations |= _declared(schedule.declaration)
    return annotations


def said_annotations(template: Template) -> dict[str, str]:
    """The file's own annotations, which also stand on the pods."""
    return _said(template.annotations)


def waivers(template: Template) -> dict[str, str]:
    """What a scanner of manifests must be told not to hold against an object, and why."""
    if template.image and template.image.digest:
        return {}
    return {"checkov.io/skip1": "CKV_K8S_43=only what is released is pinned by digest"}


def _declared(declared: Declaration) -> dict[str, str]:
    told = {
        "cronops/accountable": _listed(declared.accountable),
        "cronops/responsible": declared.responsible,
        "cronops/consulted": _listed(declared.consulted),
        "cronops/lock": _listed(
            f"{lock.key} (shared)" if lock.shared else lock.key for lock in declared.locks
        ),
    }
    if declared.timeout is not None:
        told["cronops/timeout"] = format_duration(timedelta(seconds=declared.timeout))
    return {key: text for key, text in told.items() if text}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _said(values: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value is not None}

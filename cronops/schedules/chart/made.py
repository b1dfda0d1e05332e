"""One environment's values, made from its resolved schedules."""

from collections.abc import Mapping
from typing import Any

from cronops.schedules.chart.values import Values
from cronops.schedules.declarations import Declaration
from cronops.schedules.model import Template
from cronops.schedules.parts import Part
from cronops.schedules.render.alert_times import (
    longest_silence,
    missed_after,
    overlong_after,
    pending_after,
    unstarted_after,
)
from cronops.schedules.render.migration import COMMAND, DEADLINE, RETRIES
from cronops.schedules.resolve import NEVER, ResolvedEnvironment, ResolvedSchedule, variables

_MAPS = ("annotations", "egress", "labels", "node_selector", "secrets", "volumes")
_SCALARS = (
    "concurrency_policy",
    "failed_jobs_history_limit",
    "restart_policy",
    "severity",
    "successful_jobs_history_limit",
    "time_zone",
)
_CLEARED: Mapping[str, Any] = {
    "image_pull_secrets": [],
    "priority_class_name": "",
    "tolerations": [],
}
"""What takes a default away, where leaving it out would not."""


def values_of(environment: ResolvedEnvironment) -> Values:
    """The values with which the chart makes what `render` makes of this environment."""
    common = environment.common
    return Values.model_validate(
        {
            "environment": environment.name,
            "namePrefix": environment.said.name_prefix,
            "image": _image(common, None),
            "settings": dict(sorted(variables(common).items())),
            "defaults": _differing(common, None),
            "schedules": {
                one.name: _schedule(environment, one)
                for one in sorted(environment.schedules, key=lambda one: one.name)
            },
            "migration": _migration(environment),
        }
    )


def _schedule(environment: ResolvedEnvironment, one: ResolvedSchedule) -> dict[str, Any]:
    entry = one.entry
    # The shards' option is the template's: their number may be changed.
    args = list(one.args[:-2] if one.shards else one.args)
    made: dict[str, Any] = {
        "cr": entry.cr,
        "job": one.declaration.job if one.declaration else entry.command,
        "description": entry.description,
        "args": args,
        "command": entry.command if entry.command != " ".join(args) else None,
        "schedule": one.expression or NEVER,
        "suspend": one.standstill is not None,
        "suspendedBecause": one.standstill,
        "startingDeadlineSeconds": one.starting_deadline,
        "activeDeadlineSeconds": one.active_deadline,
        "backoffLimit": one.backoff_limit,
        "terminationGracePeriodSeconds": one.grace,
        "shards": one.shards,
        "declared": _declared(one.declaration),
        "alerts": _alerts(one),
        **_own(environment, one.template),
    }
    return {key: value for key, value in made.items() if value is not None}


def _migration(environment: ResolvedEnvironment) -> dict[str, Any]:
    template = environment.migration
    retries = template.backoff_limit
    declarations = environment.declarations
    own = _own(environment, template)
    # A Job of Helm's: what only CronJobs have means nothing to it.
    for field in (
        "concurrencyPolicy",
        "failedJobsHistoryLimit",
        "successfulJobsHistoryLimit",
        "timeZone",
    ):
        own.pop(field, None)
    return {
        "enabled": True,
        "schemaRevision": declarations.schema_revision,
        "args": list(COMMAND),
        "backoffLimit": RETRIES if retries is None else retries,
        "activeDeadlineSeconds": template.active_deadline_seconds or DEADLINE,
        "terminationGracePeriodSeconds": template.termination_grace_period_seconds
        or declarations.stop_seconds(environment.settings),
        **own,
    }


def _alerts(one: ResolvedSchedule) -> dict[str, int] | None:
    if not one.period:
        return None
    made = {
        "longestSilence": longest_silence(one),
        "missedAfter": missed_after(one),
        "notStartedAfter": unstarted_after(one),
        "pendingAfter": pending_after(one),
    }
    overlong = overlong_after(one)
    return made if overlong is None else {**made, "overlongAfter": overlong}


def _declared(declared: Declaration | None) -> dict[str, Any] | None:
    if declared is None:
        return None
    made = {
        "accountable": list(declared.accountable),
        "responsible": declared.responsible,
        "consulted": list(declared.consulted),
        "locks": [f"{lock.key} (shared)" if lock.shared else lock.key for lock in declared.locks],
        "timeout": declared.timeout,
        "retrySafe": declared.retry_safe,
    }
    return {key: value for key, value in made.items() if value not in ([], None)}


def _own(environment: ResolvedEnvironment, template: Template) -> dict[str, Any]:
    """What one schedule, or the migration, says otherwise than the environment."""
    common = environment.common
    own = _differing(template, common)
    image = _image(template, common)
    if image:
        own["image"] = image
    env = _differing_map(variables(template), environment.settings)
    # No default takes this one away: it names the environment, whatever the file says of others.
    env = {
        name: text for name, text in env.items() if text is not False or name in variables(common)
    }
    if env:
        own["env"] = env
    return own


def _differing(template: Template, common: Template | None) -> dict[str, Any]:
    """By the names of the values: what `template` says, and `common` does not."""
    made: dict[str, Any] = {}
    for field in _MAPS:
        differing = _differing_map(
            _said(getattr(template, field)), _said(getattr(common, field)) if common else {}
        )
        if differing:
            made[_alias(field)] = differing
    resources = _differing_resources(template, common)
    if resources:
        made["resources"] = resources
    for field in (*_SCALARS, *_CLEARED):
        value = getattr(template, field)
        if value == (getattr(common, field) if common else None):
            continue
        made[_alias(field)] = _CLEARED[field] if value is None else _plain(value)
    return made


def _differing_resources(template: Template, common: Template | None) -> dict[str, Any]:
    made = {}
    for kind in ("requests", "limits"):
        own = _said(getattr(template.resources, kind)) if template.resources else {}
        below = _said(getattr(common.resources, kind)) if common and common.resources else {}
        differing = _differing_map(own, below)
        if differing:
            made[kind] = differing
    return made


def _differing_map(own: Mapping[str, Any], below: Mapping[str, Any]) -> dict[str, Any]:
    names = sorted(own.keys() | below.keys())
    return {name: own.get(name, False) for name in names if own.get(name) != below.get(name)}


def _image(template: Template, common: Template | None) -> dict[str, str]:
    own, below = _image_parts(template), _image_parts(common)
    parts = own.keys() | below.keys()
    return {part: own.get(part, "") for part in sorted(parts) if own.get(part) != below.get(part)}


def _image_parts(template: Template | None) -> dict[str, str]:
    image = template.image if template else None
    return _plain(image) if image else {}


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Part):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    return value


def _alias(field: str) -> str:
    return Template.model_fields[field].alias or field

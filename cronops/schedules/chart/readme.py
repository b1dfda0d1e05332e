"""The chart's ``README.md``: how to install it, what its values mean, how it differs."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic.fields import FieldInfo

from cronops.schedules.chart.differences import DIFFERENCES
from cronops.schedules.chart.values import MigrationValues, PodValues, ScheduleValues, Values
from cronops.schedules.parts import Part

_TEXT = """\
<!-- Made by `cronops schedules chart` from schedules.yaml: change nothing here. -->
# cronops

Scheduled jobs under one operating contract: for each schedule a CronJob, a service account and a
network policy; for all of them their settings, a policy that denies the rest, the upgrade of the
tables and, where the Prometheus operator is installed, alerts. The objects are those of
`k8s/<environment>/`, but for [the differences below](#differences).

Kubernetes {kubernetes} or newer: `podFailurePolicy` is stable from then on, and
`podReplacementPolicy`, `backoffLimitPerIndex` and `timeZone` need no feature gate.

## Install and upgrade

```shell
kubectl create namespace {namespace}
kubectl label namespace {namespace} pod-security.kubernetes.io/enforce=restricted
helm upgrade --install cronops charts/cronops --namespace {namespace} \\
  -f charts/cronops/values-{environment}.yaml --timeout {timeout}m
```

Helm waits for the upgrade of the tables, which may take longer than the five minutes it waits
unless told.

There is a values file for each environment: {files}.
Without one, the chart schedules nothing and upgrades no tables.

The Secrets must be in the namespace first; the chart reads no secret's value:

{secrets}

Before anything else is made or changed, a hook upgrades the tables. If it fails, the release stops
there, nothing is changed, and the Job stays to be looked at:
`kubectl --namespace {namespace} logs job/cronops-migration`. A rollback leaves the tables as they
are.

**Where `migration.schemaRevision` changes, suspend the CronJobs first**, and wait until no Job
runs: the old program's runs and the new tables refuse each other, and page
([how](../../docs/operations.md#a-release), [why](../../docs/operations.md#upgrades)).

**Where `settings` change, `helm upgrade` deletes the ConfigMap of the version before.** A pod that
a Job of that version starts anew then waits in `CreateContainerConfigError` until the Job's
`activeDeadlineSeconds`, and its schedule with it: delete the Job.

Cadences, deadlines and owners come from `schedules.yaml` and the jobs' declarations, proven by
`cronops schedules validate`. What is set here is not proven; for more than a day, change
`schedules.yaml` and make the chart anew. The numbers below `alerts` follow the cadence as it is
there: changed here, it wants them changed too.

```shell
--set schedules.{example}.suspend=true   # one schedule stands still
--set schedules.{example}.schedule='5 4 * * *'
--set schedules.{example}.secrets.{secret}=false   # takes a default away
--set schedules.{example}=null   # no such CronJob
--set image.digest=sha256:…   # another build
--set-string settings.CRONOPS_LOG_LEVEL=debug   # text, whatever it looks like
```

A key that is misspelt, or of the wrong type, is refused: `values.schema.json` is closed.

## Uninstall

`helm uninstall cronops --namespace {namespace}` removes all objects, running Jobs included. The
tables and the Secrets stay; so does a migration that failed:

```shell
kubectl --namespace {namespace} delete job,serviceaccount,networkpolicy,configmap \\
  --selector cronops/role=migration
```

## Values

{values}

## Differences

From the objects that `cronops schedules render` writes for the same environment:

{differences}
"""

_SLACK_MINUTES = 5


def readme_text(values: Mapping[str, Values], shown: str, namespace: str, kubernetes: str) -> str:
    """The page, with the commands for the environment `shown`, whose namespace is given."""
    return _TEXT.format(
        kubernetes=kubernetes,
        namespace=namespace,
        environment=shown,
        example=min(values[shown].schedules, default="NAME"),
        secret=min(values[shown].defaults.secrets or {}, default="NAME"),
        timeout=_longest_migration(values) // 60 + _SLACK_MINUTES,
        files=", ".join(f"`values-{name}.yaml`" for name in values),
        secrets=_table(("Secret", "Key", "Read by", "In"), _secrets(values)),
        values=_values(),
        differences=_table(
            ("Object", "What", "Why"),
            ((f"`{one.objects}`", one.what, one.why) for one in DIFFERENCES),
        ),
    )


def _longest_migration(values: Mapping[str, Values]) -> int:
    return max(one.migration.active_deadline_seconds for one in values.values())


def _secrets(values: Mapping[str, Values]) -> Iterator[tuple[str, ...]]:
    readers: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    for environment, one in values.items():
        common = one.defaults.secrets or {}
        pods: dict[str, PodValues] = {n: s for n, s in one.schedules.items() if s is not None}
        pods["the migration"] = one.migration
        for name, pod in pods.items():
            for secret in {**common, **(pod.secrets or {})}.values():
                if secret:
                    place = (secret.secret_name, secret.key)
                    who, where = readers.setdefault(place, (set(), set()))
                    who.add(name)
                    where.add(environment)
    schedules = {name for one in values.values() for name in one.schedules}
    for (secret_name, key), (who, where) in sorted(readers.items()):
        told = ", ".join(sorted(who))
        if who >= schedules:
            told = "all schedules" + ", the migration" * (who > schedules)
        yield f"`{secret_name}`", f"`{key}`", told, ", ".join(sorted(where))


def _values() -> str:
    parts = [_table(("Value", "Default", "Meaning"), _rows(Values, ""))]
    parts.append("Of each schedule, below `schedules.<name>`; those without a default are wanted:")
    parts.append(_table(("Value", "Default", "Meaning"), _rows(ScheduleValues, "")))
    parts.append("Below `migration`, beside what any pod may be given (`resources`, `secrets`, …):")
    own = {name for name in MigrationValues.model_fields if name not in PodValues.model_fields}
    parts.append(_table(("Value", "Default", "Meaning"), _rows(MigrationValues, "", own)))
    return "\n\n".join(parts)


def _rows(
    model: type[Part], path: str, only: set[str] | None = None
) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        if only is not None and name not in only:
            continue
        key = f"{path}{field.alias or name}"
        inner = _model(field.annotation)
        yield f"`{key}`", _default(field), _told(field, inner)
        if inner is not None and inner not in (MigrationValues,):
            yield from _rows(inner, f"{key}.")


def _model(annotation: Any) -> type[Part] | None:
    """The model that a value is, where it is one; not those that a map or a list holds."""
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, Part) else None
    origin = getattr(annotation, "__origin__", None)
    if origin in (dict, list):
        return None
    return next((made for one in get_args(annotation) if (made := _model(one))), None)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None or isinstance(default, Part):
        return ""
    return f"`{json.dumps(default)}`"


def _told(field: FieldInfo, inner: type[Part] | None) -> str:
    told = field.description or (inner.__doc__ if inner else None) or ""
    return " ".join(told.replace("``", "`").split()).replace("|", "\\|")


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

"""The PrometheusRule: what a run cannot report itself.

A run that fails tells so itself. Nobody tells of one that was missed, does not end, or died
before it could say anything; here Prometheus does, from what runs push and what
kube-state-metrics sees of CronJobs and Jobs. docs/alerts.md says what to do.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from itertools import groupby

from cronops.durations import format_duration
from cronops.owners import SHARED_OPS
from cronops.schedules.declarations import Declaration
from cronops.schedules.model import Template
from cronops.schedules.render.alert_queries import NO_PUSHGATEWAY, InEnvironment, OfSchedule
from cronops.schedules.render.alert_times import (
    longest_silence,
    missed_after,
    overlong_after,
    pending_after,
    unstarted_after,
)
from cronops.schedules.render.job import pairs
from cronops.schedules.render.labels import common_labels, slug
from cronops.schedules.render.migration import job_names
from cronops.schedules.render.quoting import Verbatim
from cronops.schedules.render.texts import fill
from cronops.schedules.resolve import ResolvedEnvironment, ResolvedSchedule, variables

MOST = 60
"""Schedules in one object: the operator takes half a megabyte of rules at most."""
_DEFAULT_SEVERITY = "warning"
PUSHGATEWAY = frozenset({"CRONOPS_PUSHGATEWAY_URL", "CRONOPS_PUSHGATEWAY_URL_FILE"})
REPORTING = PUSHGATEWAY | {"CRONOPS_METRICS_TEXTFILE"}
_VALUE = "{{ $value | humanizeDuration }}"
# A brace at the end might meet the ones of a template behind it.
_BRACES = re.compile(r"\{{2,}|\{$")


@dataclass(frozen=True)
class Recording:
    """A rule that makes a series of others."""

    record: str
    query: str


@dataclass(frozen=True)
class Alert:
    """A rule that tells somebody; the values of labels and annotations are Go templates."""

    name: str
    query: str
    hold: str | None
    """How long the query must have held."""
    labels: Verbatim
    owners: Verbatim
    """Annotations, as YAML, that name the owners."""
    summary: str
    description: str

    @property
    def runbook(self) -> str:
        """Where it is said what to do."""
        return f"docs/alerts.md#{self.name.lower()}"


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated together, in this order, every minute."""

    name: str
    alerts: Sequence[Alert]
    recordings: Sequence[Recording] = ()


def render_alerts(environment: ResolvedEnvironment) -> dict[str, str]:
    """The files of ``alerts/``: a kustomization of its own, for not every cluster has the kind."""
    names = {"environment": environment.name, "namespace": environment.namespace}
    rules = fill(
        "prometheus-rule.yaml.j2",
        objects=list(_objects(environment)),
        generator=f"cronops {environment.declarations.version}",
        **names,
    )
    return {
        "alerts/kustomization.yaml": fill("alerts-kustomization.yaml.j2", **names) + "\n",
        "alerts/prometheus-rule.yaml": rules + "\n",
    }


def watched(environment: ResolvedEnvironment) -> list[ResolvedSchedule]:
    """The schedules that run by the clock there."""
    return [one for one in environment.schedules if one.standstill is None and one.period]


def _objects(environment: ResolvedEnvironment) -> Iterator[dict[str, object]]:
    name = f"{environment.said.name_prefix}cronops"
    said_labels = {key: said for key, said in environment.common.labels.items() if said is not None}
    labels = pairs(said_labels | common_labels(environment, environment.common))
    schedules = sorted(watched(environment), key=lambda one: (_topic(one), one.name))
    for number, start in enumerate(range(0, max(len(schedules), 1), MOST), 1):
        groups = list(_groups(environment, schedules[start : start + MOST]))
        if number == 1 and environment.schedules:
            groups.insert(0, _common_group(environment, is_anything_watched=bool(schedules)))
        yield {
            "name": name if number == 1 else f"{name}-{number}",
            "labels": labels,
            "groups": groups,
        }


def _topic(schedule: ResolvedSchedule) -> str:
    job = schedule.declaration.job if schedule.declaration else schedule.entry.command
    return job.split()[0]


def _groups(
    environment: ResolvedEnvironment, schedules: Iterable[ResolvedSchedule]
) -> Iterator[Group]:
    for topic, same in groupby(schedules, _topic):
        alerts = [alert for one in same for alert in _alerts(environment, one)]
        yield Group(f"cronops-{topic}", alerts)


def _common_group(environment: ResolvedEnvironment, *, is_anything_watched: bool) -> Group:
    queries = InEnvironment(environment.name, environment.namespace)
    recorded = queries.recordings().items() if is_anything_watched else ()
    return Group(
        "cronops",
        [*_blind(environment, queries), _migration_failed(environment, queries)],
        [Recording(name, query) for name, query in recorded],
    )


def _blind(environment: ResolvedEnvironment, queries: InEnvironment) -> Iterator[Alert]:
    sources = {"kube-state-metrics": queries.unseen()}
    if any(_has(one.template, PUSHGATEWAY) for one in environment.schedules):
        sources["pushgateway"] = NO_PUSHGATEWAY
    for source, query in sources.items():
        where = f"cronops, {literal(environment.name)}"
        yield Alert(
            "CronopsBlind",
            query,
            "15m",
            pairs(
                {
                    **_place(environment, environment.common),
                    "source": source,
                    "responsible": slug(SHARED_OPS),
                }
            ),
            pairs({"responsible": SHARED_OPS}),
            f"{where}: Prometheus sees nothing of {source}",
            "Missed, overlong and unrecorded runs may go unnoticed until it does again.",
        )


def _migration_failed(environment: ResolvedEnvironment, queries: InEnvironment) -> Alert:
    place = _place(environment, environment.common)
    return Alert(
        "CronopsMigrationFailed",
        queries.migration_failed(*job_names(environment)),
        None,
        pairs({**place, "responsible": slug(SHARED_OPS)}),
        pairs({"responsible": SHARED_OPS}),
        f"cronops, {literal(environment.name)}: the tables were not upgraded",
        f"The Job of the migration that began {_VALUE} ago has failed, and is not tried again.",
    )


def _alerts(environment: ResolvedEnvironment, schedule: ResolvedSchedule) -> Iterator[Alert]:
    is_reported = _has(schedule.template, REPORTING)
    queries = OfSchedule(
        environment.name, environment.namespace, schedule.name, schedule.cronjob, is_reported
    )
    labels = _labels(environment, schedule)
    owners = _owners(schedule.declaration)
    where = literal(f"{schedule.name}, {environment.name}")
    cronjob = literal(schedule.cronjob)

    def alert(name: str, query: str, hold: str | None, summary: str, description: str) -> Alert:
        return Alert(name, query, hold, labels, owners, f"{where}: {summary}", description)

    silence, limit, late = (
        longest_silence(schedule),
        missed_after(schedule),
        unstarted_after(schedule),
    )
    zone = schedule.template.time_zone or "UTC"
    cadence = literal(f'"{schedule.expression}" in {zone}')
    yield alert(
        "CronopsRunMissed",
        queries.missed(limit),
        "5m",
        f"no good run for {_VALUE}",
        f"{literal(f'cronops {schedule.entry.command}')} runs at {cadence}: there are at most "
        f"{_words(silence)} between two runs, and {_words(limit)} between two good ones.",
    )
    yield alert(
        "CronopsRunNotStarted",
        queries.unstarted(late, silence, zone),
        "10m",
        "Kubernetes did not start its run",
        f"CronJob {cronjob} ({cadence}) has started no Job within {_words(late)} of a run's time, "
        "or the CronJob is not there.",
    )
    overlong = overlong_after(schedule)
    if overlong is not None:
        yield alert(
            "CronopsRunOverlong",
            queries.overlong(overlong),
            None,
            f"a run has not ended for {_VALUE}",
            f"A Job of CronJob {cronjob} has taken longer than one pod may ({_words(overlong)}). "
            f"Kubernetes kills it after {_words(schedule.active_deadline)}.",
        )
    waited = pending_after(schedule)
    yield alert(
        "CronopsRunPending",
        queries.pending(waited),
        None,
        f"a pod has waited for {_VALUE} to start",
        f"A pod of CronJob {cronjob} may wait for {_words(waited)}. Its Job gives up "
        f"{_words(schedule.active_deadline)} after it began; until then it may hold up the next.",
    )
    if is_reported:
        yield alert(
            "CronopsRunUnrecorded",
            queries.unrecorded(),
            "5m",
            "a Job failed and no run said why",
            f"A Job of CronJob {cronjob} has failed. It, or its last pod, began {_VALUE} ago, and "
            "no failed run has been reported since. Nobody else may have been told.",
        )


def _labels(environment: ResolvedEnvironment, schedule: ResolvedSchedule) -> Verbatim:
    labels = _place(environment, schedule.template)
    labels |= {"schedule": literal(schedule.name), "cr": literal(schedule.entry.cr)}
    declared = schedule.declaration
    if declared is not None:
        labels["responsible"] = slug(declared.responsible)
        labels["accountable"] = "_".join(slug(owner) for owner in declared.accountable)
    return pairs(labels)


def _place(environment: ResolvedEnvironment, template: Template) -> dict[str, str]:
    return {
        "severity": template.severity or _DEFAULT_SEVERITY,
        "environment": literal(environment.name),
        "namespace": literal(environment.namespace),
    }


def _owners(declared: Declaration | None) -> Verbatim:
    if declared is None:
        return Verbatim()
    owners = {"responsible": declared.responsible, "accountable": ", ".join(declared.accountable)}
    return pairs({role: literal(names) for role, names in owners.items()})


def literal(said: str) -> str:
    """Text that Prometheus, which fills in Go templates, gives back as it is."""
    return _BRACES.sub(lambda braces: '{{ "' + braces[0] + '" }}', said)


def _has(template: Template, names: frozenset[str]) -> bool:
    files = (secret.env for secret in template.secrets.values() if secret is not None)
    return not names.isdisjoint({*variables(template), *files})


@lru_cache(maxsize=1024)
def _words(seconds: int) -> str:
    return format_duration(timedelta(seconds=seconds))

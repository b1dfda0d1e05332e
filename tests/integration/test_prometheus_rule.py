"""The alerts that are rendered, judged by Prometheus itself: promtool checks and runs them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from cronops.cli.declared import InstalledJobs
from cronops.schedules.render.alert_queries import (
    FAILED_START,
    PENDING_SINCE,
    UNFINISHED_SINCE,
    WATCHED_SINCE,
)
from cronops.schedules.render.alerts import render_alerts, watched
from cronops.schedules.resolve import ResolvedEnvironment, ResolvedSchedule, resolve
from cronops.schedules.source import read_source
from cronops.schedules.structure import read_document
from tests.integration.alert_scenes import (
    MISSED,
    NAMES,
    OVERLONG,
    PENDING,
    UNRECORDED,
    UNSTARTED,
    Scenes,
)
from tests.integration.cluster_story import Run
from tests.integration.rule_tester import Groups, Promtool, named
from tests.tools import promtool
from tests.unit.schedules.builders import DECLARED, environment, jobs

ROOT = Path(__file__).parents[2]
PUSHES = {"CRONOPS_PUSHGATEWAY_URL": "http://pushgateway:9091"}
STRANGE = 'Ünï\u2603 "quoted" \\ {{ $labels.job }} {{{ }} {'
BLIND = "CronopsBlind"


def committed() -> Iterator[ResolvedEnvironment]:
    source = read_source((ROOT / "schedules.yaml").read_bytes())
    document = read_document(source)
    declarations = InstalledJobs()
    for name in document.environments:
        yield resolve(document, name, declarations)


def synthetic() -> ResolvedEnvironment:
    """Schedules of every kind, among them two that must not be told of."""
    known = jobs(
        DECLARED,
        replace(DECLARED, job="queue process", timeout=3600, lock_wait=60),
        replace(DECLARED, job="once only", retry_safe=False, timeout=7),
        replace(DECLARED, job="no end", timeout=None),
        replace(DECLARED, job="many owners", accountable=("Webshop Admin", STRANGE)),
    )
    said = {"namespace": "stg", "namePrefix": "s-", "labels": {"release": "monitoring"}}
    return environment(
        {"name": "hourly", "schedule": "17 * * * *"},
        {"name": "minutely", "command": "queue process", "schedule": "* * * * *"},
        {"name": "daily", "schedule": "20 3 * * *", "severity": "critical"},
        {"name": "weekdays", "schedule": "*/15 6-22 * * 1-5", "timeZone": "America/New_York"},
        {"name": "monthly", "schedule": "0 4 1 * *", "timeZone": "UTC"},
        {"name": "sharded", "command": "queue process", "schedule": "*/10 * * * *", "shards": 4},
        {"name": "at-once", "command": "once only", "schedule": "*/5 * * * *"},
        {"name": "endless", "command": "no end", "schedule": "@hourly"},
        {"name": "owned", "command": "many owners", "schedule": "30 * * * *", "cr": STRANGE},
        {"name": "x" * 80, "schedule": "11 */2 * * *"},
        {"name": "quiet", "schedule": "5 * * * *", "env": {"CRONOPS_PUSHGATEWAY_URL": None}},
        {"name": "by-hand", "schedule": None, "manual": True},
        {"name": "stopped", "suspend": {"until": "2099-01-01", "by": "ops", "why": "moving"}},
        known=known,
        name="staging",
        environments={"staging": {**said, "env": PUSHES}},
    )


ENVIRONMENTS = {one.name: one for one in committed()}
SYNTHETIC = synthetic()
EVERY = [*ENVIRONMENTS.values(), SYNTHETIC]


def told_apart() -> Iterator[tuple[ResolvedEnvironment, ResolvedSchedule]]:
    """Every watched schedule; of those that two environments run alike, the first.

    A story takes promtool ten seconds: it is told once for each set of times and limits.
    """
    seen = set()
    for one in EVERY:
        for schedule in watched(one):
            limits = (schedule.starting_deadline, schedule.active_deadline, schedule.shards)
            alike = (schedule.name, schedule.expression, schedule.template.time_zone, limits)
            if alike not in seen:
                seen.add(alike)
                yield one, schedule


WATCHED = list(told_apart())
IDS = [f"{one.name}-{schedule.name[:20]}" for one, schedule in WATCHED]


def objects_of(one: ResolvedEnvironment) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(render_alerts(one)["alerts/prometheus-rule.yaml"]))


def groups_of(one: ResolvedEnvironment, schedule: str | None = None) -> Groups:
    """The groups of all objects, as Prometheus takes them; of one schedule, where it is named."""
    groups = [group for rule in objects_of(one) for group in rule["spec"]["groups"]]
    if schedule is not None:
        for group in groups:
            group["rules"] = [
                rule
                for rule in group["rules"]
                if rule["labels"].get("schedule", schedule) == schedule
            ]
    return [group for group in groups if group["rules"]]


@pytest.fixture
def prometheus(tmp_path: Path) -> Promtool:
    return Promtool(promtool(), tmp_path)


@pytest.mark.parametrize("one", EVERY, ids=lambda one: f"{one.name}-{len(one.schedules)}")
def test_prometheus_takes_the_rules(prometheus: Promtool, one: ResolvedEnvironment) -> None:
    assert prometheus.check(groups_of(one)) == ""


@pytest.mark.parametrize(("one", "schedule"), WATCHED, ids=IDS)
def test_each_schedule_is_told_of_when_it_should_be(
    prometheus: Promtool, one: ResolvedEnvironment, schedule: ResolvedSchedule
) -> None:
    scenes = Scenes(one, schedule)

    wrong = prometheus.test(
        groups_of(one, schedule.name), scenes.all() if one is SYNTHETIC else scenes.main()
    )

    assert not wrong, wrong


HOURLY = next(schedule for schedule in watched(SYNTHETIC) if schedule.name == "hourly")


def test_two_replicas_of_kube_state_metrics_are_as_good_as_one(prometheus: Promtool) -> None:
    scenes = Scenes(SYNTHETIC, HOURLY, replicas=2).all()

    assert prometheus.test(groups_of(SYNTHETIC, "hourly"), scenes) == ""


# In which rule's query what is changed, and which story then goes otherwise.
CHANGES = [
    (MISSED, r"> 6660", "> 6360", "the controller stops"),
    (MISSED, r"> 6660", "> 6960", "the controller stops"),
    (UNSTARTED, r"> 1860", "> 1560", "the controller stops"),
    (UNSTARTED, r"> 1860", "> 2160", "the controller stops"),
    (OVERLONG, r"> 400", "> 280", "a run ends in time"),
    (OVERLONG, r"> 400", "> 520", "a run does not end"),
    (MISSED, r'environment="staging",schedule="hourly"', "", "the controller stops"),
    (MISSED, r'environment="staging",schedule', "schedule", "the controller stops"),
    (MISSED, r'namespace="stg",cronjob', "cronjob", "the controller stops"),
    (OVERLONG, r',cronjob="s-hourly"', "", "a run ends in time"),
    (MISSED, r"or kube_cronjob_status_last_successful_time\S+", "", "skipped for good"),
    (MISSED, r"cronops_last_success\S+\s+or", "", "only pushes are seen"),
    (MISSED, r"or cronops:\S+", "or kube_pod_info", "never a success"),
    (MISSED, r"unless on \(cronjob\) \(.*\)", "", "suspended against the file"),
    (UNSTARTED, r"unless max\(.*\) > 0", "", "a run holds up the next"),
    (UNSTARTED, r"> 5460", "> 0", "resumed after long"),
    (UNSTARTED, r',timezone="[^"]*"', "", "the schedule is read in no zone"),
    (UNSTARTED, r"absent\(", "(", "no such CronJob"),
    (UNRECORDED, r"cronops_last_failure\S+\s+or", "", "it fails and says so"),
    (UNRECORDED, r"or kube_cronjob\S+", "", "it dies without a word"),
    (UNRECORDED, r"or vector\(0\)", "", "another shard succeeds"),
    (UNRECORDED, "cronops_last_failure", "cronops_last_success", "another shard succeeds"),
    (UNFINISHED_SINCE, r"unless on \(job_name\) \(.*\)", "", "a run does not end"),
    (UNFINISHED_SINCE, r"^min", "max", "a run does not end"),
    (PENDING, r"> 300", "> 240", "a pod starts in time"),
    (PENDING, r"> 300", "> 360", "a pod waits"),
    (PENDING, r',cronjob="s-hourly"', "", "a pod starts in time"),
    (PENDING_SINCE, r"and on \(pod\) \(.*\)", "", "a pod starts in time"),
    (PENDING_SINCE, r'phase="Pending"', 'phase="Running"', "a pod waits"),
    (PENDING_SINCE, r"^min", "max", "a pod waits"),
    (PENDING_SINCE, r"^  min", "  max", "a pod waits"),
    (FAILED_START, r"and on \(job_name\) \(.*\)", "", "a run does not end"),
    (FAILED_START, "kube_pod_created", "kube_pod_info", "only its last pod dies without a word"),
    (FAILED_START, 'phase="Failed"', 'phase="Running"', "only its last pod dies without a word"),
    (FAILED_START, r"\(kube_job_status.*\n +or ", "(", "its pods are not seen"),
    (WATCHED_SINCE, r"\* time\(\)", "* 0", "resumed after long"),
    (WATCHED_SINCE, r"== 1\)\) \* time", "== 2)) * time", "resumed after long"),
]


@pytest.mark.parametrize(("rule", "pattern", "instead", "title"), CHANGES)
def test_a_wrong_query_is_noticed(
    prometheus: Promtool, rule: str, pattern: str, instead: str, title: str
) -> None:
    groups = groups_of(SYNTHETIC, "hourly")
    changed = named(groups, rule)
    changed["expr"], count = re.subn(pattern, instead, changed["expr"], flags=re.M)
    assert count
    wrong = prometheus.test(groups, [Scenes(SYNTHETIC, HOURLY).titled(title)])

    assert "FAILED" in wrong
    assert "error" not in wrong


@pytest.mark.parametrize(
    ("rule", "title"),
    [
        (MISSED, "the controller stops"),
        (UNSTARTED, "the controller stops"),
        (OVERLONG, "a run does not end"),
        (PENDING, "a pod waits"),
        (UNRECORDED, "it dies without a word"),
    ],
)
def test_another_hold_is_noticed(prometheus: Promtool, rule: str, title: str) -> None:
    scene = Scenes(SYNTHETIC, HOURLY).titled(title)
    groups = groups_of(SYNTHETIC, "hourly")
    named(groups, rule)["for"] = "15m"

    assert "FAILED" in prometheus.test(groups, [scene])


def test_an_alert_says_whose_it_is_and_gives_texts_back_as_they_are(prometheus: Promtool) -> None:
    groups = groups_of(SYNTHETIC, "owned")
    overlong = named(groups, OVERLONG)
    told = {
        "exp_labels": {
            "severity": "warning",
            "environment": "staging",
            "namespace": "stg",
            "schedule": "owned",
            "cr": STRANGE,
            "responsible": "shared-ops",
            "accountable": "webshop-admin_n-quoted-labels.job",
        },
        "exp_annotations": {
            "summary": "owned, staging: a run has not ended for 7m 0s",
            "description": "A Job of CronJob s-owned has taken longer than one pod may (6m 40s). "
            "Kubernetes kills it after 21m.",
            "responsible": "Shared Ops",
            "accountable": f"Webshop Admin, {STRANGE}",
            "runbook": "docs/alerts.md#cronopsrunoverlong",
        },
    }
    assert overlong["annotations"]["accountable"] != told["exp_annotations"]["accountable"]
    story = Scenes(SYNTHETIC, HOURLY).story(1800).with_(cronjob="s-owned", runs=(Run(600, None),))

    checks = [{"eval_time": "1020s", "alertname": OVERLONG, "exp_alerts": [told]}]

    assert prometheus.test_alerts(groups, story, checks) == ""


@pytest.mark.parametrize(
    ("unseen", "sources"),
    [
        ((), []),
        (("kube_",), ["kube-state-metrics"]),
        (("pushgateway_", "cronops_"), ["pushgateway"]),
        (("kube_", "pushgateway_", "cronops_"), ["kube-state-metrics", "pushgateway"]),
    ],
)
def test_what_is_not_seen_is_told_once_for_the_environment(
    prometheus: Promtool, unseen: tuple[str, ...], sources: list[str]
) -> None:
    production = ENVIRONMENTS["production"]
    story = Scenes(SYNTHETIC, HOURLY).story(3600).with_(namespace="cronops", unseen=unseen)
    told = [
        {
            "exp_labels": {
                "severity": "critical",
                "environment": "production",
                "namespace": "cronops",
                "source": source,
                "responsible": "shared-ops",
            },
            "exp_annotations": {
                "summary": f"cronops, production: Prometheus sees nothing of {source}",
                "description": "Missed, overlong and unrecorded runs may go unnoticed until it "
                "does again.",
                "responsible": "Shared Ops",
                "runbook": "docs/alerts.md#cronopsblind",
            },
        }
        for source in sources
    ]
    checks = [
        {"eval_time": "840s", "alertname": BLIND, "exp_alerts": []},
        {"eval_time": "900s", "alertname": BLIND, "exp_alerts": told},
    ]

    assert prometheus.test_alerts(groups_of(production), story, checks) == ""


def test_all_schedules_together_are_quiet_where_nothing_is_seen(prometheus: Promtool) -> None:
    story = Scenes(SYNTHETIC, HOURLY).story(2 * 86400, unseen=("kube_", "pushgateway_", "cronops_"))
    checks = [
        {"eval_time": f"{story.lasts}s", "alertname": name, "exp_alerts": []} for name in NAMES
    ]

    assert prometheus.test_alerts(groups_of(SYNTHETIC), story, checks) == ""

"""What is rendered as alerts, without Prometheus; tests/integration has it run them."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from cronops.contract import metrics
from cronops.schedules.render import alert_queries, render
from cronops.schedules.render.alert_times import longest_silence, overlong_after, pending_after
from cronops.schedules.render.alerts import MOST, literal, render_alerts
from cronops.schedules.resolve import ResolvedEnvironment, shortened
from tests.unit.schedules.builders import DECLARED, environment, jobs, schedule

ROOT = Path(__file__).parents[3]
HOUR, DAY = 3600, 86400
STAGING = {"namespace": "staging", "namePrefix": "stg-"}
PUSHES = {"CRONOPS_PUSHGATEWAY_URL": "http://pushgateway:9091"}
ALL = [
    "CronopsRunMissed",
    "CronopsRunNotStarted",
    "CronopsRunOverlong",
    "CronopsRunPending",
    "CronopsRunUnrecorded",
]


def objects(one: ResolvedEnvironment) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(render_alerts(one)["alerts/prometheus-rule.yaml"]))


def alerts(one: ResolvedEnvironment, name: str | None = None) -> list[str]:
    """The names of a schedule's alerts, or of those that no schedule has."""
    return [
        rule["alert"]
        for made in objects(one)
        for group in made["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule and rule["labels"].get("schedule") == name
    ]


def test_a_schedule_has_its_alerts() -> None:
    assert alerts(environment({"env": PUSHES}), "stock-export") == ALL


def test_without_metrics_nobody_can_say_whether_a_failure_was_recorded() -> None:
    made = environment({})

    assert alerts(made, "stock-export") == ALL[:-1]
    assert alerts(made) == ["CronopsBlind", "CronopsMigrationFailed"]
    assert "cronops_last_" not in render_alerts(made)["alerts/prometheus-rule.yaml"]


def test_a_job_without_a_timeout_cannot_be_overlong() -> None:
    made = environment({"env": PUSHES}, known=jobs(replace(DECLARED, timeout=None)))

    assert alerts(made, "stock-export") == [*ALL[:2], *ALL[3:]]


@pytest.mark.parametrize(
    "still",
    [
        {"provisional": True},
        {"suspend": True},
        {"manual": True, "schedule": None},
        {"schedule": "0 0 31 2 *"},
    ],
)
def test_what_stands_still_has_none(still: dict[str, Any]) -> None:
    made = environment({"env": PUSHES, **still})

    assert alerts(made, "stock-export") == []
    assert alerts(made) == ["CronopsBlind", "CronopsBlind", "CronopsMigrationFailed"]


@pytest.mark.parametrize("prefix", ["", "a.b-", "x" * 40 + "-", "x" * 60 + "-"])
def test_the_migration_is_found_by_its_name(prefix: str) -> None:
    said = {"namespace": "staging", "namePrefix": prefix}
    made = environment({}, name="staging", environments={"staging": said})
    (name,) = re.findall(r"^kind: Job\nmetadata:\n  name: (\S+)$", rendered(made), re.M)
    found = re.search(r'job_name=~"([^"]+)"', render_alerts(made)["alerts/prometheus-rule.yaml"])

    assert found
    assert re.fullmatch(found[1], name)
    assert re.fullmatch(found[1], shortened(f"{prefix}cronops-migration", 63))
    assert not re.fullmatch(found[1], f"{name}0")
    assert "." not in name or not re.fullmatch(found[1], name.replace(".", "x"))


def rendered(one: ResolvedEnvironment) -> str:
    return render(one, b"")["migration.yaml"]


def test_without_schedules_there_is_nothing_to_watch() -> None:
    (made,) = objects(environment({}, schedules=[]))

    assert made["spec"] == {"groups": []}


def test_the_object_carries_the_labels_that_the_operator_looks_for() -> None:
    said = {**STAGING, "labels": {"release": "kube-prometheus-stack"}}
    (made,) = objects(environment({}, name="staging", environments={"staging": said}))

    assert (made["apiVersion"], made["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert made["metadata"] == {
        "name": "stg-cronops",
        "namespace": "staging",
        "labels": {
            "app.kubernetes.io/name": "cronops",
            "app.kubernetes.io/instance": "staging",
            "app.kubernetes.io/part-of": "cronops",
            "app.kubernetes.io/managed-by": "cronops",
            "app.kubernetes.io/version": "0.1.0",
            "release": "kube-prometheus-stack",
        },
        "annotations": {"cronops/generated-by": "cronops 0.1.0"},
    }


def test_the_kustomization_names_the_file() -> None:
    files = render_alerts(environment({}))
    kustomization = yaml.safe_load(files["alerts/kustomization.yaml"])

    assert sorted(files) == ["alerts/kustomization.yaml", "alerts/prometheus-rule.yaml"]
    assert kustomization["resources"] == ["prometheus-rule.yaml"]


def test_many_schedules_are_spread_over_objects_that_the_operator_takes() -> None:
    names = [f"{'stock-export-' * 3}{number}" for number in range(MOST * 2 + 1)]
    made = objects(environment(*({"name": name, "env": PUSHES} for name in names)))
    texts = render_alerts(environment(*({"name": name, "env": PUSHES} for name in names)))
    documents = texts["alerts/prometheus-rule.yaml"].split("\n---\n")

    assert [one["metadata"]["name"] for one in made] == ["cronops", "cronops-2", "cronops-3"]
    assert max(len(one.encode()) for one in documents) < 500_000
    assert "cronops" not in [group["name"] for one in made[1:] for group in one["spec"]["groups"]]
    told = [
        rule["labels"]["schedule"]
        for one in made
        for group in one["spec"]["groups"]
        for rule in group["rules"]
        if rule.get("alert") == ALL[0]
    ]
    assert sorted(told) == sorted(names)


def test_the_metrics_are_those_that_runs_report() -> None:
    assert alert_queries.LAST_SUCCESS == metrics.LAST_SUCCESS
    assert alert_queries.LAST_FAILURE == metrics.LAST_FAILURE


def test_every_runbook_is_there() -> None:
    page = (ROOT / "docs/alerts.md").read_text()
    headings = {f"docs/alerts.md#{one.lower()}" for one in re.findall(r"^## (\S+)$", page, re.M)}
    text = render_alerts(environment({"env": PUSHES}))["alerts/prometheus-rule.yaml"]
    runbooks = set(re.findall(r'runbook: "?([^"\n]+)', text))

    assert len(runbooks) == len(ALL) + 2
    assert runbooks <= headings


@pytest.mark.parametrize(
    ("expression", "zone", "longest"),
    [
        ("* * * * *", "Europe/Brussels", 60),
        ("17 * * * *", "Europe/Brussels", HOUR),
        ("20 3 * * *", "UTC", DAY),
        ("20 3 * * *", "Europe/Brussels", DAY + HOUR),
        # Spring passes over 02:30: from Saturday to Monday, less the hour that is lost.
        ("30 2 * * *", "Europe/Brussels", 2 * DAY - HOUR),
        ("0 */2 * * *", "Europe/Brussels", 3 * HOUR),
        # In Cairo midnight is skipped, and the day may be with it.
        ("0 9 * * *", "Africa/Cairo", 2 * DAY - HOUR),
        ("0 9 * * 1-5", "Europe/Brussels", 3 * DAY + HOUR),
        ("0 * * * *", "Australia/Lord_Howe", HOUR + HOUR // 2),
        ("0 4 1 * *", "UTC", 31 * DAY),
    ],
)
def test_the_longest_silence_allows_for_clock_changes(
    expression: str, zone: str, longest: int
) -> None:
    assert longest_silence(schedule(schedule=expression, timeZone=zone)) == longest


@pytest.mark.parametrize(
    ("said", "declared", "seconds"),
    [
        # timeout, 40 s to stop, a minute to start
        ({}, {}, 300 + 40 + 60),
        ({}, {"lock_wait": 100}, 100 + 300 + 40 + 60),
        ({"startupSeconds": 200}, {}, 300 + 40 + 200),
        # two minutes before the deadline of 420 s, but not before the run may have ended
        ({}, {"retry_safe": False}, 300),
        ({"activeDeadlineSeconds": 480}, {}, 360),
    ],
)
def test_overlong_comes_before_the_deadline(
    said: dict[str, Any], declared: dict[str, Any], seconds: int
) -> None:
    assert overlong_after(schedule(jobs(replace(DECLARED, **declared)), **said)) == seconds


@pytest.mark.parametrize(("startup", "seconds"), [(60, 300), (600, 600)])
def test_a_pod_may_wait_as_long_as_it_may_take_to_start(startup: int, seconds: int) -> None:
    assert pending_after(schedule(startupSeconds=startup)) == seconds


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("plain {one} }}", "plain {one} }}"),
        ("{{ $value }}", '{{ "{{" }} $value }}'),
        ("{{{", '{{ "{{{" }}'),
        ("ends {", 'ends {{ "{" }}'),
    ],
)
def test_texts_do_not_become_templates(said: str, written: str) -> None:
    assert literal(said) == written


def test_strings_of_queries_are_escaped() -> None:
    assert alert_queries.text('a"b\\c\n\u00fc\U0001f600') == (
        '"a\\"b\\\\c\\U0000000a\\U000000fc\\U0001f600"'
    )

"""The alert on migrations that failed, judged by Prometheus itself."""

import re
from pathlib import Path

import pytest

from tests.integration.alert_scenes import Scenes
from tests.integration.cluster_story import Run
from tests.integration.rule_tester import Groups, Promtool, filled_in, named
from tests.integration.test_prometheus_rule import HOURLY, SYNTHETIC, groups_of
from tests.tools import promtool

NAME = "CronopsMigrationFailed"
CHART = "s-cronops-migration"
OURS, LATER = f"{CHART}-h0123456789", f"{CHART}-habcdef0123"
FAILS, SUCCEEDS = Run(600, 900, "died"), Run(1800, 2400)
STORIES = {
    "it fails": ([(OURS, FAILS)], {840: None, 900: 600, 3600: 600}),
    "the chart's fails": ([(CHART, FAILS)], {840: None, 900: 600, 3600: 600}),
    "another succeeds later": (
        [(OURS, FAILS), (LATER, SUCCEEDS)],
        {2340: 600, 2400: None, 3600: None},
    ),
    "one succeeded before": (
        [(OURS, Run(60, 120)), (LATER, FAILS)],
        {840: None, 900: 600, 3600: 600},
    ),
    "it succeeds": ([(OURS, SUCCEEDS)], {1800: None, 2400: None}),
    "it goes on": ([(OURS, Run(600, None))], {660: None, 3600: None}),
    "another Job fails": (
        [(f"{OURS}-too", FAILS), (f"x{OURS}", FAILS), (f"{CHART}-too", FAILS)],
        {900: None, 3600: None},
    ),
}


def told(directory: Path, groups: Groups, title: str, namespace: str = "stg") -> str:
    """What Prometheus finds wrong in the story of that title."""
    migrations, expected = STORIES[title]
    story = Scenes(SYNTHETIC, HOURLY).story(3600)
    story = story.with_(migrations=tuple(migrations), namespace=namespace)
    rule = named(groups_of(SYNTHETIC, "hourly"), NAME)
    checks = [
        {
            "eval_time": f"{time}s",
            "alertname": NAME,
            "exp_alerts": [] if since is None else [filled_in(rule, time - since)],
        }
        for time, since in expected.items()
    ]
    return Promtool(promtool(), directory).test_alerts(groups, story, checks)


@pytest.mark.parametrize("title", STORIES)
def test_a_failed_migration_is_told_of(tmp_path: Path, title: str) -> None:
    assert told(tmp_path, groups_of(SYNTHETIC, "hourly"), title) == ""


@pytest.mark.parametrize(
    ("pattern", "instead", "title"),
    [
        (r"\(kube_job_failed.*\)", "kube_job_status_start_time", "it goes on"),
        (r"and on \(job_name\) \(kube_job_complete.*\)", "", "it fails"),
        (r"kube_job_complete", "kube_job_info", "another succeeds later"),
        (r"or vector\(0\)", "", "it fails"),
        (r",job_name=~\"[^\"]*\"", "", "another Job fails"),
        (r"-h\[0-9a-f\]\{10\}", "", "it fails"),
        (r"s-cronops-migration\|", "", "the chart's fails"),
    ],
)
def test_a_wrong_query_is_noticed(tmp_path: Path, pattern: str, instead: str, title: str) -> None:
    groups = groups_of(SYNTHETIC, "hourly")
    rule = named(groups, NAME)
    rule["expr"], count = re.subn(pattern, instead, rule["expr"])
    assert count
    wrong = told(tmp_path, groups, title)

    assert "FAILED" in wrong
    assert "error" not in wrong


def test_one_that_fails_elsewhere_is_not_told_of_here(tmp_path: Path) -> None:
    wrong = told(tmp_path, groups_of(SYNTHETIC, "hourly"), "it fails", namespace="elsewhere")

    assert "got:[]" in wrong

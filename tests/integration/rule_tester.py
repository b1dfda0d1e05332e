"""Prometheus' own tester of rules, driven by stories."""

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.integration.alert_scenes import Scene
from tests.integration.cluster_story import Story

Groups = list[dict[str, Any]]


@dataclass(frozen=True)
class Promtool:
    """Runs what it is given in a directory of its own; answers what is wrong, or nothing."""

    path: str
    directory: Path

    def check(self, groups: Groups) -> str:
        self._write("rules.yaml", {"groups": groups})
        return self._run("check", "rules", "--lint=all", "--lint-fatal", "rules.yaml")

    def test(self, groups: Groups, scenes: Iterable[Scene]) -> str:
        self._write("rules.yaml", {"groups": groups})
        answers = []
        for step, same in groupby(sorted(scenes, key=_step), _step):
            tests = [self._as_test(groups, scene) for scene in same]
            answers.append(self._tested(groups, step, tests))
        assert answers
        return "".join(answers)

    def test_alerts(self, groups: Groups, story: Story, checks: list[dict[str, Any]]) -> str:
        """The same for checks that are written out as promtool takes them."""
        self._write("rules.yaml", {"groups": groups})
        test = {
            "interval": f"{story.step}s",
            "input_series": story.series(),
            "alert_rule_test": checks,
        }
        return self._tested(groups, story.step, [test])

    def _tested(self, groups: Groups, step: int, tests: list[dict[str, Any]]) -> str:
        content = {
            "rule_files": ["rules.yaml"],
            "evaluation_interval": f"{step}s",
            # What is recorded once for all comes first.
            "group_eval_order": [group["name"] for group in groups],
            "tests": tests,
        }
        self._write("tests.yaml", content)
        return self._run("test", "rules", "tests.yaml")

    def _as_test(self, groups: Groups, scene: Scene) -> dict[str, Any]:
        rules = {rule["alert"]: rule for rule in rules_in(groups) if "alert" in rule}
        return {
            "name": scene.title,
            "interval": f"{scene.story.step}s",
            "input_series": scene.story.series(),
            "alert_rule_test": [
                {
                    "eval_time": f"{time}s",
                    "alertname": name,
                    "exp_alerts": [] if value is None else [filled_in(rules[name], value)],
                }
                for time, name, value in scene.checks()
            ],
        }

    def _write(self, name: str, content: object) -> None:
        (self.directory / name).write_text(json.dumps(content))

    def _run(self, *arguments: str) -> str:
        # The tests run beside each other already, and a story is short: a thread and no collection
        # of garbage save a third.
        ran = subprocess.run(
            [self.path, *arguments],
            cwd=self.directory,
            env={**os.environ, "GOMAXPROCS": "1", "GOGC": "off", "GOMEMLIMIT": "512MiB"},
            capture_output=True,
            text=True,
            check=False,
        )
        return ran.stdout + ran.stderr if ran.returncode else ""


def _step(scene: Scene) -> int:
    return scene.story.step


def filled_in(rule: Mapping[str, Any], value: int) -> dict[str, Any]:
    """The alert as it is told, its templates filled in."""

    def filled(text: str) -> str:
        text = text.replace("{{ $value | humanizeDuration }}", humanized(value))
        return re.sub(r'\{\{ "(\{+)" \}\}', r"\1", text)

    return {
        "exp_labels": {name: filled(text) for name, text in rule["labels"].items()},
        "exp_annotations": {name: filled(text) for name, text in rule["annotations"].items()},
    }


def humanized(seconds: int) -> str:
    days, hours = divmod(seconds // 3600, 24)
    parts = [(days, "d"), (hours, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts = parts[1:]
    return " ".join(f"{count}{unit}" for count, unit in parts)


def rules_in(groups: Groups) -> list[dict[str, Any]]:
    return [rule for group in groups for rule in group["rules"]]


def named(groups: Groups, name: str) -> dict[str, Any]:
    """The one rule that tells, or records, under that name."""
    (found,) = (
        rule for rule in rules_in(groups) if name in (rule.get("alert"), rule.get("record"))
    )
    return found

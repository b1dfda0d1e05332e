"""What Kubernetes makes of every exit code, by the policy in the manifests and by our own word."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
import yaml

from cronops.errors import ExitCode
from cronops.schedules.render import render
from tests.unit.schedules.builders import DECLARED, environment, jobs

CODES = range(256)
JOBS = list(product([True, False], [None, 3]))


def job_spec(retry_safe: bool, shards: int | None, **said: Any) -> dict[str, Any]:
    known = jobs(replace(DECLARED, retry_safe=retry_safe))
    made = environment({"shards": shards, **said}, known=known)
    text = render(made, b"")["schedules/stock-export.yaml"]
    cronjob = list(yaml.safe_load_all(text))[-1]
    spec: dict[str, Any] = cronjob["spec"]["jobTemplate"]["spec"]
    return spec


def decided(policy: dict[str, Any], code: int | None, *, disrupted: bool = False) -> str:
    """What the Job controller does with a pod that failed; None is a pod that left no code.

    After ``matchPodFailurePolicy`` of kubernetes/kubernetes, pkg/controller/job.
    """
    for rule in policy["rules"]:
        if "onExitCodes" in rule:
            wanted = rule["onExitCodes"]
            if code and (code in wanted["values"]) == (wanted["operator"] == "In"):
                return str(rule["action"])
        elif disrupted:
            [condition] = rule["onPodConditions"]
            assert condition == {"type": "DisruptionTarget", "status": "True"}
            return str(rule["action"])
    return "Count"


@pytest.mark.parametrize(("retry_safe", "shards"), JOBS)
@pytest.mark.parametrize("disrupted", [False, True])
def test_a_pod_is_started_again_exactly_where_we_say_so(
    retry_safe: bool, shards: int | None, disrupted: bool
) -> None:
    policy = job_spec(retry_safe, shards)["podFailurePolicy"]

    for code in CODES[1:]:
        action = decided(policy, code, disrupted=disrupted)
        again = ExitCode.of(code).retried_by_pod(retry_safe=retry_safe)
        assert (action in {"Count", "Ignore"}) == again, code


@pytest.mark.parametrize("shards", [None, 3])
def test_a_disruption_costs_no_try_unless_the_code_says_that_trying_is_useless(
    shards: int | None,
) -> None:
    policy = job_spec(True, shards)["podFailurePolicy"]

    assert decided(policy, ExitCode.TERMINATED, disrupted=True) == "Ignore"
    assert decided(policy, None, disrupted=True) == "Ignore"
    assert decided(policy, ExitCode.TERMINATED) == "Count"
    assert decided(policy, ExitCode.BAD_INPUT, disrupted=True) == (
        "FailIndex" if shards else "FailJob"
    )


@pytest.mark.parametrize("shards", [None, 3])
def test_a_job_that_must_not_be_repeated_ends_with_its_first_pod(shards: int | None) -> None:
    spec = job_spec(False, shards, backoffLimit=2, activeDeadlineSeconds=7200)
    fail = "FailIndex" if shards else "FailJob"

    assert {decided(spec["podFailurePolicy"], code) for code in CODES[1:]} == {fail}
    assert decided(spec["podFailurePolicy"], None, disrupted=True) == fail
    # One that never started may be: its pod was refused by a node, say, and left no code.
    assert decided(spec["podFailurePolicy"], None) == "Count"


@pytest.mark.parametrize(("retry_safe", "shards"), JOBS)
def test_the_policy_is_one_that_the_api_takes(retry_safe: bool, shards: int | None) -> None:
    spec = job_spec(retry_safe, shards)

    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert spec["podReplacementPolicy"] == "Failed"
    containers = [one["name"] for one in spec["template"]["spec"]["containers"]]
    for rule in spec["podFailurePolicy"]["rules"]:
        if "onExitCodes" in rule:
            wanted = rule["onExitCodes"]
            assert wanted["containerName"] in containers
            assert wanted["values"] == sorted(set(wanted["values"]))
            assert 1 <= len(wanted["values"]) <= 255
            assert wanted["operator"] == "NotIn" or 0 not in wanted["values"]
        assert (rule["action"] == "FailIndex") <= ("backoffLimitPerIndex" in spec)


def test_shards_have_tries_of_their_own() -> None:
    indexed, single = job_spec(True, 3), job_spec(True, None)

    assert (indexed["completionMode"], indexed["completions"], indexed["parallelism"]) == (
        "Indexed",
        3,
        3,
    )
    assert indexed["backoffLimitPerIndex"] == single["backoffLimit"] == 2
    assert "backoffLimit" not in indexed
    assert not {"completionMode", "completions", "parallelism", "backoffLimitPerIndex"} & set(
        single
    )

"""What pods say of themselves."""

from typing import Any

import pytest

from cronops.cluster.follow import Outcome
from cronops.cluster.pods import Ended, ended, finished, has_begun, held_up, receipt_of


def pod(state: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    statuses = [{"name": "side", "state": {}}]
    if state is not None:
        statuses.append({"name": "job", "state": state})
    containers = [{"name": "side"}, {"name": "job"}]
    return {"spec": {"containers": containers}, "status": {"containerStatuses": statuses, **status}}


@pytest.mark.parametrize(
    ("one", "cause", "why"),
    [
        (
            pod({"waiting": {"reason": "ImagePullBackOff", "message": "no such tag"}}),
            "image pull",
            "ImagePullBackOff: no such tag",
        ),
        (
            pod(
                conditions=[
                    {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: memory"}
                ]
            ),
            "pod never started",
            "no node takes it: 0/1 nodes: memory",
        ),
        (
            pod({"waiting": {"reason": "CreateContainerConfigError", "message": "no secret"}}),
            "pod never started",
            "CreateContainerConfigError: no secret",
        ),
        (pod(phase="Failed", reason="Evicted"), "pod never started", "Evicted"),
    ],
)
def test_what_holds_it_up(one: Any, cause: str, why: str) -> None:
    found = held_up(one)
    assert found
    assert (found.cause, found.why) == (cause, why)
    assert not has_begun(one)
    assert ended(one) is None


@pytest.mark.parametrize(
    "one", [pod(), pod({"waiting": {"reason": "ContainerCreating"}}), pod({"running": {}})]
)
def test_nothing_holds_it_up(one: Any) -> None:
    assert held_up(one) is None


def test_how_it_ended() -> None:
    told = '{"outcome": "succeeded", "counts": {}}'
    good = ended(pod({"terminated": {"exitCode": 0, "reason": "Completed", "message": told}}))
    assert good == Ended(0, "Completed", {"outcome": "succeeded", "counts": {}})
    killed = ended(pod({"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": "…"}}))
    assert killed == Ended(137, "OOMKilled", None)
    assert receipt_of('{"some": "json"}') is None
    assert receipt_of("[1]") is None


def test_a_jobs_exit_code_is_its_last_failures() -> None:
    pods = {"a": Ended(75, "Error", None), "b": Ended(65, "Error", None), "c": Ended(0, "", None)}
    assert Outcome(False, "backoff", pods).exit_code == 65
    assert Outcome(False, "deadline", {}).exit_code == 1
    assert Outcome(True, "", pods).exit_code == 0


def test_whether_a_job_is_finished() -> None:
    assert finished({"status": {}}) is None
    complete = {"type": "Complete", "status": "True"}
    assert finished({"status": {"conditions": [complete]}}) == (True, "")
    failed = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}
    assert finished({"status": {"conditions": [failed]}}) == (False, "DeadlineExceeded")
    assert finished({"status": {"conditions": [failed | {"status": "False"}]}}) is None

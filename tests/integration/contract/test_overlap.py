"""Two runs of one job: the second one is skipped, waits, fails, or takes over."""

from datetime import UTC, datetime

import pytest

from tests.integration.contract.conftest import Stage, end_of, wait_until_gone

SLOT = "2026-11-23T04:00:00Z"


def test_a_second_run_is_skipped_and_says_who_holds_the_lock(stage: Stage) -> None:
    gate = stage.gate()
    first = stage.start("probe", "gate", *gate.arguments, "--run-id=first")
    assert gate.pid

    second = stage("probe", "gate", *gate.arguments, "--run-id=second")
    third = stage("probe", "gate", *gate.arguments, "--run-id=third", "--fail-if-locked")
    gate.open()

    assert end_of(first).code == 0
    assert second.code == 0
    assert "skipped: locked by run first of probe gate on " in second.out
    assert f"pid {first.pid} for " in second.out
    assert third.code == 75
    assert {run["id"]: run["outcome"] for run in stage.runs("probe gate")} == {
        "first": "succeeded",
        "second": "skipped",
        "third": "skipped",
    }
    assert (
        "locked by run first"
        in stage.rows("SELECT reason FROM run WHERE id = 'second'")[0]["reason"]
    )
    assert stage.alerts() == []


def test_a_run_that_waits_gets_the_lock_when_it_is_free(stage: Stage) -> None:
    gate = stage.gate()
    first = stage.start("probe", "gate", *gate.arguments)
    assert gate.pid
    second = stage.start("probe", "gate", *gate.arguments, "--wait=2m")
    stage.wait_for_session("supervisor", 2)
    gate.open()

    assert (end_of(first).code, end_of(second).code) == (0, 0)
    assert [run["outcome"] for run in stage.runs("probe gate")] == ["succeeded", "succeeded"]


def test_a_run_that_has_waited_long_enough_is_skipped(stage: Stage) -> None:
    stage.hold("probe.ok")

    ended = stage("probe", "ok", "--wait=300ms")

    assert ended.code == 0
    assert "locked by run somebody-else of other job on node-7 pid 1" in ended.out


def test_repeated_skips_of_one_schedule_alert_once_and_use_up_no_slot(stage: Stage) -> None:
    environment = {"CRONOPS_SCHEDULE": "nightly", "CRONOPS_ALERTS__REPEATED_SKIPS": "2"}
    slot = ("probe", "ok", f"--scheduled-at={SLOT}")
    stage.hold("probe.ok")

    assert stage(*slot, **environment).code == 0
    assert stage.told() == []
    assert stage(*slot, **environment).code == 0
    told = [("skipping", "Shared Ops", "runtime"), ("skipping", "Vehicle Data", "domain")]
    assert stage.told() == told
    assert stage(*slot, **environment).code == 0
    assert stage.told() == told

    stage.query("DELETE FROM lease")
    assert "succeeded" in stage(*slot, **environment).out
    assert stage.told()[2:] == [
        ("resolved", "Shared Ops", "runtime"),
        ("resolved", "Vehicle Data", "domain"),
    ]


def test_a_pod_that_tries_again_waits_for_its_dead_forerunner_and_takes_over(stage: Stage) -> None:
    environment = {"CRONOPS_RUN_ID": "nightly-1"}
    gate = stage.gate()
    arguments = ("probe", "gate", *gate.arguments)
    first = stage.start(*arguments, **environment)
    worker = gate.pid
    first.kill()
    first.wait()
    wait_until_gone(worker)
    gate.started.unlink()

    second = stage.start(*arguments, **environment)
    stage.wait_for_refusal()
    assert second.poll() is None, "it neither skips nor fails"
    assert not gate.is_reached
    # Half of the time to live has passed without a sign of life; the lease itself still runs.
    stage.query("UPDATE lease SET renewed_at = renewed_at - interval '31 s'")
    gate.open()

    ended = end_of(second)
    assert ended.code == 0, ended.text
    run = stage.run("probe gate")
    assert (run["outcome"], run["starts"]) == ("succeeded", 2)
    assert stage.alerts() == []


def test_a_run_tried_again_but_locked_out_by_another_is_to_be_tried_once_more(stage: Stage) -> None:
    failing = ("probe", "raise", "--kind=PermanentError", "--run-id=nightly-1")
    assert stage(*failing).code == 1
    stage.hold("probe.raise")

    ended = stage(*failing)

    # Exit 0 would complete the Job with the work undone.
    assert ended.code == 75
    assert "to be tried again" in ended.out
    assert stage.run("probe raise")["outcome"] == "failed"


def test_a_run_that_has_succeeded_already_is_done_whoever_holds_the_lock(stage: Stage) -> None:
    assert stage("probe", "ok", "--run-id=nightly-1").code == 0
    assert "already succeeded" in stage("probe", "ok", "--run-id=nightly-1").out

    stage.hold("probe.ok")
    ended = stage("probe", "ok", "--run-id=nightly-1")

    assert ended.code == 0
    assert "already succeeded" in ended.out
    assert stage.run("probe ok")["outcome"] == "succeeded"


@pytest.mark.parametrize("other", [("probe", "ok", "--things=4"), ("probe", "exit-zero")])
def test_a_run_id_belongs_to_one_job_with_one_set_of_arguments(
    stage: Stage, other: tuple[str, ...]
) -> None:
    assert stage("probe", "ok", "--run-id=nightly-1").code == 0

    ended = stage(*other, "--run-id=nightly-1")

    assert ended.code == 64
    assert "give another --run-id" in ended.text
    assert stage.run("probe ok")["counts"] == {"things": 3}
    assert stage.alerts() == []


def test_times_are_the_databases(stage: Stage) -> None:
    before = stage.query("SELECT clock_timestamp()")[0][0]
    assert stage("probe", "ok").code == 0
    run = stage.run("probe ok")

    assert before <= run["started_at"] <= run["finished_at"] <= datetime.now(UTC)


def test_a_further_lock_that_is_held_fails_as_temporary_and_names_the_holder(stage: Stage) -> None:
    nested = ("probe", "nested-lock", "--name=outer", "--other=inner")
    stage.hold("probe.nested.inner")
    ended = stage(*nested)
    assert ended.code == 75
    assert "probe.nested.inner is held by run somebody-else on node-7 pid 1" in ended.out

    stage.query("DELETE FROM lease")
    assert stage(*nested).code == 0
    assert stage.query("SELECT * FROM lease") == []

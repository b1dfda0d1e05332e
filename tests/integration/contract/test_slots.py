"""One scheduled time of one job with one set of arguments is worked once."""

import signal
from datetime import UTC, datetime, timedelta
from shlex import split
from subprocess import Popen

import pytest

from tests.integration.contract.conftest import Stage, end_of

SLOT = "--scheduled-at=2026-11-23T05:00:00+01:00"
SAME_SLOT = "--scheduled-at=2026-11-23T04:00:00Z"


def minutes(at: datetime) -> int:
    return int(at.timestamp()) // 60


def test_the_time_is_read_off_the_jobs_name(stage: Stage) -> None:
    now = stage.query("SELECT clock_timestamp()")[0][0]
    due = now.replace(second=0, microsecond=0)
    pod = {"CRONOPS_SCHEDULE": "nightly", "CRONOPS_RUN_ID": f"nightly-{minutes(due)}"}

    assert stage("probe", "ok", **pod).code == 0
    run = stage.run("probe ok")
    assert (run["schedule"], run["scheduled_at"]) == ("nightly", due)

    again = stage("probe", "ok", "--run-id=by-hand", f"--scheduled-at={due.isoformat()}")
    assert again.code == 0
    assert f"was already worked by run nightly-{minutes(due)}" in again.out


def test_a_cronjob_may_have_another_name_than_its_schedule(stage: Stage) -> None:
    due = datetime.now(UTC).replace(second=0, microsecond=0)
    pod = {
        "CRONOPS_SCHEDULE": "nightly",
        "CRONOPS_POD__CRONJOB": "shop-nightly-h1234567",
        "CRONOPS_RUN_ID": f"shop-nightly-h1234567-{minutes(due)}",
    }

    assert stage("probe", "ok", **pod).code == 0
    run = stage.run("probe ok")
    assert (run["schedule"], run["scheduled_at"]) == ("nightly", due)


@pytest.mark.parametrize(
    ("schedule", "run_id"),
    [
        ("x", "x-20261123"),
        ("nightly", "other-{due}"),
        ("nightly", "nightly-{last_month}"),
    ],
)
def test_a_name_that_only_looks_alike_makes_no_slot(
    stage: Stage, schedule: str, run_id: str
) -> None:
    now = datetime.now(UTC)
    name = run_id.format(due=minutes(now), last_month=minutes(now - timedelta(days=31)))

    assert stage("probe", "ok", CRONOPS_SCHEDULE=schedule, CRONOPS_RUN_ID=name).code == 0
    assert stage.run("probe ok")["scheduled_at"] is None
    assert stage.query("SELECT * FROM slot") == []


def test_a_slot_that_succeeded_is_skipped_other_arguments_and_shards_are_other_slots(
    stage: Stage,
) -> None:
    assert "succeeded" in stage("probe", "ok", SLOT).out
    skipped = stage("probe", "ok", SAME_SLOT)
    assert skipped.code == 0
    assert "the slot of 2026-11-23 04:00 UTC was already worked by run probe-ok-" in skipped.out

    assert "succeeded" in stage("probe", "ok", SAME_SLOT, "--things=4").out
    assert "succeeded" in stage("probe", "ok", SAME_SLOT, JOB_COMPLETION_INDEX="0").out
    assert "succeeded" in stage("probe", "ok", SAME_SLOT, JOB_COMPLETION_INDEX="1").out
    assert "skipped" in stage("probe", "ok", SAME_SLOT, JOB_COMPLETION_INDEX="1").out
    # What only traces the run is no argument.
    assert "skipped" in stage("probe", "ok", SAME_SLOT, "--correlation-id=other").out
    assert "succeeded" in stage("probe", "ok").out, "a run by hand has no slot"


def test_a_slot_that_failed_may_be_worked_again(stage: Stage) -> None:
    failing = ("probe", "raise", "--kind=BadInput", SLOT)
    assert stage(*failing).code == 65
    assert stage.query("SELECT state FROM slot") == [("failed",)]
    assert stage(*failing).code == 65
    assert [run["outcome"] for run in stage.runs("probe raise")] == ["failed", "failed"]


@pytest.mark.parametrize("way", ["killed", "stopped", "swept", "lease lost"])
def test_a_job_that_is_not_safe_to_repeat_leaves_the_slot_to_a_person(
    stage: Stage, way: str
) -> None:
    gate = stage.gate()
    command = ("probe", "gate-unsafe", *gate.arguments, SLOT)
    process = stage.start(*command, CRONOPS_LOCK__TTL="3")
    assert gate.pid
    _cut_off(stage, process, gate.pid, way)
    run_id = stage.run("probe gate-unsafe")["id"]
    assert stage.query("SELECT state FROM slot") == [("unknown",)]

    refused = stage(*command)
    assert refused.code == 1
    to_type = refused.out.split("then: ")[1].strip().splitlines()[0]
    assert to_type.startswith(f"cronops runs settle {run_id} --as failed|succeeded --reason")

    typed = split(to_type.partition("…")[0].replace("failed|succeeded", "failed"))[1:]
    assert stage(*typed, "nothing was sent").code == 0
    audit = "SELECT subject, reason FROM audit WHERE action = 'runs settle'"
    assert stage.query(audit) == [(run_id, "nothing was sent")]
    gate.open()
    assert "succeeded" in stage(*command).out


def _cut_off(stage: Stage, process: "Popen[str]", worker: int, way: str) -> None:
    if way == "killed":
        stage.kill(worker)
    elif way == "stopped":
        process.send_signal(signal.SIGTERM)
    elif way == "swept":
        process.kill()
    else:
        assert stage("locks", "release", "probe.gate-unsafe", "--yes", "--reason=stuck").code == 0
    end_of(process)
    if way == "swept":
        stage.expire_leases()
        assert stage("probe", "ok").code == 0


def test_a_slot_settled_as_succeeded_is_used_up(stage: Stage) -> None:
    assert stage("probe", "not-safe", "--die", SLOT).code == 137
    run_id = stage.run("probe not-safe")["id"]
    settle = ("runs", "settle", run_id, "--as=succeeded", "--reason=it was sent")
    assert stage(*settle).code == 0

    assert "was already worked" in stage("probe", "not-safe", "--die", SLOT).out
    assert stage(*settle).code == 64, "there is nothing left to settle"

"""Processes that die: killed, out of memory, or leaving without a word."""

import os
import signal
import socket

import pytest

from tests.integration.contract.conftest import (
    Stage,
    end_of,
    is_gone,
    wait_until_gone,
    worker_of,
)

FAILURE_TOLD = [("failed", "Shared Ops", "runtime"), ("failed", "Vehicle Data", "domain")]


def test_a_killed_parent_takes_its_worker_along_and_the_next_run_closes_the_record(
    stage: Stage,
) -> None:
    gate = stage.gate()
    parent = stage.start(
        "probe", "gate", *gate.arguments, "--scheduled-at=2026-11-23T04:00:00Z", "--write=row"
    )
    worker = gate.pid
    parent.kill()
    parent.wait()
    wait_until_gone(worker)
    gate.open()

    assert stage.run("probe gate")["outcome"] is None
    assert stage("probe", "ok").code == 0
    assert stage.run("probe gate")["outcome"] is None, "its lease still counts"

    stage.expire_leases()
    assert stage("probe", "ok").code == 0
    run = stage.run("probe gate")
    assert (run["outcome"], run["exit_code"]) == ("crashed", 137)
    assert f"pid {parent.pid}" in run["reason"]
    assert stage.told() == FAILURE_TOLD
    assert {alert["run_id"] for alert in stage.alerts()} == {run["id"]}
    assert stage.query("SELECT state FROM slot") == [("failed",)]
    assert stage.query("SELECT * FROM lease") == []
    assert stage.effects() == 0


def test_a_killed_worker_is_a_crash_that_names_the_signal(stage: Stage) -> None:
    ended = stage("probe", "kill")

    assert ended.code == 137
    run = stage.run("probe kill")
    assert (run["outcome"], run["exit_code"], run["signal"]) == ("crashed", 137, signal.SIGKILL)
    assert "killed by signal 9 (SIGKILL)" in run["reason"]
    receipt = stage.receipt()
    assert (receipt["outcome"], receipt["signal"]) == ("crashed", signal.SIGKILL)
    assert receipt["recorded"] is True
    assert stage.told() == FAILURE_TOLD
    assert stage.query("SELECT * FROM lease") == []


def test_another_signal_is_told_by_its_name(stage: Stage) -> None:
    assert stage("probe", "kill", f"--signum={int(signal.SIGSEGV)}").code == 137
    assert "killed by signal 11 (SIGSEGV)" in stage.run("probe kill")["reason"]


def test_both_killed_at_once_is_found_by_the_next_run(stage: Stage) -> None:
    assert stage("probe", "kill", "--target=both").code == -signal.SIGKILL
    stage.expire_leases()

    assert stage("probe", "ok").code == 0
    assert stage.run("probe kill")["outcome"] == "crashed"
    assert stage.told() == FAILURE_TOLD


def test_leaving_with_code_0_is_no_success(stage: Stage) -> None:
    assert stage("probe", "exit-zero").code == 137
    run = stage.run("probe exit-zero")
    assert (run["outcome"], run["signal"]) == ("crashed", None)
    assert run["reason"] == "the worker process exited with code 0 without reporting a result"


@pytest.mark.parametrize("code", ["0", "3"])
def test_sys_exit_in_a_job_is_a_failure(stage: Stage, code: str) -> None:
    assert stage("probe", "raise", "--kind=SystemExit", f"--text={code}").code == 1
    run = stage.run("probe raise")
    assert run["outcome"] == "failed"
    assert "the job called sys.exit" in run["reason"]


def test_a_forked_copy_that_returns_into_the_contract_reports_nothing(stage: Stage) -> None:
    ended = stage("probe", "copy")

    assert ended.code == 1, ended.text
    assert stage.run("probe copy")["reason"] == "the copy had no business to report"


def test_a_worker_out_of_memory_fails_and_its_parent_records_it(stage: Stage) -> None:
    ended = stage("probe", "memory")

    assert ended.code in (1, 137), ended.text
    run = stage.run("probe memory")
    assert run["outcome"] in ("failed", "crashed")
    if run["outcome"] == "failed":
        assert run["reason"] == "MemoryError"
    assert stage.told() == FAILURE_TOLD


def test_a_worker_that_loses_its_parent_before_the_word_to_go_ends(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing"
        parent = stage.start("probe", "ok", CRONOPS_DATABASE_URL=url)
        worker = worker_of(parent)
        assert not is_gone(worker)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()

        wait_until_gone(worker)
    assert stage.runs("probe ok") == []


def test_a_run_whose_reader_has_left_still_ends_as_it_should(stage: Stage) -> None:
    gate = stage.gate()
    process = stage.start("probe", "gate", *gate.arguments, "--then=no luck")
    assert gate.pid
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    gate.open()

    assert process.wait(60) == 1
    assert stage.run("probe gate")["outcome"] == "failed"
    assert stage.receipt()["recorded"] is True


def test_two_failures_of_one_run_are_never_told_twice(stage: Stage) -> None:
    assert stage("probe", "kill", "--run-id=nightly-1").code == 137
    assert stage("probe", "kill", "--run-id=nightly-1").code == 137

    assert stage.run("probe kill")["starts"] == 2
    assert stage.told() == FAILURE_TOLD
    assert end_of(stage.start("alerts", "list")).code == 0


def test_a_report_that_is_too_long_fails_the_run_and_holds_up_nobody(stage: Stage) -> None:
    ended = stage("probe", "verbose", "--counts=100000")

    assert ended.code == 1, ended.text
    assert "more than 1 MiB" in stage.run("probe verbose")["reason"]
    assert stage.query("SELECT * FROM lease") == []


def test_long_warnings_are_cut_and_the_work_counts(stage: Stage) -> None:
    ended = stage("probe", "verbose", "--counts=100", "--warnings=100")

    assert ended.code == 0, ended.text
    assert stage.receipt_path.stat().st_size <= 4096
    run = stage.run("probe verbose")
    assert len(run["counts"]) == 100
    assert 0 < sum(len(text) for text in run["warnings"]) <= 100_000

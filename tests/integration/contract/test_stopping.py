"""SIGTERM and Ctrl-C, in every phase of a run."""

import signal
import socket
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.integration.contract.conftest import (
    AMPLE_SECONDS,
    Stage,
    end_of,
    hears,
    is_gone,
    worker_of,
)
from tests.servers import wait_until

TERM = signal.SIGTERM


def test_during_start_up_before_the_imports_are_done(stage: Stage) -> None:
    process = stage.start("probe", "ok", "--seconds=60")
    wait_until(lambda: hears(process.pid, TERM), AMPLE_SECONDS)
    process.send_signal(TERM)

    assert end_of(process).code == 143
    assert [run["outcome"] for run in stage.runs("probe ok")] in ([], ["interrupted"])


def test_while_it_connects(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing"
        process = stage.start(
            "probe", "ok", CRONOPS_DATABASE_URL=url, CRONOPS_DB__CONNECT_TIMEOUT="2"
        )
        worker = worker_of(process)
        # The server's side of the connection: from now on the run waits for an answer.
        connection, _ = silent.accept()
        with connection:
            process.send_signal(TERM)
            ended = end_of(process)

    assert ended.code == 143, ended.text
    assert "told to stop by SIGTERM" in ended.out
    assert is_gone(worker)


def test_while_it_waits_for_its_lock(stage: Stage) -> None:
    stage.hold("probe.ok")
    process = stage.start("probe", "ok", "--wait=10m")
    stage.wait_for_session("supervisor")
    process.send_signal(TERM)

    assert end_of(process).code == 143
    run = stage.run("probe ok")
    assert (run["outcome"], run["exit_code"], run["signal"]) == ("interrupted", 143, TERM)
    assert run["token"] is None


def test_in_a_job_that_heeds_it(stage: Stage) -> None:
    gate = stage.gate()
    process = stage.start("probe", "gate", *gate.arguments, "--heeds", "--write=row")
    assert gate.pid
    process.send_signal(TERM)

    ended = end_of(process)
    assert ended.code == 143, ended.text
    run = stage.run("probe gate")
    assert (run["outcome"], run["exit_code"], run["signal"]) == ("interrupted", 143, TERM)
    assert run["reason"] == "told to stop by SIGTERM"
    assert stage.query("SELECT * FROM lease") == []
    assert stage.receipt()["outcome"] == "interrupted"


def test_no_further_attempt_is_made_after_it(stage: Stage) -> None:
    gate = stage.gate()
    process = stage.start("probe", "gate", *gate.arguments, "--heeds", "--then=cut off")
    assert gate.pid
    process.send_signal(TERM)

    assert end_of(process).code == 143
    assert stage.run("probe gate")["attempts"] == 1


def test_a_job_that_ignores_it_is_killed_after_the_grace(stage: Stage) -> None:
    started = stage.directory / "started"
    process = stage.start("probe", "ignore-term", f"--started-file={started}")
    wait_until(started.exists, AMPLE_SECONDS)
    worker = worker_of(process)
    process.send_signal(TERM)

    assert end_of(process).code == 143
    assert is_gone(worker)
    run = stage.run("probe ignore-term")
    assert run["outcome"] == "interrupted"
    assert "did not stop within 1 s and was killed" in run["reason"]


def test_a_job_that_finishes_all_the_same_has_succeeded(stage: Stage) -> None:
    gate = stage.gate()
    process = stage.start(
        "probe", "gate", *gate.arguments, "--write=row", CRONOPS_SUPERVISOR__GRACE="60"
    )
    assert gate.pid
    process.send_signal(TERM)
    _wait_for_line(process, '"event": "stopping"')
    gate.open()

    assert end_of(process).code == 0
    assert stage.run("probe gate")["outcome"] == "succeeded"
    assert stage.effects() == 1


@pytest.mark.parametrize(
    ("heeds", "code", "outcome"), [(True, 143, "interrupted"), (False, 0, "succeeded")]
)
def test_while_the_outcome_is_recorded(
    stage: Stage, blocker: psycopg.Connection, heeds: bool, code: int, outcome: str
) -> None:
    gate = stage.gate()
    process = stage.start(
        *("probe", "gate", *gate.arguments, *(["--heeds"] if heeds else [])),
        CRONOPS_SUPERVISOR__GRACE="20",
    )
    assert gate.pid
    with blocker.transaction():
        blocker.execute("SELECT FROM run FOR UPDATE")
        if heeds:
            process.send_signal(TERM)
        else:
            gate.open()
        wait_until(lambda: stage.blocked_sessions() > 0, AMPLE_SECONDS)
        process.send_signal(TERM)

    ended = end_of(process)
    assert ended.code == code, ended.text
    assert stage.run("probe gate")["outcome"] == outcome


def test_ctrl_c_is_told_to_nobody_else(stage: Stage) -> None:
    gate = stage.gate()
    process = stage.start("probe", "gate", *gate.arguments, "--heeds")
    assert gate.pid
    process.send_signal(signal.SIGINT)

    assert end_of(process).code == 130
    run = stage.run("probe gate")
    assert (run["outcome"], run["exit_code"]) == ("interrupted", 130)
    assert stage.alerts() == []


def test_ctrl_c_twice_does_not_wait_for_the_grace(stage: Stage, tmp_path: Path) -> None:
    started = tmp_path / "started"
    process = stage.start(
        *("probe", "ignore-term", f"--started-file={started}"), CRONOPS_SUPERVISOR__GRACE="600"
    )
    wait_until(started.exists, AMPLE_SECONDS)
    process.send_signal(signal.SIGINT)
    _wait_for_line(process, '"event": "stopping"')
    process.send_signal(signal.SIGINT)

    assert process.wait(AMPLE_SECONDS) == 130
    assert stage.run("probe ignore-term")["outcome"] == "interrupted"


def test_a_stop_before_the_work_began_begins_no_work(
    stage: Stage, blocker: psycopg.Connection
) -> None:
    gate = stage.gate()
    with blocker.transaction():
        # Whatever the run wants to know first of all, it has to wait for.
        blocker.execute("LOCK TABLE run, job_pause, lease IN ACCESS EXCLUSIVE MODE")
        process = stage.start("probe", "gate", *gate.arguments)
        wait_until(lambda: stage.blocked_sessions() > 0, AMPLE_SECONDS)
        process.send_signal(TERM)
        wait_until(lambda: _is_handled(process, TERM), AMPLE_SECONDS)

    assert end_of(process).code == 143
    assert not gate.is_reached
    assert stage.run("probe gate")["outcome"] == "interrupted"


def _is_handled(process: "subprocess.Popen[str]", number: signal.Signals) -> bool:
    """Whether the signal is no longer pending."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(("SigPnd:", "ShdPnd:")) and int(line.split()[1], 16) & 1 << (number - 1):
            return False
    return True


def _wait_for_line(process: "subprocess.Popen[str]", text: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"it ended without saying {text}")

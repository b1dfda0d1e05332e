"""Work that does not end by itself, and processes that are left behind."""

import signal
from contextlib import suppress
from pathlib import Path

import pytest

from tests.integration.contract.conftest import (
    AMPLE_SECONDS,
    Stage,
    end_of,
    is_gone,
    wait_until_gone,
)
from tests.servers import wait_until


@pytest.mark.parametrize(
    "job", [("probe", "hang"), ("probe", "c-hang"), ("probe", "swallow")], ids=" ".join
)
def test_what_hangs_is_killed_after_timeout_and_grace(stage: Stage, job: tuple[str, ...]) -> None:
    ended = stage(*job)

    assert ended.code == 124, ended.text
    run = stage.run(" ".join(job))
    assert (run["outcome"], run["exit_code"]) == ("timed_out", 124)
    assert run["signal"] == signal.SIGKILL
    assert "all attempts together" in run["reason"]
    took = (run["finished_at"] - run["started_at"]).total_seconds()
    assert took < 30, "the job would have gone on for minutes"
    assert [alert["kind"] for alert in stage.alerts()] == ["failed", "failed"]
    assert stage.query("SELECT * FROM lease") == []


def test_the_timeout_is_for_all_attempts_together(stage: Stage) -> None:
    assert stage("probe", "swallow", "--retries").code == 124
    assert stage.run("probe swallow")["outcome"] == "timed_out"


def test_a_daemon_that_ignores_sigterm_is_gone_after_success(stage: Stage, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    ended = stage("probe", "orphan", f"--pid-file={pid_file}")

    assert ended.code == 0
    assert is_gone(int(pid_file.read_text()))
    assert "processes were left behind" in ended.err


def test_a_daemon_is_gone_after_the_run_was_stopped(stage: Stage, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    process = stage.start("probe", "orphan", f"--pid-file={pid_file}", "--seconds=600")
    wait_until(lambda: pid_file.exists() and bool(pid_file.read_text()), AMPLE_SECONDS)
    process.send_signal(signal.SIGTERM)

    assert end_of(process).code == 143
    wait_until_gone(int(pid_file.read_text()))


def test_a_daemon_is_gone_after_its_job_was_killed(stage: Stage, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    process = stage.start("probe", "orphan", f"--pid-file={pid_file}", "--seconds=600")
    wait_until(lambda: pid_file.exists() and bool(pid_file.read_text()), AMPLE_SECONDS)
    for pid in stage.workers_of(process):
        if pid != int(pid_file.read_text()):
            # The one in between may be gone by itself.
            with suppress(ProcessLookupError):
                stage.kill(pid)

    assert end_of(process).code == 137
    wait_until_gone(int(pid_file.read_text()))

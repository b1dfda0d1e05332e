"""A holder that is late: its successor works, and nothing of the late one commits."""

import os
import signal

import psycopg
import pytest

from cronops.contract.lock import end_lease, session_name
from cronops.db.connect import connect
from tests.databases import Database
from tests.integration.contract.conftest import AMPLE_SECONDS, Stage, end_of, wait_until_gone
from tests.servers import wait_until


@pytest.mark.parametrize("write", ["transaction", "commit"])
def test_a_stopped_holder_that_wakes_after_its_successor_commits_nothing(
    stage: Stage, write: str
) -> None:
    gate = stage.gate()
    arguments = ("probe", "gate", *gate.arguments, f"--write={write}")
    old = stage.start(*arguments, "--run-id=old", CRONOPS_LOCK__TTL="2")
    worker = gate.pid
    for pid in (old.pid, worker):
        os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: _is_expired(stage), AMPLE_SECONDS)
    gate.open()

    new = stage(*arguments, "--run-id=new")
    assert new.code == 0, new.text
    # The worker first: it finds the gate open and would commit at once.
    os.kill(worker, signal.SIGCONT)
    os.kill(old.pid, signal.SIGCONT)
    ended = end_of(old)

    assert ended.code == 75, ended.text
    assert stage.query("SELECT note FROM public.probe_effect") == [("new",)]
    outcomes = {run["id"]: run["outcome"] for run in stage.runs("probe gate")}
    assert outcomes == {"old": "crashed", "new": "succeeded"}
    assert stage.query("SELECT * FROM lease") == []


def test_a_worker_whose_supervisor_is_stopped_sees_that_the_lease_is_not_sure(
    stage: Stage,
) -> None:
    gate = stage.gate()
    process = stage.start("probe", "gate", *gate.arguments, "--heeds", CRONOPS_LOCK__TTL="2")
    worker = gate.pid
    os.kill(process.pid, signal.SIGSTOP)

    # Nobody can tell it: it reads the shared page.
    wait_until_gone(worker)
    os.kill(process.pid, signal.SIGCONT)
    assert end_of(process).code == 75
    assert stage.run("probe gate")["outcome"] == "failed"


@pytest.mark.parametrize("write", ["transaction", "commit"])
def test_a_lock_released_by_an_operator_ends_its_run(stage: Stage, write: str) -> None:
    gate = stage.gate()
    process = stage.start("probe", "gate", *gate.arguments, f"--write={write}")
    assert gate.pid
    released = stage("locks", "release", "probe.gate.", "--yes", "--reason=stuck")
    assert released.code == 0, released.text
    gate.open()

    # Before the next heartbeat: the commit itself has to find out.
    ended = end_of(process)
    assert ended.code == 75, ended.text
    assert stage.effects() == 0
    run = stage.run("probe gate")
    assert (run["outcome"], run["exit_code"], run["attempts"]) == ("failed", 75, 1)


def test_the_heartbeat_finds_out_that_the_lock_was_released(stage: Stage) -> None:
    gate = stage.gate()
    process = stage.start("probe", "gate", *gate.arguments, CRONOPS_LOCK__TTL="3")
    assert gate.pid
    assert stage("locks", "release", "probe.gate.", "--yes", "--reason=stuck").code == 0

    ended = end_of(process)
    assert ended.code == 75, ended.text
    assert "lease could not be renewed in time or was taken over" in ended.out


def test_a_long_run_keeps_its_lease(stage: Stage) -> None:
    gate = stage.gate()
    process = stage.start("probe", "gate", *gate.arguments, "--write=row", CRONOPS_LOCK__TTL="3")
    assert gate.pid
    first = stage.query("SELECT acquired_at, expires_at FROM lease")[0]
    wait_until(
        lambda: bool(
            stage.query(
                "SELECT 1 FROM lease WHERE clock_timestamp() > %s AND expires_at > %s",
                (first[1], first[1]),
            )
        ),
        AMPLE_SECONDS,
    )
    gate.open()

    assert end_of(process).code == 0
    assert stage.effects() == 1


def _is_expired(stage: Stage) -> bool:
    return bool(stage.query("SELECT 1 FROM lease WHERE expires_at <= clock_timestamp()"))


def test_a_takeover_ends_no_session_of_another_database_on_the_same_server(
    database: Database, empty_database: Database
) -> None:
    """Tokens are counted in each database: those of staging are no business of production."""
    name = session_name(1, "probe")
    with (
        connect(database.settings(), name) as ours,
        connect(empty_database.settings(), name) as theirs,
        database.connect() as successor,
    ):
        end_lease(successor, 1, 1)

        assert theirs.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError):
            ours.execute("SELECT 1")

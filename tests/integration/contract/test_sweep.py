"""Runs that died without a word are closed by others, each once."""

import threading

from cronops.contract.sweep import close_dead_runs
from tests.integration.contract.conftest import Stage, end_of

OWNERS_TOLD = 2


def leave_dead_runs(stage: Stage, count: int) -> None:
    stage.query(
        "INSERT INTO run (id, job, cr, arguments_hash, correlation_id, lock_key, token, holder,"
        " retry_safe, accountable, responsible)"
        " SELECT 'dead-' || n, 'probe dead', 'X-099', '', '', 'probe.dead', nextval('lease_token'),"
        " 'node-7 pid ' || n, true, '{Vehicle Data}', 'Shared Ops'"
        " FROM generate_series(1, %s) AS n",
        (count,),
    )


def test_sweepers_at_the_same_time_close_each_run_once(stage: Stage) -> None:
    leave_dead_runs(stage, 30)
    settings = stage.database.settings()
    closed: list[int] = []
    barrier = threading.Barrier(3)

    def sweep() -> None:
        with stage.database.connect() as connection:
            barrier.wait()
            for _ in range(3):
                with connection.transaction():
                    closed.append(len(close_dead_runs(connection, settings)))

    threads = [threading.Thread(target=sweep) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sum(closed) == 30
    assert {run["outcome"] for run in stage.runs("probe dead")} == {"crashed"}
    assert len(stage.alerts()) == 30 * OWNERS_TOLD


def test_one_run_closes_a_bounded_number(stage: Stage) -> None:
    leave_dead_runs(stage, 25)

    assert stage("probe", "ok").code == 0
    assert [run["outcome"] for run in stage.runs("probe dead")].count("crashed") == 20
    assert stage("probe", "ok").code == 0
    assert [run["outcome"] for run in stage.runs("probe dead")].count("crashed") == 25


def test_runs_that_start_together_sweep_together(stage: Stage) -> None:
    leave_dead_runs(stage, 10)
    processes = [stage.start("probe", "ok") for _ in range(3)]

    for process in processes:
        ended = end_of(process)
        assert ended.code == 0, ended.text
    assert {run["outcome"] for run in stage.runs("probe dead")} == {"crashed"}
    assert len(stage.alerts()) == 10 * OWNERS_TOLD


def test_a_sweep_that_fails_keeps_no_run_from_its_work(stage: Stage) -> None:
    leave_dead_runs(stage, 1)
    stage.query(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no'; END $$"
    )
    stage.query("CREATE TRIGGER refuse BEFORE INSERT ON alert EXECUTE FUNCTION refuse()")

    ended = stage("probe", "ok")
    assert ended.code == 0, ended.text
    assert "could not close dead runs" in ended.err
    assert stage.run("probe dead")["outcome"] is None, "outcome and alerts are one transaction"

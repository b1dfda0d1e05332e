"""Runs that died without a word are closed by others, each once."""

import threading
from datetime import timedelta

from cronops.contract.lock import renew
from cronops.contract.sweep import close_dead_runs
from tests.integration.contract.conftest import AMPLE_SECONDS, Stage, end_of
from tests.servers import wait_until

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


def leave_dead_lease(stage: Stage) -> None:
    stage.query(
        "INSERT INTO lease (token, key, owner_token, run_id, job, holder, expires_at)"
        " SELECT token, 'probe.dead', token, id, job, holder, clock_timestamp() FROM run"
    )


def test_a_run_that_begins_again_meanwhile_is_left_alone(stage: Stage) -> None:
    """Between the sweep's look and its hold on the row, the run's next pod takes it up."""
    leave_dead_runs(stage, 1)
    leave_dead_lease(stage)
    # The sweep's statement waits in the middle, behind the lock that the test holds.
    stage.query(
        "CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_advisory_xact_lock(7); RETURN pg_catalog.clock_timestamp(); END $$"
    )
    [(path,)] = stage.query("SELECT current_schema() || ', pg_catalog'")
    closed: list[int] = []

    def sweep() -> None:
        with stage.database.connect() as connection:
            connection.execute("SELECT set_config('search_path', %s, false)", (path,))
            with connection.transaction():
                closed.append(len(close_dead_runs(connection, stage.database.settings())))

    thread = threading.Thread(target=sweep)
    with stage.database.connect() as other:
        other.execute("SELECT pg_advisory_lock(7)")
        thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        wait_until(lambda: stage.query(waiting) == [(1,)], AMPLE_SECONDS)
        with other.transaction():
            token = "UPDATE run SET token = nextval('lease_token') RETURNING token"
            other.execute(
                f"WITH new AS ({token}) UPDATE lease SET token = new.token,"
                " owner_token = new.token, expires_at = clock_timestamp() + interval '1 minute'"
                " FROM new"
            )
    thread.join(60)

    assert closed == [0]
    assert stage.run("probe dead")["outcome"] is None
    assert stage.query("SELECT expires_at > clock_timestamp() FROM lease") == [(True,)]


def test_a_lease_that_is_renewed_meanwhile_is_left_alone(stage: Stage) -> None:
    """The holder was late, and its heartbeat comes while the sweep is at work."""
    leave_dead_runs(stage, 1)
    leave_dead_lease(stage)
    with stage.database.connect() as late, stage.database.connect() as connection:
        with late.transaction(), connection.transaction():
            renew(late, stage.query("SELECT token FROM run")[0][0], timedelta(minutes=1))
            assert close_dead_runs(connection, stage.database.settings()) == []
        assert stage.query("SELECT expires_at > clock_timestamp() FROM lease") == [(True,)]
    assert stage.run("probe dead")["outcome"] is None

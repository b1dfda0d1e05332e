"""The switch and pauses: a run that is held back is skipped, and says why."""

from tests.integration.contract.conftest import Stage

SLOT = "--scheduled-at=2026-11-23T04:00:00Z"


def test_the_switch_holds_back_every_run(stage: Stage) -> None:
    ended = stage("probe", "ok", SLOT, CRONOPS_CRON_RUNNING="false")

    assert ended.code == 0
    run = stage.run("probe ok")
    assert (run["outcome"], run["exit_code"]) == ("skipped", 0)
    assert "CRONOPS_CRON_RUNNING" in run["reason"]
    assert stage.alerts() == []
    assert "succeeded" in stage("probe", "ok", SLOT).out, "a skip uses up no slot"


def test_a_pause_of_one_job_holds_back_that_one_until_it_is_resumed(stage: Stage) -> None:
    assert stage("pause", "probe", "ok", "--reason=stock count").code == 0

    ended = stage("probe", "ok", SLOT)
    assert ended.code == 0
    assert "skipped: the job is paused by " in ended.out
    assert ": stock count; end it with: cronops resume" in ended.out
    assert "succeeded" in stage("probe", "fail", "--times=0").out

    assert stage("resume", "probe", "ok").code == 0
    assert "succeeded" in stage("probe", "ok", SLOT).out


def test_a_pause_of_all_jobs_ends_by_itself(stage: Stage) -> None:
    assert stage("pause", "--all", "--until=1h", "--reason=upgrade").code == 0
    assert "skipped: all jobs are paused by " in stage("probe", "ok").out

    stage.query("UPDATE job_pause SET until = clock_timestamp()")
    assert "succeeded" in stage("probe", "ok").out


def test_a_pause_leaves_a_run_under_way_alone(stage: Stage) -> None:
    gate = stage.gate()
    process = stage.start("probe", "gate", *gate.arguments)
    assert gate.pid
    assert stage("pause", "--all", "--reason=upgrade").code == 0
    gate.open()

    assert process.wait(60) == 0
    assert stage.run("probe gate")["outcome"] == "succeeded"

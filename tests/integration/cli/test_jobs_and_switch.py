"""``cronops jobs``, ``pause`` and ``resume``."""

from datetime import UTC, datetime, timedelta

PROMISED = {
    *("cr", "name", "command", "lock", "timeout_seconds", "retry", "retry_safe", "idempotency"),
    *("metrics", "accountable", "responsible", "consulted"),
}


def test_jobs_list_has_built_in_and_installed_jobs_with_all_that_was_promised(operator, probe):
    jobs = {job["name"]: job for job in operator.json("jobs", "list")}
    assert {"queue process", "queue clean", "probe hang"} <= set(jobs)
    for job in jobs.values():
        assert set(job) >= PROMISED
        assert all(isinstance(job[key], list) for key in ("accountable", "consulted", "metrics"))
    process = jobs["queue process"]
    assert process["cr"] == "CR-006"
    assert process["command"] == "cronops queue process"
    assert process["lock"] == "cron.queue.process.{queue}"
    assert process["retry_safe"] is True
    hang = jobs["probe hang"]
    assert hang["timeout_seconds"] == 2
    assert hang["retry"] == {
        "on": ["TransientError"],
        "attempts": 3,
        "initial_seconds": 0.1,
        "maximum_seconds": 60,
    }
    assert hang["accountable"] == ["Vehicle Data"]
    assert jobs["probe ok"]["consulted"] == ["Webshop"]
    assert 'cronops_last_run_count{count="things"}' in jobs["probe ok"]["metrics"]


def test_jobs_list_for_people(operator, probe):
    lines = operator.do("jobs", "list").splitlines()
    assert lines[0].split()[:4] == ["COMMAND", "CR", "LOCK", "TIMEOUT"]
    (line,) = [line for line in lines if line.startswith("cronops probe hang")]
    assert line.split()[3:6] == ["X-001", "probe.hang", "2s"]


def test_a_job_that_cannot_be_imported_is_named_and_the_others_are_listed(cli, probe, tmp_path):
    broken = tmp_path / "broken"
    (broken / "broken-1.0.dist-info").mkdir(parents=True)
    (broken / "broken-1.0.dist-info" / "entry_points.txt").write_text(
        "[cronops.jobs]\nbroken.job = broken_pkg:job\n"
    )
    (broken / "broken_pkg.py").write_text("import there_is_no_such_module\n")
    path = f"{broken}:{cli.database.env['PYTHONPATH']}"
    listed = cli("jobs", "list", env={"PYTHONPATH": path})
    assert listed.returncode == 0
    assert "cronops probe hang" in listed.stdout
    assert "warning: broken job: " in listed.stderr
    assert "there_is_no_such_module" in listed.stderr
    helped = cli("--help", env={"PYTHONPATH": path})
    assert "broken job" in helped.stdout
    assert "(from broken)" in helped.stdout
    checked = cli("doctor", env={"PYTHONPATH": path})
    assert checked.returncode == 1
    assert "FAIL  jobs: " in checked.stdout


def test_a_job_that_another_command_hides_is_found_by_the_doctor(cli, tmp_path):
    (tmp_path / "taken-1.0.dist-info").mkdir()
    (tmp_path / "taken-1.0.dist-info" / "entry_points.txt").write_text(
        "[cronops.jobs]\nqueue.status = taken_pkg:status\n"
    )
    (tmp_path / "taken_pkg.py").write_text(
        "from datetime import timedelta\n"
        "from cronops import Retry, job\n"
        "@job('queue status', cr='X-1000', lock='x', timeout=timedelta(1), retry=Retry.never(),\n"
        "     idempotency='none', accountable='Webshop', responsible='Shared Ops')\n"
        "def status(ctx): ...\n"
    )
    env = {"PYTHONPATH": f"{tmp_path}:{cli.database.env.get('PYTHONPATH', '')}"}
    checked = cli("doctor", env=env)
    assert checked.returncode == 1
    assert "job 'queue status' cannot be called: another command has that name" in checked.stdout
    assert "Show how many messages" in cli("queue", "status", "--help", env=env).stdout


def test_jobs_show(operator, probe):
    text = operator.do("jobs", "show", "probe", "hang")
    assert "lock         probe.hang; a run that finds it held skips" in text
    assert operator.json("jobs", "show", "probe hang")["name"] == "probe hang"
    code, said = operator.fail("jobs", "show", "probe", "hnag")
    assert (code, "no job is called 'probe hnag'; did you mean 'probe hang'" in said) == (64, True)


def test_a_paused_job_is_skipped_until_it_is_resumed(operator, cli, probe):
    operator.do("pause", "probe", "ok", "--until", "2h", "--reason", "stock migration")
    (pause,) = operator.json("pause")
    assert (pause["job"], pause["paused_by"], pause["over"]) == ("probe ok", "ada", False)
    until = datetime.fromisoformat(pause["until"])
    assert timedelta(hours=1) < until - datetime.now(UTC) < timedelta(hours=3)
    assert "stock migration" in operator.do("pause")

    run = cli("probe", "ok")
    assert run.returncode == 0
    assert "skipped" in run.stdout
    assert "paused by ada" in run.stdout

    assert operator.do("resume", "probe ok") == "Resumed probe ok.\n"
    assert operator.do("resume", "probe ok") == "There was no pause of probe ok.\n"
    assert operator.do("pause") == "Nothing is paused.\n"
    assert "succeeded" in cli("probe", "ok").stdout
    assert operator.audited() == [
        ("pause", "probe ok", "stock migration"),
        ("resume", "probe ok", None),
    ]


def test_pausing_all_and_resuming_one_says_that_all_are_still_paused(cli, operator, probe):
    paused = operator.json("pause", "--all", "--reason", "upgrade")
    assert paused == {"job": "*", "paused": True, "until": None}
    assert "all jobs" in operator.do("pause")
    resumed = cli("resume", "probe", "ok")
    assert "all jobs are still paused" in resumed.stderr
    assert operator.json("resume", "--all")["was_paused"] is True


def test_a_job_that_is_gone_can_still_be_resumed(operator, database):
    database.query("INSERT INTO job_pause VALUES ('old job', now(), 'bob', 'it was broken')")
    assert operator.do("resume", "old", "job") == "Resumed old job.\n"
    code, said = operator.fail("resume", "old", "job")
    assert (code, "no job is called 'old job'" in said) == (64, True)


def test_pause_refuses_what_makes_no_sense(operator, probe):
    for words, expected in (
        (("pause", "probe", "oki", "--reason", "x"), "no job is called 'probe oki'"),
        (("pause", "probe", "ok"), "--reason"),
        (("pause", "--all"), "--reason"),
        (("pause", "--reason", "x"), "name the job"),
        (("pause", "probe", "ok", "--all", "--reason", "x"), "not both"),
        (("resume",), "name the job"),
    ):
        code, said = operator.fail(*words)
        assert (code, expected in said) == (64, True), said
    code, said = operator.fail("pause", "probe", "ok", "--reason", "x", "--until", "soon")
    assert (code, "'soon' is no time" in said) == (2, True)
    assert operator.audited() == []

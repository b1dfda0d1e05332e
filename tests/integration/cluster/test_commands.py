"""``cronops cluster`` as an operator runs it, against an API server in this process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
import yaml

from tests.commands import run_cronops
from tests.partners.kube_api import KubeApi, kube_api

ROOT = Path(__file__).parents[3]
SPACE = "cronops-staging"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def api() -> Iterator[KubeApi]:
    with kube_api() as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two schedules of the repository's file, in staging."""
    said = yaml.safe_load((ROOT / "schedules.yaml").read_text())
    kept = ("queue-process-general", "dwh-update-counters")
    left_out = {one["cr"] for one in said["schedules"] if one["name"] not in kept}
    said["schedules"] = [one for one in said["schedules"] if one["name"] in kept]
    left_out -= {one["cr"] for one in said["schedules"]}
    unscheduled = said.setdefault("unscheduled", [])
    known = {one["cr"] for one in unscheduled}
    unscheduled += [{"cr": cr, "why": "not tried"} for cr in sorted(left_out - known)]
    path = tmp_path / "schedules.yaml"
    path.write_text(yaml.safe_dump(said, sort_keys=False))
    return path


@pytest.fixture
def run(api: KubeApi, tmp_path: Path) -> Run:
    config = api.kubeconfig(tmp_path, SPACE)

    def command(*words: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        env = {**os.environ, "KUBECONFIG": str(config), "CRONOPS_OPERATOR": "ada"}
        done = run_cronops("cluster", *words, env=env, cwd=tmp_path)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        assert "t0ken" not in done.stdout + done.stderr
        return done

    return command


@pytest.fixture
def applied(run: Run, file: Path) -> None:
    run("apply", "--env", "staging")


def cron_job(api: KubeApi, name: str = "dwh-update-counters") -> dict[str, Any]:
    return api.named("cronjobs", name)


def change(file: Path, act: Callable[[dict[str, Any]], None]) -> None:
    said = yaml.safe_load(file.read_text())
    act(said)
    file.write_text(yaml.safe_dump(said, sort_keys=False))


def test_applied_it_differs_no_more(api: KubeApi, run: Run, file: Path) -> None:
    before = run("diff", "--env", "staging", code=1)
    assert "+kind: CronJob" in before.stdout
    assert api.objects == {}, "a diff writes nothing"
    plan = run("apply", "--env", "staging", "--dry-run")
    assert "would create CronJob/dwh-update-counters" in plan.stdout
    assert api.objects == {}

    run("apply", "--env", "staging")

    assert api.names("cronjobs") == ["dwh-update-counters", "queue-process-general"]
    inventory = api.named("configmaps", "cronops-inventory-staging")["data"]
    assert inventory["state"] == "applied"
    assert inventory["actor"] == "ada"
    assert "CronJob/dwh-update-counters" in json.loads(inventory["objects"])
    assert run("diff", "--env", "staging").stdout == ""
    assert "0 created, 0 changed" in run("apply", "--env", "staging").stderr


def test_only_what_was_recorded_and_is_labelled_goes(
    api: KubeApi, run: Run, file: Path, applied: None
) -> None:
    strange = f"/apis/batch/v1/namespaces/{SPACE}/cronjobs/of-others"
    api.keep(strange, {"kind": "CronJob", "metadata": {"name": "of-others"}, "spec": {}})
    change(file, lambda said: said["schedules"].pop())
    change(file, lambda said: said["unscheduled"].append({"cr": "CR-004", "why": "not tried"}))
    assert "would prune CronJob/dwh-update-counters" in (
        run("apply", "--env", "staging", "--dry-run").stdout
    )
    del cron_job(api)["metadata"]["labels"]["app.kubernetes.io/managed-by"]
    run("apply", "--env", "staging")
    assert "dwh-update-counters" in api.names("cronjobs"), "it lost the label that makes it ours"
    assert "dwh-update-counters" not in api.names("serviceaccounts")
    assert "of-others" in api.names("cronjobs")


def test_one_that_is_refused_stops_the_pruning_only(
    api: KubeApi, run: Run, file: Path, applied: None
) -> None:
    change(file, lambda said: said["schedules"].pop())
    change(file, lambda said: said["unscheduled"].append({"cr": "CR-004", "why": "not tried"}))
    api.refuse["cronjobs/queue-process-general"] = (422, "spec.x: Invalid value")
    done = run("apply", "--env", "staging", code=1)
    assert "refused CronJob/queue-process-general: " in done.stderr
    assert "spec.x: Invalid value" in done.stderr
    assert "dwh-update-counters" in api.names("cronjobs")
    listed = json.loads(api.named("configmaps", "cronops-inventory-staging")["data"]["objects"])
    assert "CronJob/dwh-update-counters" in listed, "or it would never be pruned"


@pytest.mark.parametrize("writes", [1, 2, 5, 9, 12])
def test_killed_at_any_write_the_next_apply_knows_everything(
    api: KubeApi, run: Run, file: Path, tmp_path: Path, applied: None, writes: int
) -> None:
    def swap(said: dict[str, Any]) -> None:
        said["schedules"].pop()
        said["schedules"][0]["name"] = "queue-process-renamed"
        said["unscheduled"].append({"cr": "CR-004", "why": "not tried"})

    change(file, swap)
    left = writes
    process: list[subprocess.Popen[bytes]] = []

    def killed(_path: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            process[0].kill()

    api.written = killed
    command = [sys.executable, "-m", "cronops", "cluster", "apply", "--env", "staging"]
    env = {**os.environ, "KUBECONFIG": str(tmp_path / "kubeconfig")}
    process.append(
        subprocess.Popen(
            command, env=env, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    )
    assert process[0].wait(timeout=60) == -9
    listed = json.loads(api.named("configmaps", "cronops-inventory-staging")["data"]["objects"])
    there = {f"CronJob/{name}" for name in api.names("cronjobs")}
    assert there <= set(listed)

    run("apply", "--env", "staging")

    assert api.names("cronjobs") == ["queue-process-renamed"]
    assert api.names("serviceaccounts") == ["cronops-migration", "queue-process-renamed"]


def test_what_others_have_set_is_theirs_unless_forced(
    api: KubeApi, run: Run, file: Path, applied: None
) -> None:
    path = next(path for path in api.objects if path.endswith("cronjobs/dwh-update-counters"))
    place = ("spec", "schedule")
    api.applied[path]["kubectl-edit"] = {place: "7 * * * *"}
    del api.applied[path]["cronops"][place]
    api.objects[path]["spec"]["schedule"] = "7 * * * *"
    done = run("diff", "--env", "staging", code=1)
    assert "others have set .spec.schedule (set by kubectl-edit)" in done.stdout
    run("apply", "--env", "staging", code=1)
    assert cron_job(api)["spec"]["schedule"] == "7 * * * *"
    run("apply", "--env", "staging", "--force-conflicts", "--yes")
    assert cron_job(api)["spec"]["schedule"] != "7 * * * *"


def test_a_suspension_outlives_an_apply(api: KubeApi, run: Run, file: Path, applied: None) -> None:
    run("suspend", "dwh-update-counters", "--reason", "looking", "--until", "2h", "--dry-run")
    assert cron_job(api)["spec"]["suspend"] is False
    run("suspend", "dwh-update-counters", "--reason", "looking", "--until", "2h")
    said = cron_job(api)["metadata"]["annotations"]
    assert (said["cronops/suspended-by"], said["cronops/suspended-why"]) == ("ada", "looking")
    assert "by ada" in run("status").stdout

    kept = run("apply", "--env", "staging")

    assert "stays suspended: dwh-update-counters, by ada" in kept.stderr
    assert cron_job(api)["spec"]["suspend"] is True
    run("apply", "--env", "staging", "--resume", "--yes")
    assert cron_job(api)["spec"]["suspend"] is False
    said = cron_job(api)["metadata"]["annotations"]
    assert "cronops/suspended-by" not in said
    [past] = json.loads(said["cronops/suspensions"])
    assert (past["by"], past["why"]) == ("ada", "looking")


def test_resume_says_what_fires_and_asks(api: KubeApi, run: Run, applied: None) -> None:
    run("suspend", "dwh-update-counters", "--reason", "looking")
    spec = cron_job(api)["spec"]
    spec |= {"schedule": "* * * * *", "startingDeadlineSeconds": 450}
    last = datetime.now(UTC) - timedelta(minutes=5)
    cron_job(api)["status"] = {"lastScheduleTime": last.isoformat(timespec="seconds")}
    asked = run("resume", "dwh-update-counters", code=64)
    assert "starts at once" in asked.stderr
    assert "--yes" in asked.stderr
    assert cron_job(api)["spec"]["suspend"] is True
    assert "would resume" in run("resume", "dwh-update-counters", "--dry-run").stdout
    assert "no suspension is over" in run("resume", "--due").stderr
    run("resume", "dwh-update-counters", "--yes")
    assert cron_job(api)["spec"]["suspend"] is False
    assert "is not suspended" in run("resume", "dwh-update-counters").stderr


def finish(api: KubeApi, job: str, code: int, message: str, log: str) -> None:
    """What a node and the Job controller would do."""
    path = next(path for path in api.objects if path.endswith(f"/jobs/{job}"))
    kind = "Failed" if code else "Complete"
    api.objects[path]["status"] = {"conditions": [{"type": kind, "status": "True"}]}
    pod = f"{job}-abcde"
    ended = {"exitCode": code, "reason": "Error" if code else "Completed", "message": message}
    api.keep(
        f"/api/v1/namespaces/{SPACE}/pods/{pod}",
        {
            "metadata": {"name": pod, "labels": {"batch.kubernetes.io/job-name": job}},
            "spec": {"containers": [{"name": "job"}]},
            "status": {
                "phase": kind,
                "containerStatuses": [{"name": "job", "state": {"terminated": ended}}],
            }
            | {"phase": "Failed" if code else "Succeeded"},
        },
    )
    api.logs[pod] = "".join(
        f"2026-11-26T10:00:0{n}.5Z {line}\n" for n, line in enumerate(log.split())
    )


RECEIPT = '{"run_id": "r-1", "outcome": "failed", "reason": "no", "counts": {"rows": 3}}'


def triggered(api: KubeApi, monkeypatch: pytest.MonkeyPatch, code: int, message: str) -> None:
    """Let each Job that is created be done at once."""
    keep = api.keep

    def kept(path: str, one: dict[str, Any]) -> dict[str, Any]:
        made = keep(path, one)
        if "/jobs/" in path and "status" not in one:
            monkeypatch.setattr(api, "keep", keep)
            finish(api, one["metadata"]["name"], code, message, "one two")
        return made

    monkeypatch.setattr(api, "keep", kept)


def test_trigger_follows_prints_the_receipt_and_exits_with_its_code(
    api: KubeApi, run: Run, applied: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    triggered(api, monkeypatch, 65, RECEIPT)
    words = ("--scheduled-at", "2026-11-23T04:00:00Z", "--", "--rebuild", "--from", "2026-11-01")
    done = run("trigger", "dwh-update-counters", *words, code=65)
    assert done.stdout == "one\ntwo\nreceipt of r-1: failed: no (3 rows)\n"
    [job] = [one for one in api.names("jobs") if one.startswith("dwh-update-counters-t")]
    made = api.named("jobs", job)
    [container] = made["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["dwh", "update-counters", "--rebuild", "--from", "2026-11-01"]
    assert {"name": "CRONOPS_SCHEDULED_AT", "value": "2026-11-23T04:00:00Z"} in container["env"]
    [owner] = made["metadata"]["ownerReferences"]
    assert owner["uid"] == cron_job(api)["metadata"]["uid"]
    assert made["metadata"]["annotations"]["cronops/triggered-by"] == "ada"
    assert "one\ntwo\n" in run("logs", "dwh-update-counters").stdout
    lines = json.loads(run("logs", "dwh-update-counters", "--json").stdout)
    assert [line["text"] for line in lines] == ["one", "two"]


def test_trigger_that_dies_without_a_word(
    api: KubeApi, run: Run, applied: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    triggered(api, monkeypatch, 137, "")
    done = run("trigger", "dwh-update-counters", "--json", code=137)
    told = json.loads(done.stdout)
    assert told["succeeded"] is False
    assert told["exit_code"] == 137
    assert "one\ntwo\n" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("trigger", "dwh-update-counter"), 64, "did you mean 'dwh-update-counters'"),
        (("trigger", "dwh-update-counters", "--", "queue", "clean"), 64, "this schedule runs"),
        (("trigger", "dwh-update-counters", "--", "--no-such"), 65, "--no-such"),
        (("suspend", "dwh-update-counters", "--reason", "x", "--until", "-2h"), 2, "until"),
        (("resume",), 64, "--due"),
        (("logs", "dwh-update-counters"), 64, "has no job"),
        (("status", "--context", "no-such"), 78, "no-such"),
    ],
)
def test_rubbish_is_refused(
    api: KubeApi, run: Run, applied: None, words: tuple[str, ...], code: int, why: str
) -> None:
    before = json.dumps(api.objects)
    assert why in run(*words, code=code).stderr
    assert json.dumps(api.objects) == before


def test_a_cluster_that_is_not_there(run: Run, tmp_path: Path) -> None:
    config = json.loads((tmp_path / "kubeconfig").read_text())
    config["clusters"][0]["cluster"]["server"] = "http://127.0.0.1:1"
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    done = run("status", code=75)
    assert "cannot reach the cluster at http://127.0.0.1:1" in done.stderr
    (tmp_path / "kubeconfig").unlink()
    assert "no cluster is configured" in run("status", code=78).stderr


def test_no_schedule_changes_before_the_migration_is_done(
    api: KubeApi, run: Run, file: Path
) -> None:
    def failing(path: str) -> None:
        if "/jobs/" in path:
            finish(api, path.rpartition("/")[2], 1, RECEIPT, "no rights")

    api.written = failing
    told = run("apply", "--env", "staging", "--migrate-first", code=1).stderr
    assert "the schedules wait for the migration" not in told, "it ended before it was asked for"
    [job] = [name for name in api.names("jobs") if "migration" in name]
    assert f"logs job/{job}; then delete that Job" in told
    assert api.names("cronjobs") == []
    inventory = api.named("configmaps", "cronops-inventory-staging")["data"]
    assert inventory["state"] == "applying"

    # It is put right: deleted, and made anew.
    api.written = lambda _path: None
    for path in [path for path in api.objects if f"/{job}" in path]:
        del api.objects[path]
        api.applied.pop(path, None)

    def done_at_last(path: str) -> None:
        if "/jobs/" in path:
            Timer(1.5, finish, (api, job, 0, RECEIPT, "upgraded")).start()

    api.written = done_at_last
    told = run("apply", "--env", "staging", "--migrate-first").stderr
    assert "the schedules wait for the migration" in told
    assert "\nupgraded\n" in told
    assert api.names("cronjobs") == ["dwh-update-counters", "queue-process-general"]
    assert "0 created, 0 changed" in run("apply", "--env", "staging", "--migrate-first").stderr


def test_stopped_while_the_migration_is_at_work(
    api: KubeApi, run: Run, file: Path, tmp_path: Path
) -> None:
    env = {**os.environ, "KUBECONFIG": str(tmp_path / "kubeconfig")}
    words = ("cluster", "apply", "--env", "staging", "--migrate-first")
    process = subprocess.Popen(
        [sys.executable, "-m", "cronops", *words],
        env=env,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    told = ""
    while "wait for the migration" not in told:
        line = process.stderr.readline()
        assert line, told
        told += line
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130, told + rest
    assert "no schedule was changed" in rest
    assert "nothing was changed" not in rest
    assert api.names("cronjobs") == []

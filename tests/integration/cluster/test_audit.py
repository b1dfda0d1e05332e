"""``cronops cluster audit``: a calendar, a history with gaps, and what a cluster has left."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run_cronops
from tests.databases import Database
from tests.partners.kube_api import KubeApi, kube_api

SPACE = "cronops"
HOUR = timedelta(hours=1)
Audit = Callable[..., dict[str, Any]]


class Scene:
    """CronJobs that start once an hour, their runs in the database, and what a cluster has.

    The last start was twenty minutes ago whatever the clock says, so that none comes due during
    a test.
    """

    def __init__(self, api: KubeApi, database: Database) -> None:
        self.api, self.database = api, database
        self.now = (datetime.now(UTC) - HOUR / 3).replace(second=0, microsecond=0)
        self.gap = self.now - 5 * HOUR

    def schedule(
        self,
        name: str,
        *,
        without: list[datetime],
        shards: int = 1,
        annotations: dict[str, str] | None = None,
        last: datetime | None = None,
        **spec: Any,
    ) -> None:
        """A CronJob that has run every hour of two days but `without`."""
        labels = {"app.kubernetes.io/name": "cronops", "cronops/schedule": name}
        template: dict[str, Any] = {"spec": {"containers": [{"name": "job"}]}}
        job: dict[str, Any] = {"template": template}
        if shards > 1:
            job |= {"completionMode": "Indexed", "completions": shards}
        meta = {"name": name, "uid": f"uid-{name}", "labels": labels}
        kept: dict[str, Any] = {
            "metadata": {**meta, "annotations": annotations or {}},
            "spec": {
                "schedule": f"{self.now.minute} * * * *",
                "timeZone": "Europe/Berlin",
                "suspend": False,
                "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": 300,
                "failedJobsHistoryLimit": 1,
                "jobTemplate": {"spec": job},
                **spec,
            },
            "status": {"lastScheduleTime": stamp(last or self.now)},
        }
        self.api.keep(f"/apis/batch/v1/namespaces/{SPACE}/cronjobs/{name}", kept)
        for hours in range(48):
            at = self.now - hours * HOUR
            for shard in range(shards) if at not in without else ():
                self.run(name, at, shard=str(shard) if shards > 1 else "")

    def run(
        self, name: str, at: datetime, *, shard: str = "", lasting: timedelta | None = None
    ) -> None:
        """A run in the history."""
        end = f"-{shard}" if shard else ""
        self.database.query(
            "INSERT INTO run (id, job, cr, schedule, scheduled_at, arguments_hash, shard,"
            " correlation_id, lock_key, holder, retry_safe, started_at, finished_at, outcome)"
            " VALUES (%s, 'x', 'CR-001', %s, %s, '', %s, '', 'x', 'pod', true, %s, %s, 'succeeded')"
            " ON CONFLICT (id) DO UPDATE SET finished_at = excluded.finished_at",
            (
                f"{name}-{int(at.timestamp()) // 60}{end}",
                name,
                at,
                shard,
                at + timedelta(seconds=3),
                at + (lasting or timedelta(seconds=9)),
            ),
        )

    def job(
        self,
        name: str,
        at: datetime,
        *,
        end: str | None = "Failed",
        pod: dict[str, Any] | None = None,
        ended_at: datetime | None = None,
        index: str | None = None,
        **status: Any,
    ) -> str:
        """A Job that the controller made for a time, and its pod."""
        job = f"{name}-{int(at.timestamp()) // 60}"
        owner = {"kind": "CronJob", "name": name, "uid": f"uid-{name}"}
        labels = {"cronops/schedule": name}
        done = {"type": end, "status": "True", "lastTransitionTime": stamp(ended_at or at + HOUR)}
        done["message"] = "Job has reached the specified backoff limit"
        self.api.keep(
            f"/apis/batch/v1/namespaces/{SPACE}/jobs/{job}",
            {
                "metadata": {
                    "name": job,
                    "labels": labels,
                    "ownerReferences": [owner],
                    "creationTimestamp": stamp(at),
                },
                "spec": {},
                "status": {"conditions": [done] if end else [], **status},
            },
        )
        if pod is not None:
            told = labels | {"batch.kubernetes.io/job-name": job}
            if index is not None:
                told["batch.kubernetes.io/job-completion-index"] = index
            self.api.keep(
                f"/api/v1/namespaces/{SPACE}/pods/{job}-abcde",
                {
                    "metadata": {
                        "name": f"{job}-abcde",
                        "labels": told,
                        "creationTimestamp": stamp(datetime.now(UTC)),
                    },
                    "spec": {"containers": [{"name": "job"}]},
                    "status": pod,
                },
            )
        return job

    def event(self, kind: str, name: str, reason: str, message: str, at: datetime) -> None:
        """An event about a CronJob or a Job."""
        self.api.keep(
            f"/api/v1/namespaces/{SPACE}/events/{name}.{reason}",
            {
                "metadata": {"name": f"{name}.{reason}"},
                "involvedObject": {"kind": kind, "name": name},
                "reason": reason,
                "message": message,
                "firstTimestamp": stamp(at),
                "lastTimestamp": stamp(at),
            },
        )


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def container(**state: Any) -> dict[str, Any]:
    return {"phase": "Pending", "containerStatuses": [{"name": "job", "state": state}]}


@pytest.fixture
def scene(database: Database) -> Iterator[Scene]:
    with kube_api() as api:
        yield Scene(api, database)


@pytest.fixture
def audit(scene: Scene, tmp_path: Path) -> Audit:
    config = scene.api.kubeconfig(tmp_path, SPACE)

    def command(*words: str, code: int = 0) -> dict[str, Any]:
        env = {**os.environ, **scene.database.env, "KUBECONFIG": str(config)}
        done = run_cronops("cluster", "audit", "--json", *words, env=env, cwd=tmp_path)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        told: dict[str, Any] = json.loads(done.stdout)
        told["stderr"] = done.stderr
        return told

    return command


def of(told: dict[str, Any], name: str) -> dict[str, Any]:
    [one] = [one for one in told["missing"] if one["schedule"] == name]
    return one


def test_nothing_is_missing(scene: Scene, audit: Audit) -> None:
    scene.schedule("whole", without=[])
    told = audit()
    assert told["missing"] == []
    assert told["expected"] == told["recorded"] == 24


def test_each_cause(scene: Scene, audit: Audit) -> None:
    said = {
        "cronops/suspensions": json.dumps(
            [{"from": stamp(scene.gap - HOUR / 2), "to": stamp(scene.now)}]
        )
    }
    scene.schedule("was-suspended", without=[scene.gap], annotations=said)
    said = {
        "cronops/suspended-by": "ada",
        "cronops/suspended-at": stamp(scene.gap - HOUR / 2),
        "cronops/suspended-why": "stocktaking",
    }
    since_then = [scene.gap + n * HOUR for n in range(7)]
    scene.schedule("is-suspended", without=since_then, annotations=said, suspend=True)
    scene.schedule("past-us", without=since_then, suspend=True, last=scene.gap - HOUR)

    scene.schedule("busy", without=[scene.gap])
    scene.run("busy", scene.gap - HOUR, lasting=HOUR * 1.5)
    scene.schedule("busy-by-job", without=[scene.gap])
    scene.job("busy-by-job", scene.gap - HOUR, ended_at=scene.gap + HOUR / 2)
    scene.schedule("busy-by-event", without=[scene.gap])
    why = "Not starting job because prior execution is running"
    scene.event("CronJob", "busy-by-event", "JobAlreadyActive", why, scene.gap)

    scene.schedule("deadline", without=[scene.gap])
    scene.schedule("deadline-by-event", without=[scene.gap])
    scene.job("deadline-by-event", scene.now - HOUR, ended_at=scene.now)
    why = f"Missed scheduled time to start a job: {format_datetime(scene.gap)}"
    scene.event("CronJob", "deadline-by-event", "MissSchedule", why, scene.gap)
    scene.schedule("refused", without=[scene.gap])
    scene.event("CronJob", "refused", "FailedCreate", "Error creating job: quota", scene.gap)

    scene.schedule("no-pod", without=[scene.gap])
    job = scene.job("no-pod", scene.gap)
    scene.event("Job", job, "FailedCreate", "Error creating: exceeded quota", scene.gap)
    scene.schedule("no-node", without=[scene.gap])
    unscheduled = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}
    scene.job("no-node", scene.gap, end=None, pod={"phase": "Pending", "conditions": [unscheduled]})
    scene.schedule("no-image", without=[scene.gap])
    waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
    scene.job("no-image", scene.gap, end=None, pod=container(waiting=waiting))

    scene.schedule("killed", without=[scene.gap])
    scene.job(
        "killed", scene.gap, pod=container(terminated={"exitCode": 137, "reason": "OOMKilled"})
    )
    scene.schedule("killed-and-gone", without=[scene.gap])
    scene.job("killed-and-gone", scene.gap, failed=3)
    scene.schedule("mute", without=[scene.gap])
    receipt = json.dumps({"outcome": "failed", "reason": "cannot reach the database"})
    ended = {"exitCode": 75, "reason": "Error", "message": receipt}
    scene.job("mute", scene.gap, pod=container(terminated=ended))

    scene.schedule("cleared-away", without=[scene.gap])
    scene.job("cleared-away", scene.now - HOUR)
    scene.schedule("job-gone", without=[scene.gap, *since_then], last=scene.gap)

    told = audit(code=1)
    causes = {
        one["schedule"]: one["cause"] for one in told["missing"] if stamp(scene.gap) in one["slots"]
    }
    assert causes == {
        "was-suspended": "suspended",
        "is-suspended": "suspended",
        "past-us": "suspended",
        "busy": "skipped by Forbid",
        "busy-by-job": "skipped by Forbid",
        "busy-by-event": "skipped by Forbid",
        "deadline": "deadline passed",
        "deadline-by-event": "deadline passed",
        "refused": "pod never started",
        "no-pod": "pod never started",
        "no-node": "pod never started",
        "no-image": "image pull",
        "killed": "died without a word",
        "killed-and-gone": "died without a word",
        "mute": "not recorded",
        "cleared-away": "not known",
        "job-gone": "not known",
    }
    assert "stocktaking" in of(told, "is-suspended")["why"]
    assert of(told, "is-suspended")["times"] == 6, "up to now, and no further"
    assert "cannot reach the database" in of(told, "mute")["why"]
    assert "ImagePullBackOff" in of(told, "no-image")["why"]
    assert f"busy-{int((scene.gap - HOUR).timestamp()) // 60}" in of(told, "busy")["why"]
    assert "OOMKilled" in of(told, "killed")["why"]


def test_what_was_meant_is_no_failure(scene: Scene, audit: Audit) -> None:
    said = {
        "cronops/suspensions": json.dumps(
            [{"from": stamp(scene.gap - HOUR / 2), "to": stamp(scene.now)}]
        )
    }
    scene.schedule("was-suspended", without=[scene.gap], annotations=said)
    assert of(audit(code=0), "was-suspended")["cause"] == "suspended"


def test_a_schedule_that_was_edited(scene: Scene, audit: Audit) -> None:
    scene.schedule("moved", without=[scene.now - n * HOUR for n in range(5, 30)])
    for hours in range(5, 30):
        scene.run("moved", scene.now - hours * HOUR + timedelta(minutes=20))
    [one] = audit(code=0)["missing"]
    assert one["cause"] == "other times then"
    assert one["last"] == stamp(scene.now - 5 * HOUR)


def test_shards_that_lack_one(scene: Scene, audit: Audit) -> None:
    scene.schedule("shared", without=[scene.gap], shards=3)
    scene.run("shared", scene.gap, shard="0")
    scene.run("shared", scene.gap, shard="2")
    ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    scene.job("shared", scene.gap, pod=container(**ended), index="1")
    [one] = audit(code=1)["missing"]
    assert (one["shards"], one["cause"], one["slots"]) == (
        ["1"],
        "died without a word",
        [stamp(scene.gap)],
    )


def test_what_may_still_come_is_not_missing(scene: Scene, audit: Audit) -> None:
    scene.schedule("late", without=[scene.now], last=scene.now - HOUR, startingDeadlineSeconds=7200)
    scene.schedule("starting", without=[scene.now])
    scene.job("starting", scene.now, end=None, pod={"phase": "Pending"})
    scene.schedule("at-work", without=[scene.gap])
    scene.job("at-work", scene.gap, end=None, pod=container(running={}))
    told = audit()
    assert told["missing"] == []
    assert told["pending"] == 3


def test_one_that_was_never_applied(scene: Scene, audit: Audit, tmp_path: Path) -> None:
    scene.schedule("queue-clean", without=[])
    (tmp_path / "schedules.yaml").write_text(
        (Path(__file__).parents[3] / "schedules.yaml").read_text()
    )
    told = audit("--env", "staging", "-n", SPACE, code=1)
    absent = {one["schedule"]: one for one in told["missing"]}
    assert "queue-clean" not in absent
    assert absent["queue-process-general"]["cause"] == "not in the cluster"


def test_runs_left_open_are_closed_and_told(scene: Scene, audit: Audit) -> None:
    scene.schedule("whole", without=[])
    scene.database.query(
        "INSERT INTO run (id, job, cr, arguments_hash, correlation_id, lock_key, token, holder,"
        " retry_safe, accountable, responsible, schedule, started_at)"
        " SELECT 'dead-' || n, 'x', 'CR-001', '', '', 'x', nextval('lease_token'), 'pod-7', true,"
        " '{Vehicle Data}', 'Shared Ops', 'whole', clock_timestamp() - interval '1 hour'"
        " FROM generate_series(1, 45) AS n"
    )
    open_runs = "SELECT count(*) FROM run WHERE outcome IS NULL"
    told = audit("--dry-run", code=1)
    assert len(told["closed"]) == 45
    assert scene.database.query(open_runs) == [(45,)]
    assert scene.database.query("SELECT count(*) FROM alert") == [(0,)]

    told = audit(code=1)
    assert len(told["closed"]) == 45
    assert scene.database.query(open_runs) == [(0,)]
    told_of = "SELECT DISTINCT run_id FROM alert WHERE delivered_at IS NOT NULL"
    assert len(scene.database.query(told_of)) == 45
    assert audit()["closed"] == []


DEAD = (
    "INSERT INTO run (id, job, cr, arguments_hash, correlation_id, lock_key, token, holder,"
    " retry_safe, backoff_limit, accountable, responsible)"
    " VALUES ('dead', 'x', 'CR-001', '', '', 'x', nextval('lease_token'), 'pod-7', true, 3,"
    " '{Vehicle Data}', 'Shared Ops') RETURNING token"
)


def test_a_dry_run_touches_nobody(scene: Scene, audit: Audit) -> None:
    """Not even the sessions of a process that is merely late; a standby is good enough for it."""
    scene.schedule("whole", without=[])
    [(token,)] = scene.database.query(DEAD)
    with scene.database.connect() as late:
        late.execute(f"SET application_name = 'cronops run {token} x'")
        [(name,)] = scene.database.query("SELECT current_database()")
        scene.database.query(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        assert [run["id"] for run in audit("--dry-run", code=1)["closed"]] == ["dead"]
        assert late.execute("SELECT 1").fetchone() == (1,)


def test_nothing_is_closed_for_a_slip_of_the_pen(scene: Scene, audit: Audit) -> None:
    scene.schedule("whole", without=[])
    scene.database.query(DEAD)
    with pytest.raises(json.JSONDecodeError):
        audit("hole", code=64)
    assert scene.database.query("SELECT outcome FROM run WHERE id = 'dead'") == [(None,)]


def test_what_was_held_back_is_told_by_the_next_audit(scene: Scene, audit: Audit) -> None:
    """A pod that is to be tried again may never come; nor need any other that would tell."""
    scene.schedule("whole", without=[])
    scene.database.query(DEAD)
    told = "SELECT count(*) FROM alert WHERE delivered_at IS NOT NULL"
    audit(code=1)
    assert scene.database.query(told) == [(0,)]
    scene.database.query("UPDATE alert SET available_at = clock_timestamp()")
    assert audit()["closed"] == []
    assert scene.database.query(told) == [(2,)]


def test_one_schedule(scene: Scene, audit: Audit) -> None:
    scene.schedule("whole", without=[])
    scene.schedule("gap", without=[scene.gap])
    assert audit("whole")["missing"] == []
    assert audit("gap", "--since", "2h")["missing"] == []
    assert audit("gap", "--since", "8h", code=1)["expected"] == 8


def test_another_database(scene: Scene, audit: Audit) -> None:
    every = [scene.now - n * HOUR for n in range(48)]
    scene.schedule("nothing", without=every, last=scene.now - 48 * HOUR)
    told = audit(code=1)
    assert of(told, "nothing")["cause"] == "deadline passed"
    assert "is it the one that these pods work with" in told["stderr"]


def test_what_kept_no_time_from_starting(scene: Scene, audit: Audit) -> None:
    """Runs that look as if they had been at work: one found dead much later, one by hand."""
    scene.schedule("died", without=[scene.gap], last=scene.gap - HOUR)
    scene.run("died", scene.gap - HOUR, lasting=5 * HOUR)
    scene.database.query("UPDATE run SET outcome = 'crashed' WHERE finished_at - started_at > '1h'")
    scene.schedule("by-hand", without=[scene.gap], last=scene.gap - HOUR)
    scene.run("by-hand", scene.gap - HOUR, lasting=2 * HOUR)
    scene.database.query(
        "UPDATE run SET id = 'by-hand-tbcdfghjk' WHERE finished_at - started_at > '1h'"
        " AND schedule = 'by-hand'"
    )
    told = audit(code=1)
    assert {one["schedule"]: one["cause"] for one in told["missing"]} == {
        "died": "deadline passed",
        "by-hand": "deadline passed",
    }


def test_one_of_many_shards_was_at_work(scene: Scene, audit: Audit) -> None:
    scene.schedule("shared", without=[scene.gap], shards=12)
    scene.run("shared", scene.gap - HOUR, shard="0", lasting=2 * HOUR)
    scene.database.query(
        "UPDATE run SET started_at = started_at - interval '1 s' WHERE shard = '0'"
    )
    assert of(audit(), "shared")["cause"] == "skipped by Forbid"


def test_history_begins_where_nothing_was_cleared_away(scene: Scene, audit: Audit) -> None:
    """Runs go by their end: one that took long is left of a time whose others are gone."""
    scene.schedule("hourly", without=[scene.now - n * HOUR for n in range(12, 48)])
    scene.run("weekly", scene.now - 20 * HOUR, lasting=9 * HOUR)
    told = audit("hourly", "--since", "40h")
    assert told["missing"] == []
    assert "history of runs begins" in told["stderr"]


def test_what_a_new_installation_missed_before_its_first_run_counts(
    scene: Scene, audit: Audit
) -> None:
    scene.schedule("new", without=[scene.now - n * HOUR for n in range(4, 48)])
    made = stamp(scene.now - 6 * HOUR - HOUR / 2)
    scene.api.named("cronjobs", "new")["metadata"]["creationTimestamp"] = made
    missing = of(audit("--since", "40h", code=1), "new")
    assert missing["slots"] == [stamp(scene.now - n * HOUR) for n in (6, 5, 4)]


def test_a_run_that_ends_while_the_cluster_is_asked(scene: Scene, audit: Audit) -> None:
    """The database was read before it began, and the cluster after it had ended."""
    scene.schedule("quick", without=[scene.now])
    receipt = json.dumps({"outcome": "succeeded"})
    terminated = {"exitCode": 0, "reason": "Completed", "message": receipt}
    scene.job("quick", scene.now, end="Complete", pod=container(terminated=terminated))

    class Requests(list[tuple[str, str, dict[str, str]]]):
        def append(self, one: tuple[str, str, dict[str, str]]) -> None:
            super().append(one)
            if one[1].endswith("/jobs"):
                scene.run("quick", scene.now)
                begun = "UPDATE run SET started_at = clock_timestamp() WHERE scheduled_at = %s"
                scene.database.query(begun, (scene.now,))

    scene.api.requests = Requests()
    told = audit()
    assert (told["missing"], told["pending"]) == ([], 0)
    assert told["expected"] == told["recorded"]


def test_shards_that_lack_it_for_causes_of_their_own(scene: Scene, audit: Audit) -> None:
    scene.schedule("shared", without=[scene.gap], shards=3)
    scene.run("shared", scene.gap, shard="2")
    job = scene.job(
        "shared", scene.gap, end=None, pod=container(waiting={"reason": "ErrImagePull"})
    )
    path = f"/api/v1/namespaces/{SPACE}/pods/{job}-"
    killed = {"exitCode": 137, "reason": "OOMKilled"}
    for index, state in (
        ("0", {"terminated": killed}),
        ("1", {"waiting": {"reason": "ErrImagePull"}}),
    ):
        labels = {
            "cronops/schedule": "shared",
            "batch.kubernetes.io/job-name": job,
            "batch.kubernetes.io/job-completion-index": index,
        }
        scene.api.keep(
            path + index,
            {
                "metadata": {"name": f"{job}-{index}", "labels": labels},
                "spec": {"containers": [{"name": "job"}]},
                "status": container(**state),
            },
        )
    assert [(one["cause"], one["shards"]) for one in audit(code=1)["missing"]] == [
        ("died without a word", ["0"]),
        ("image pull", ["1"]),
    ]


def test_the_longest_span(scene: Scene, audit: Audit) -> None:
    scene.schedule("whole", without=[])
    assert audit("--since", "400d")["missing"] == []
    with pytest.raises(json.JSONDecodeError):
        audit("--since", "401d", code=64)


def test_a_run_may_keep_several_times_from_starting(scene: Scene, audit: Audit) -> None:
    without = [scene.gap, scene.gap + HOUR, scene.gap + 2 * HOUR]
    scene.schedule("long", without=without, last=scene.gap - HOUR)
    scene.run("long", scene.gap - HOUR, lasting=2.5 * HOUR)
    told = {one["cause"]: one["slots"] for one in audit(code=1)["missing"]}
    assert told == {
        "skipped by Forbid": [stamp(scene.gap), stamp(scene.gap + HOUR)],
        "deadline passed": [stamp(scene.gap + 2 * HOUR)],
    }


def test_two_of_one_schedule(scene: Scene, audit: Audit) -> None:
    """As of two releases of the chart: their runs cannot be told apart, and neither is dropped."""
    scene.schedule("twice", without=[scene.gap])
    path = f"/apis/batch/v1/namespaces/{SPACE}/cronjobs/"
    other = json.loads(json.dumps(scene.api.objects[f"{path}twice"]))
    other["metadata"] |= {"name": "other-twice", "uid": "uid-other"}
    scene.api.keep(f"{path}other-twice", other)
    told = audit(code=1)
    assert "other-twice" in told["unreadable"]["twice"]
    assert told["missing"] == []


def test_a_database_that_takes_nothing(scene: Scene, audit: Audit) -> None:
    scene.schedule("whole", without=[])
    scene.database.query(DEAD)
    [(name,)] = scene.database.query("SELECT current_database()")
    scene.database.query(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    with pytest.raises(AssertionError) as told:
        audit()
    assert "defect" not in str(told.value)
    assert "--dry-run" in str(told.value)

"""The cluster commands, and the manifests' pods, from the first apply to the last prune.

One story: each test goes on from where the one before it ended.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cronops.cluster.kinds import CRON_JOB, JOB, SERVICE_ACCOUNT, labels_of, name_of
from cronops.cluster.pods import finished
from tests.e2e.stage import ENVIRONMENT, MINUTELY, NIGHTLY, Stage, stage

IN_ENVIRONMENT = ("--env", ENVIRONMENT)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, image: str) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("e2e"), image) as found:
        yield found


def names(here: Stage, kind: Any) -> list[str]:
    return sorted(name_of(one) for one in here.cluster.list(kind))


def started_by_itself(here: Stage) -> list[Any]:
    """The Jobs that the controller made, those that succeeded."""
    return [
        job
        for job in here.cluster.list(JOB, labels=f"cronops/schedule={MINUTELY}")
        if name_of(job).rpartition("-")[2].isdecimal() and (finished(job) or (False,))[0]
    ]


def test_a_diff_shows_everything_and_writes_nothing(here: Stage) -> None:
    told = here.run("diff", *IN_ENVIRONMENT, code=1)
    assert f"name: {MINUTELY}" in told.stdout
    assert names(here, CRON_JOB) == []


def test_applied_it_differs_no_more(here: Stage) -> None:
    here.run("apply", *IN_ENVIRONMENT, "--yes")
    assert names(here, CRON_JOB) == [NIGHTLY, MINUTELY]
    assert here.run("diff", *IN_ENVIRONMENT).stdout == ""
    assert "0 created, 0 changed" in here.run("apply", *IN_ENVIRONMENT).stderr


def test_the_migration_makes_the_tables(here: Stage) -> None:
    def migrated() -> bool:
        jobs = [one for one in here.cluster.list(JOB) if "migration" in name_of(one)]
        ended = [end for one in jobs if (end := finished(one))]
        assert all(succeeded for succeeded, _ in ended), ended
        return bool(ended)

    here.wait_for("the migration's Job is done", migrated)


def test_the_cluster_starts_a_run_and_it_succeeds(here: Stage) -> None:
    here.wait_for("a run succeeded", lambda: started_by_itself(here))
    told = here.status(MINUTELY)
    assert told["last_outcome"] == "succeeded"
    assert told["suspended"] is None
    assert told["next_run"]
    assert here.status(NIGHTLY)["last_run"] is None
    log = here.here("logs", MINUTELY).stdout
    assert "run succeeded" in log


def test_its_slot_is_used_up(here: Stage) -> None:
    job = started_by_itself(here)[-1]
    minutes = int(name_of(job).rpartition("-")[2])
    slot = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    told = here.here("trigger", MINUTELY, "--scheduled-at", slot.isoformat())
    assert "skipped" in told.stdout


def test_a_trigger_has_other_arguments_and_their_exit_code(here: Stage) -> None:
    here.here("trigger", MINUTELY, "--", "--no-such", code=65)
    told = here.here("trigger", MINUTELY, "--", "--queue=other", "--max-messages=1")
    assert "receipt of" in told.stdout
    done = here.here("trigger", MINUTELY, "--json", "--", "--until-empty", "--follow", code=64)
    told_by_pod = json.loads(done.stdout)
    assert (told_by_pod["succeeded"], told_by_pod["exit_code"]) == (False, 64)


def test_a_suspended_schedule_stays_so(here: Stage) -> None:
    here.here("suspend", MINUTELY, "--reason", "the trial", "--until", "1h")
    kept = here.run("apply", *IN_ENVIRONMENT)
    assert f"stays suspended: {MINUTELY}, by e2e" in kept.stderr
    assert "the trial" in here.status(MINUTELY)["suspended"]
    before = here.status(MINUTELY)["last_run"]
    time.sleep(90)
    assert here.status(MINUTELY)["last_run"] == before
    asked = here.here("resume", MINUTELY, code=64)
    assert "starts at once" in asked.stderr
    here.here("resume", MINUTELY, "--yes")
    here.wait_for("it starts again", lambda: here.status(MINUTELY)["last_run"] != before)


def test_what_somebody_edited_is_a_conflict(here: Stage) -> None:
    edited = {
        "apiVersion": CRON_JOB.api_version,
        "kind": CRON_JOB.name,
        "metadata": {"name": NIGHTLY, "namespace": here.namespace},
        "spec": {"schedule": "7 4 * * *"},
    }
    here.cluster.apply(edited, manager="an-editor", force=True)
    told = here.run("diff", *IN_ENVIRONMENT, code=1)
    assert "set by an-editor" in told.stdout
    here.run("apply", *IN_ENVIRONMENT, "--yes", code=1)
    here.run("apply", *IN_ENVIRONMENT, "--yes", "--force-conflicts")
    assert here.run("diff", *IN_ENVIRONMENT).stdout == ""


def test_an_image_that_cannot_be_pulled_is_told(here: Stage) -> None:
    here.cluster.apply(
        {
            "apiVersion": CRON_JOB.api_version,
            "kind": CRON_JOB.name,
            "metadata": {"name": NIGHTLY, "namespace": here.namespace},
            "spec": {
                "jobTemplate": {
                    "spec": {
                        "template": {
                            "spec": {
                                "containers": [
                                    {"name": "job", "image": "nowhere.invalid/cronops:none"}
                                ]
                            }
                        }
                    }
                }
            },
        },
        manager="an-editor",
        force=True,
    )
    started = here.here("trigger", NIGHTLY, "--detach", "--json")
    job = json.loads(started.stdout)["job"]

    def told() -> bool:
        return "image pull" in here.here("logs", NIGHTLY, "--job", job).stderr

    here.wait_for("logs tell that the image cannot be pulled", told)
    here.run("apply", *IN_ENVIRONMENT, "--yes", "--force-conflicts")


def test_an_audit_finds_no_time_without_a_cause(here: Stage) -> None:
    if here.database_url is None:
        pytest.skip("this machine does not reach the cluster's own database: give DATABASE_URL")
    told = json.loads(here.here("audit", "--json", "--since", "1h", code=None).stdout)
    assert told["recorded"] > 0
    causes = {one["cause"] for one in told["missing"]}
    assert causes <= {"suspended", "skipped by Forbid", "deadline passed"}


def test_what_is_no_longer_said_is_removed(here: Stage) -> None:
    def drop(said: dict[str, Any]) -> None:
        gone = next(one for one in said["schedules"] if one["name"] == NIGHTLY)
        said["schedules"].remove(gone)
        said["unscheduled"].append({"cr": gone["cr"], "why": "the trial is over"})

    here.change(drop)
    here.run("apply", *IN_ENVIRONMENT, "--yes")
    assert names(here, CRON_JOB) == [MINUTELY]
    assert NIGHTLY not in names(here, SERVICE_ACCOUNT)
    left = [
        one for one in here.cluster.list(JOB) if labels_of(one).get("cronops/schedule") == NIGHTLY
    ]
    here.wait_for("its Jobs are gone", lambda: not _still_there(here, left))


def _still_there(here: Stage, jobs: list[Any]) -> bool:
    return any(here.cluster.get(JOB, name_of(one)) for one in jobs)

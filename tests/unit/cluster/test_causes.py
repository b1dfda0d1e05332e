"""Causes of missing times, by the CronJob controller's own rules."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from cronops.cluster.causes import Cause, reason_of, spans_suspended
from cronops.cluster.gaps import Slot
from cronops.cluster.remains import Remains

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
AT = datetime(2026, 11, 26, 13, tzinfo=UTC)
NOW = AT + 5 * HOUR
SLOT = Slot(AT, AT + HOUR)
NAME = "queue-clean"


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def cron_job(*, last: datetime | None = NOW, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": NAME, "uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {
            "schedule": "0 * * * *",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 300,
            "jobTemplate": {"spec": {}},
            **spec,
        },
        "status": {"lastScheduleTime": stamp(last)} if last else {},
    }


def job(
    at: datetime,
    *,
    end: str | None = "Failed",
    reason: str = "BackoffLimitExceeded",
    ended_at: datetime | None = None,
    **status: Any,
) -> dict[str, Any]:
    done = {"type": end, "status": "True", "reason": reason}
    done["lastTransitionTime"] = stamp(ended_at or at + MINUTE)
    return {
        "metadata": {
            "name": f"{NAME}-{int(at.timestamp()) // 60}",
            "creationTimestamp": stamp(at),
        },
        "status": {"conditions": [done] if end else [], **status},
    }


def pod(job_: dict[str, Any], state: dict[str, Any], index: str = "", **status: Any) -> Any:
    labels = {"batch.kubernetes.io/job-completion-index": index} if index else {}
    meta = {"name": f"{job_['metadata']['name']}-x{index}", "labels": labels}
    meta["creationTimestamp"] = job_["metadata"]["creationTimestamp"]
    statuses = [{"name": "job", "state": state}]
    return {
        "metadata": meta,
        "spec": {"containers": [{"name": "job"}]},
        "status": {"containerStatuses": statuses, **status},
    }


def event(reason: str, message: str = "", **times: Any) -> dict[str, Any]:
    involved = {"kind": "CronJob", "name": NAME}
    return {"involvedObject": involved, "reason": reason, "message": message, **times}


def cause(one: dict[str, Any], remains: Remains, slot: Slot = SLOT) -> Cause | None:
    found = reason_of(one, slot, remains, NOW)
    return found.cause if found else None


@pytest.mark.parametrize("policy", ["Allow", "Replace", None])
def test_only_forbid_skips(policy: str | None) -> None:
    still_at_work = Remains(jobs=[job(AT - HOUR, end=None)])
    one = cron_job(concurrencyPolicy=policy)
    assert cause(cron_job(), still_at_work) is Cause.FORBID
    assert cause(one, still_at_work) is not Cause.FORBID


def test_without_a_deadline_a_time_waits_for_the_run_at_work() -> None:
    one, before = cron_job(last=AT - HOUR), job(AT - HOUR, end=None)
    del one["spec"]["startingDeadlineSeconds"]
    newest = Slot(AT, None)
    assert cause(one, Remains(jobs=[before]), newest) is None
    assert reason_of(one, newest, Remains(), NOW, busy="run-1") is None
    assert cause(one, Remains(), newest) is Cause.DEADLINE
    # It would have been made up for: Forbid is not what kept it from starting.
    ended = job(AT - HOUR, end="Complete", ended_at=AT + 10 * MINUTE)
    assert cause(one, Remains(jobs=[ended])) is Cause.DEADLINE
    ended = job(AT - HOUR, end="Complete", ended_at=AT + HOUR + MINUTE)
    assert cause(one, Remains(jobs=[ended])) is Cause.FORBID


def test_a_time_whose_job_was_made_was_neither_skipped_nor_late() -> None:
    one, partly = cron_job(), Slot(AT, AT + HOUR, shards=("1",))
    assert cause(one, Remains(), partly) is Cause.UNKNOWN
    assert cause(one, Remains(jobs=[job(AT - HOUR, end=None)]), partly) is Cause.UNKNOWN
    last = reason_of(cron_job(last=AT), SLOT, Remains(), NOW, busy="run-1")
    assert last
    assert last.cause is Cause.UNKNOWN
    name = job(AT)["metadata"]["name"]
    told = event("SuccessfulCreate", f"Created job {name}", firstTimestamp=stamp(AT))
    assert cause(one, Remains(events=[told])) is Cause.UNKNOWN


def test_replace_deletes_the_job_before() -> None:
    assert cause(cron_job(), Remains()) is Cause.DEADLINE
    assert cause(cron_job(concurrencyPolicy="Replace"), Remains()) is Cause.UNKNOWN
    assert cause(cron_job(concurrencyPolicy="Replace", last=None), Remains()) is Cause.DEADLINE


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (job(AT, end="Complete", reason="CompletionsReached", succeeded=1), Cause.UNRECORDED),
        (job(AT, failed=1), Cause.SILENT),
        # Pods that never began are deleted then, and count as failed.
        (job(AT, reason="DeadlineExceeded", failed=1), Cause.UNKNOWN),
        (job(AT, reason="DeadlineExceeded"), Cause.NEVER_STARTED),
    ],
)
def test_a_job_whose_pods_are_gone(one: dict[str, Any], why: Cause) -> None:
    assert cause(cron_job(), Remains(jobs=[one])) is why


def test_a_pod_that_says_nothing() -> None:
    one = job(AT, end=None)
    states: list[tuple[dict[str, Any], Cause]] = [
        ({"terminated": {"exitCode": 0, "reason": "Completed"}}, Cause.UNRECORDED),
        ({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}, Cause.SILENT),
        # As a pod does whose volume is missing.
        ({"waiting": {"reason": "ContainerCreating"}}, Cause.NEVER_STARTED),
        ({"waiting": {"reason": "RegistryUnavailable"}}, Cause.IMAGE_PULL),
    ]
    for state, why in states:
        pods = {one["metadata"]["name"]: [pod(one, state)]}
        assert cause(cron_job(), Remains(jobs=[one], pods=pods)) is why


def test_a_pod_that_is_just_starting() -> None:
    one = job(NOW - 5 * MINUTE, end=None)
    starting = pod(one, {"waiting": {"reason": "ContainerCreating"}})
    remains = Remains(jobs=[one], pods={one["metadata"]["name"]: [starting]})
    assert cause(cron_job(), remains, Slot(NOW - 5 * MINUTE, None)) is None


def test_events_tell_of_their_own_moments() -> None:
    active = "JobAlreadyActive"
    micro = f"{AT:%Y-%m-%dT%H:%M:%S}.123456Z"
    late = stamp(AT + 2 * HOUR)
    series = {"count": 2, "lastObservedTime": micro}
    for times, why in [
        ({"firstTimestamp": stamp(AT), "lastTimestamp": stamp(AT)}, Cause.FORBID),
        ({"firstTimestamp": stamp(AT - HOUR), "lastTimestamp": stamp(AT)}, Cause.FORBID),
        ({"firstTimestamp": stamp(AT), "lastTimestamp": late}, Cause.FORBID),
        # Two of them, and neither was about this time.
        ({"firstTimestamp": stamp(AT - HOUR), "lastTimestamp": late}, Cause.DEADLINE),
        ({"firstTimestamp": None, "lastTimestamp": None, "eventTime": micro}, Cause.FORBID),
        ({"eventTime": stamp(AT - HOUR), "series": series}, Cause.FORBID),
        ({}, Cause.DEADLINE),
    ]:
        assert cause(cron_job(), Remains(events=[event(active, **times)])) is why, times


def test_an_event_of_a_missed_time_may_come_late() -> None:
    missed = event("MissSchedule", f"Missed scheduled time to start a job: {format_datetime(AT)}")
    missed["firstTimestamp"] = stamp(AT + HOUR - MINUTE)
    assert cause(cron_job(), Remains(jobs=[job(NOW)], events=[missed])) is Cause.DEADLINE
    assert cause(cron_job(), Remains(jobs=[job(NOW)])) is Cause.UNKNOWN


def test_what_was_started_last_was_not_suspended() -> None:
    [(start, end, _)] = spans_suspended(cron_job(last=AT, suspend=True))
    assert (AT < start <= AT + MINUTE, end) == (True, None)


@pytest.mark.parametrize("time", ["2026-11-26T12:30:00", "soon", 7, None, "2026-11-26"])
def test_odd_notes_of_suspensions(time: Any) -> None:
    past = json.dumps([{"from": time, "to": time, "by": None}, 7])
    said = {"cronops/suspensions": past, "cronops/suspended-at": str(time)}
    one = cron_job(suspend=True)
    one["metadata"]["annotations"] = said | {"cronops/suspended-by": "ada"}
    for start, end, _ in spans_suspended(one):
        assert start.tzinfo
        assert end is None or end.tzinfo
    for rubbish in ("", "{", "7", "null", '{"from": 1}', '["x"]'):
        one["metadata"]["annotations"] = {"cronops/suspensions": rubbish}
        assert len(spans_suspended(one)) == 1

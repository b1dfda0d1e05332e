"""Rules about all schedules together: names, change requests, and runs that start at once."""

from dataclasses import replace
from typing import Any

import pytest

from cronops.schedules.declarations import Declaration, LockUse
from cronops.schedules.findings import Finding
from cronops.schedules.rules.crowding import MOST_STARTS
from cronops.schedules.validate import Report
from tests.unit.schedules.builders import DECLARED, Jobs, check, errors, found, jobs

CLEAN = replace(DECLARED, job="queue clean", crs=("CR-005",), locks=(LockUse("cron.clean"),))
KNOWN = jobs(DECLARED, CLEAN)
CLEANING = {"name": "queue-clean", "cr": "CR-005", "command": "queue clean"}


def only(report: Report, rule: str) -> Finding:
    [finding] = found(report, rule)
    return finding


def each(count: int, expression: str = "0 5 * * *") -> tuple[Jobs, list[dict[str, Any]]]:
    """So many schedules of as many jobs, none of which shares a lock."""
    declared: list[Declaration] = [
        replace(DECLARED, job=f"job {n}", crs=(f"CR-{n:03}",), locks=(LockUse(f"lock.{n}"),))
        for n in range(count)
    ]
    entries = [
        {"name": f"job-{n}", "cr": f"CR-{n:03}", "command": f"job {n}", "schedule": expression}
        for n in range(count)
    ]
    return jobs(*declared), entries


def test_every_job_is_scheduled() -> None:
    report = check(known=KNOWN)

    assert errors(report) == ["job-unscheduled"]
    assert "'queue clean' (CR-005)" in only(report, "job-unscheduled").message
    assert errors(check({}, {**CLEANING, "schedule": "27 * * * *"}, known=KNOWN)) == []


def test_or_says_why_not() -> None:
    reasoned = [{"cr": "CR-005", "why": "the database cleans itself"}]

    assert errors(check(known=KNOWN, unscheduled=reasoned)) == []


@pytest.mark.parametrize(
    ("crs", "told"),
    [
        (["CR-006", "CR-005"], "no job has the CR 'CR-006'"),
        (["CR-002", "CR-005"], "CR-002 is scheduled"),
        (["CR-005", "CR-005"], "CR-005 is listed twice"),
    ],
)
def test_what_is_unscheduled_needs_to_be_said(crs: list[str], told: str) -> None:
    report = check(known=KNOWN, unscheduled=[{"cr": cr, "why": "so it is"} for cr in crs])

    assert errors(report) == ["unscheduled-needless"]
    assert told in only(report, "unscheduled-needless").message


def test_a_job_with_several_change_requests_is_scheduled_for_each() -> None:
    known = jobs(replace(DECLARED, crs=("CR-002", "CR-003")))

    assert "CR-003" in only(check(known=known), "job-unscheduled").message


def test_an_unknown_change_request() -> None:
    report = check({"cr": "CR-02"})

    assert errors(report) == ["cr-unknown"]
    assert only(report, "cr-unknown").instead == "write cr: CR-002"


def test_another_jobs_change_request() -> None:
    report = check({"cr": "CR-005"}, {**CLEANING, "schedule": "27 * * * *"}, known=KNOWN)

    assert errors(report) == ["cr-mismatch"]
    assert only(report, "cr-mismatch").instead == "write cr: CR-002"


def test_an_override_for_no_environment() -> None:
    report = check({"environments": {"prodution": {"backoffLimit": 1}}})

    assert errors(report) == ["override-unknown"]
    assert "'production'" in only(report, "override-unknown").instead


def test_one_name_for_three_is_two_findings_about_the_first() -> None:
    findings = found(check({}, {}, {}), "name-duplicate")

    assert [one.path for one in findings] == [("schedules", 1, "name"), ("schedules", 2, "name")]
    assert findings[0].message == findings[1].message


# Runs that start at once


@pytest.mark.parametrize(
    ("first", "second", "meet"),
    [
        ("0 5 * * *", "0 5 * * *", True),
        ("0 5 * * *", "1 5 * * *", False),
        ("*/7 * * * *", "35 9 * * *", True),
        ("0 5 * * 1", "0 5 * * 2", False),
        ("0 5 31 * *", "0 5 * * *", True),
    ],
)
def test_schedules_of_one_lock_that_start_at_once(first: str, second: str, meet: bool) -> None:
    report = check({"name": "a", "schedule": first}, {"name": "b", "schedule": second})

    assert bool(found(report, "lock-overlap")) is meet


def test_a_lock_overlap_names_who_meets_when_and_where_to_go() -> None:
    report = check({"name": "a", "schedule": "0 5 * * *"}, {"name": "b", "schedule": "0 * * * *"})

    finding = only(report, "lock-overlap")
    assert finding.severity == "warning"
    assert "a and b take the lock 'cron.stock.export'" in finding.message
    # Brussels is an hour ahead; 35 days.
    assert "35 times in 35 days, first 2026-03-02 04:00 UTC" in finding.message
    assert finding.instead == "let b start at minute 1"
    assert finding.schedule == "b"


def test_zones_are_told_apart() -> None:
    same_clock = check(
        {"name": "a", "schedule": "0 5 * * *", "timeZone": "Europe/Brussels"},
        {"name": "b", "schedule": "0 5 * * *", "timeZone": "Asia/Tokyo"},
    )
    same_moment = check(
        {"name": "a", "schedule": "0 5 * * *", "timeZone": "Europe/Brussels"},
        {"name": "b", "schedule": "0 13 * * *", "timeZone": "Asia/Tokyo"},
    )

    assert not found(same_clock, "lock-overlap")
    # Until summer time begins in Brussels, on the 28th day.
    assert "27 times" in only(same_moment, "lock-overlap").message


@pytest.mark.parametrize(
    ("shared", "meet"), [((True, True), False), ((True, False), True), ((False, False), True)]
)
def test_shared_locks_meet_only_exclusive_ones(shared: tuple[bool, bool], meet: bool) -> None:
    known = jobs(
        replace(DECLARED, locks=(LockUse("x", shared[0]),)),
        replace(CLEAN, locks=(LockUse("x", shared[1]),)),
    )
    report = check({}, {**CLEANING}, known=known)

    assert bool(found(report, "lock-overlap")) is meet


def test_who_waits_for_the_lock_is_only_noted() -> None:
    known = jobs(replace(DECLARED, lock_wait=60))
    report = check({"name": "a"}, {"name": "b"}, known=known)

    assert only(report, "lock-overlap").severity == "note"


def test_operators_triggers_meet_nobody() -> None:
    report = check({"name": "a"}, {"name": "b", "manual": True, "schedule": None})

    assert not found(report, "lock-overlap")


def test_a_stampede_is_noted_with_a_calmer_timetable() -> None:
    known, entries = each(MOST_STARTS + 3)
    assert not found(
        check(*entries[:MOST_STARTS], known=jobs(*list(known.declared.values())[:MOST_STARTS])),
        "stampede",
    )

    report = check(*entries, known=known)

    finding = only(report, "stampede")
    assert finding.severity == "note"
    assert report.is_valid
    assert finding.message.startswith("13 pods start at 2026-03-02 04:00 UTC (job-0, job-1,")
    assert "35 minutes in 35 days have more than 10" in finding.message
    assert finding.instead == (
        "move to these minutes: job-10 to 3, job-11 to 2 and job-12 to 1; then 10 start at most"
    )


def test_shards_count_as_the_pods_they_are() -> None:
    known, [entry] = each(1)
    report = check({**entry, "shards": 11}, known=known)

    assert "11 pods" in only(report, "stampede").message


def test_what_cannot_be_moved_is_told_all_the_same() -> None:
    known, entries = each(MOST_STARTS + 1, "* * * * *")
    finding = only(check(*entries, known=known), "stampede")

    assert finding.instead == "spread them over the minutes of the hour"

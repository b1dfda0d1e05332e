"""Rules about when a schedule runs, about clock changes, and about what stands still."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cronops.schedules.findings import Finding
from cronops.schedules.validate import Report, validate
from tests.unit.schedules.builders import (
    DECLARED,
    DEFAULTS,
    TODAY,
    check,
    errors,
    found,
    jobs,
    written,
)

STAGING = {"staging": {"namespace": "staging"}}


def only(report: Report, rule: str) -> Finding:
    [finding] = found(report, rule)
    return finding


def at(expression: str, zone: str = "Europe/Brussels", **said: Any) -> Report:
    return check({"schedule": expression, "timeZone": zone, **said})


@pytest.mark.parametrize(
    ("expression", "rule", "instead"),
    [
        ("0 0 * * 7", "cron-syntax", 'write "0 0 * * 0"'),
        ("61 * * * *", "cron-syntax", "five fields"),
        ("* * * *", "cron-syntax", "five fields"),
        ("0 0 0 * * *", "cron-syntax", 'write "0 0 * * *"'),
        ("@reboot", "cron-syntax", "five fields"),
        ("0 0 L * *", "cron-syntax", "five fields"),
        ("@every 5m", "cron-refused", 'write "*/5 * * * *"'),
        ("*/61 * * * *", "cron-refused", 'write "0 * * * *"'),
        ("TZ=UTC 0 5 * * *", "cron-zone-prefix", 'write "0 5 * * *"'),
        ("CRON_TZ=Europe/Berlin 0 5 * * *", "cron-zone-prefix", 'write "0 5 * * *"'),
        ("0 0 31 2 *", "cron-never", "a day that the month has"),
        ("0 0 30 2,2 *", "cron-never", "a day that the month has"),
    ],
)
def test_an_expression_that_would_not_run_is_one_error(
    expression: str, rule: str, instead: str
) -> None:
    report = at(expression)

    assert errors(report) == [rule]
    assert instead in only(report, rule).instead


@pytest.mark.parametrize("expression", ["0 5 29 2 *", "@daily", "0 5 ? * MON", "5/15 * * * *"])
def test_an_expression_that_would_run_is_no_error(expression: str) -> None:
    assert errors(at(expression)) == []


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_the_column_is_that_of_the_field_which_is_wrong(quote: str) -> None:
    line = f"    schedule: {quote}5 24 * * 1{quote}"
    text = (
        "version: 1\nenvironments: {staging: {namespace: s}}\nschedules:\n"
        f"  - name: a\n    cr: CR-002\n    command: stock export\n{line}\n"
    )
    report = validate(text.encode(), jobs(), today=TODAY)

    position = only(report, "cron-syntax").position
    assert (position.line, position.column) == (7, line.index("24") + 1)


def test_an_override_of_one_environment_is_found_there() -> None:
    report = check({"environments": {"production": {"schedule": "61 * * * *"}}})

    finding = only(report, "cron-syntax")
    assert finding.path == ("schedules", 0, "environments", "production", "schedule")


@pytest.mark.parametrize(
    ("zone", "instead"),
    [
        ("Europe/Brussel", "did you mean 'Europe/Brussels'?"),
        ("europe/brussels", "did you mean 'Europe/Brussels'?"),
        ("Mars/Olympus_Mons_Base", "IANA"),
        ("Local", "IANA"),
        ("local", "IANA"),
        ("localtime", "IANA"),
        ("posix/Europe/Brussels", "IANA"),
        ("right/Europe/Brussels", "IANA"),
        ("Europe", "did you mean 'Europe/"),
        ("../../etc/passwd", "IANA"),
        ("/etc/localtime", "IANA"),
        ("Europe/Brussels\x85", "did you mean 'Europe/Brussels'?"),
        ("a" * 5000, "IANA"),
    ],
)
def test_a_zone_that_the_cluster_does_not_know_is_one_error(zone: str, instead: str) -> None:
    report = at("17 5 * * *", zone)

    assert errors(report) == ["time-zone"]
    assert instead in only(report, "time-zone").instead
    assert len(only(report, "time-zone").message) < 200


def test_a_zone_must_be_given() -> None:
    defaults = {key: value for key, value in DEFAULTS.items() if key != "timeZone"}

    assert errors(check(defaults=defaults)) == ["time-zone"]


# Clock changes; the day of the tests is 2 March 2026.


@pytest.mark.parametrize(
    ("expression", "zone", "day", "instead"),
    [
        ("30 2 * * *", "Europe/Brussels", "25 October 2026", '"30 3 * * *"'),
        ("0 2 * * 0", "Europe/Brussels", "25 October 2026", '"0 3 * * 0"'),
        ("30 1 * * *", "Europe/London", "25 October 2026", '"30 2 * * *"'),
        ("30 1 * * *", "America/New_York", "1 November 2026", '"30 0 * * *"'),
        ("@daily", "America/Havana", "1 November 2026", "01:00"),
        ("15 2 26 10 *", "Europe/Brussels", "26 October 2031", '"15 3 26 10 *"'),
        ("45 1 * * *", "Australia/Lord_Howe", "5 April 2026", '"45 2 * * *"'),
    ],
)
def test_a_time_that_comes_twice_is_an_error_with_its_day_and_a_better_time(
    expression: str, zone: str, day: str, instead: str
) -> None:
    finding = only(at(expression, zone), "dst-twice")

    assert finding.severity == "error"
    assert day in finding.message
    assert instead in finding.instead


def test_a_time_that_does_not_come_is_a_warning() -> None:
    finding = only(at("30 2 * * *"), "dst-skipped")

    assert finding.severity == "warning"
    assert "02:30 does not come on 29 March 2026" in finding.message


@pytest.mark.parametrize(
    ("expression", "zone"),
    [
        ("30 3 * * *", "Europe/Brussels"),
        ("59 1 * * *", "Europe/Brussels"),
        ("30 2 * * 1", "Europe/Brussels"),
        ("30 2 1 * *", "Europe/Brussels"),
        ("30 * * * *", "Europe/Brussels"),
        ("30 2,14 * * *", "Europe/Brussels"),
        ("30 2 * * *", "UTC"),
        ("30 2 * * *", "Asia/Tokyo"),
    ],
)
def test_other_times_are_left_alone(expression: str, zone: str) -> None:
    report = at(expression, zone)

    assert not found(report, "dst-twice")
    assert not found(report, "dst-skipped")


def test_the_better_time_has_no_surprises_itself() -> None:
    better = only(at("30 2 * * *"), "dst-twice").instead.split('"')[1]

    assert errors(at(better)) == []
    assert not found(at(better), "dst-skipped")


def test_only_changes_to_come_are_told() -> None:
    text = written({"schedule": "30 2 * * *"})
    report = validate(text, jobs(), today=date(2026, 10, 26))

    assert "31 October 2027" in only(report, "dst-twice").message


# With or without a clock


def test_neither_schedule_nor_manual() -> None:
    assert errors(check({"schedule": None})) == ["schedule-missing"]


def test_both_schedule_and_manual() -> None:
    assert errors(check({"manual": True})) == ["manual-with-schedule"]


def test_a_placeholder_is_for_operators() -> None:
    command = "stock export --supplier={supplier}"
    finding = only(check({"command": command}), "placeholder")

    assert "{supplier}" in finding.message
    assert errors(check({"command": command, "manual": True, "schedule": None})) == []


# How long a run may take


@pytest.mark.parametrize(("seconds", "wrong"), [(10, True), (11, False), (59, False), (60, True)])
def test_the_starting_deadline_lies_between_ten_seconds_and_the_period(
    seconds: int, wrong: bool
) -> None:
    report = check({"schedule": "* * * * *", "startingDeadlineSeconds": seconds})

    assert bool(found(report, "starting-deadline")) is wrong


@pytest.mark.parametrize("expression", ["* * * * *", "*/5 * * * *", "@daily", "0 0 29 2 *"])
def test_the_starting_deadline_that_is_taken_is_right(expression: str) -> None:
    assert not found(at(expression), "starting-deadline")


@pytest.mark.parametrize(("skips", "severity"), [(True, "note"), (False, "error")])
def test_a_timeout_above_the_period(skips: bool, severity: str) -> None:
    known = jobs(replace(DECLARED, timeout=301, skips_when_locked=skips))
    report = check({"schedule": "*/5 * * * *"}, known=known)

    finding = only(report, "timeout-over-period")
    assert finding.severity == severity
    assert "5m 1s" in finding.message


def test_a_timeout_of_one_period() -> None:
    known = jobs(replace(DECLARED, timeout=300))

    assert not found(check({"schedule": "*/5 * * * *"}, known=known), "timeout-over-period")


# What stands still


def test_proposals_are_listed_for_production_alone() -> None:
    report = check({"provisional": True})

    finding = only(report, "provisional")
    assert finding.severity == "note"
    assert "at minute 17" in finding.message or "minute" in finding.message
    assert report.is_valid
    assert not found(check({"provisional": True}, environments=STAGING), "provisional")


@pytest.mark.parametrize(
    "said", [{"manual": True, "schedule": None}, {"confirmed": {"by": "me", "on": "2026-03-01"}}]
)
def test_what_is_no_proposal_is_not_listed(said: dict[str, Any]) -> None:
    report = check({"provisional": True, **said})

    assert not found(report, "provisional")
    assert errors(report) == []


def test_a_proposal_must_not_run_in_production() -> None:
    report = check({"provisional": True, "suspend": False})

    assert errors(report) == ["provisional-active"]
    assert only(report, "provisional-active").path == ("schedules", 0, "suspend")


@pytest.mark.parametrize(("day", "wrong"), [("2026-03-02", False), ("2026-03-03", True)])
def test_nobody_confirms_tomorrow(day: str, wrong: bool) -> None:
    report = check({"provisional": True, "confirmed": {"by": "me", "on": day}})

    assert bool(found(report, "confirmed-in-future")) is wrong


@pytest.mark.parametrize(("day", "passed"), [("2026-03-01", True), ("2026-03-02", False)])
def test_a_suspension_that_outlived_its_day_is_a_warning(day: str, passed: bool) -> None:
    report = check({"suspend": {"until": day, "by": "Ann", "why": "the partner moves"}})

    assert bool(found(report, "suspension-expired")) is passed
    assert report.is_valid


def test_a_suspension_is_explained() -> None:
    assert errors(check({"suspend": True})) == ["suspension-unexplained"]
    assert errors(check({"suspend": False})) == []
    assert errors(check({"suspend": True, "manual": True, "schedule": None})) == []

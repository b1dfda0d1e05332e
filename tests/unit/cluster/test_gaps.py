"""The times that are looked at, and those that have no run."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cronops.cluster.audit import Audit, Auditor
from cronops.cluster.gaps import Gap, Window, planned_by
from cronops.cluster.remains import Remains
from cronops.db.run_slots import Recorded
from cronops.schedules.cron import parse_cron
from cronops.schedules.load import bits, mask_of

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def cron_job(schedule: str, made: str = "2026-01-01T00:00:00Z", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "x", "uid": "1", "creationTimestamp": made},
        "spec": {"schedule": schedule, "jobTemplate": {"spec": {}}, **spec},
    }


def gap_of(one: dict[str, Any], window: Window, *recorded: Recorded) -> Gap:
    [found] = window.gaps({"x": planned_by(one)}, recorded, progress=lambda _done, _of: None)
    return found


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (NOON, NOON),
        (NOON + timedelta(microseconds=1), NOON),
        (NOON + 59 * SECOND, NOON),
        (NOON - timedelta(microseconds=1), NOON - timedelta(minutes=1)),
    ],
)
def test_no_time_that_has_not_come_is_expected(now: datetime, last: datetime) -> None:
    window = Window(now - HOUR, now)
    times = [
        window.calendar.moment(one) for one in bits(gap_of(cron_job("* * * * *"), window).expected)
    ]
    assert times[-1] == last
    assert times[0] >= now - HOUR
    assert len(times) == 61 if now == NOON else 60


def test_a_cron_job_has_no_time_at_the_moment_of_its_making() -> None:
    window = Window(NOON - HOUR, NOON)
    made = f"{NOON - HOUR / 2:%Y-%m-%dT%H:%M:%SZ}"
    assert gap_of(cron_job("* * * * *", made), window).expected.bit_count() == 30


@pytest.mark.parametrize("schedule", ["30 2 * * *", "0 * * * *", "@daily", "*/20 1-3 * * 0"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", None])
def test_times_are_those_that_the_controller_finds(schedule: str, zone: str | None) -> None:
    """Over both clock changes of a year, and from the middle of a day."""
    start = datetime(2026, 3, 20, 7, 31, 5, tzinfo=UTC)
    for now in (start + timedelta(days=15), start + timedelta(days=225)):
        window = Window(now - timedelta(days=15), now)
        found = bits(gap_of(cron_job(schedule, timeZone=zone), window).expected)
        told = parse_cron(schedule).upcoming(window.start.astimezone(ZoneInfo(zone or "UTC")))
        times = []
        for one in told:
            if one > now:
                break
            times.append(one.astimezone(UTC))
        assert [window.calendar.moment(one) for one in found] == times


def test_bits_and_back() -> None:
    for minutes in ([], [0], [7, 8, 9], [63, 64, 129_599]):
        assert list(bits(mask_of(minutes))) == minutes
    assert mask_of([5, 3]) == 0b101000


def test_a_run_that_began_meanwhile_is_there() -> None:
    window = Window(NOON - HOUR, NOON)
    gap = gap_of(cron_job("0 * * * *"), window)
    assert gap.lacking.bit_count() == 2
    begun = Recorded("x", "", mask_of([window.minute(NOON)]), 0)
    assert [window.calendar.moment(one) for one in bits(gap.without([begun]).lacking)] == [
        NOON - HOUR
    ]


@pytest.mark.parametrize("last", ["2026-11-26T12:00:00Z", "2026-09-10T00:00:00Z", None])
def test_months_that_lack_every_minute_take_no_minutes(last: str | None) -> None:
    window = Window(NOON - timedelta(days=90), NOON)
    one = cron_job("* * * * *", startingDeadlineSeconds=30)
    one["status"] = {"lastScheduleTime": last} if last else {}
    gap = gap_of(one, window)
    began = time.perf_counter()
    auditor = Auditor(None, None, window)  # type: ignore[arg-type]
    found = Audit()
    missing = list(auditor._explained(gap, {"1": Remains()}, found))
    assert time.perf_counter() - began < 3
    assert sum(one.times for one in missing) + found.pending == gap.expected.bit_count()
    assert len(missing) <= 3


def test_stretches_of_times_that_follow_each_other() -> None:
    window = Window(NOON - 6 * HOUR, NOON)
    hours = [window.minute(NOON - n * HOUR) for n in range(6, -1, -1)]
    one = planned_by(cron_job("0 6-12 * * *"))
    lacking = mask_of([hours[0], hours[1], hours[3], hours[6]])
    found = list(window.stretches(one, lacking))
    assert [first for first, _ in found] == [hours[0], hours[3], hours[6]]
    assert [end for _, end in found[:2]] == [hours[2], hours[4]]
    assert list(window.stretches(one, 0)) == []

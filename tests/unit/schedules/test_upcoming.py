"""The coming runs, and what clock changes do to them."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.schedules.cron import parse_cron
from cronops.schedules.upcoming import Skipped, Slot, slots
from cronops.schedules.zones import Offsets, offsets_around

BERLIN = ZoneInfo("Europe/Berlin")


def _told(expression: str, zone: str, after: str, count: int) -> list[str]:
    """What is told after a local time, a line each: a run, or what will not be."""
    where = ZoneInfo(zone)
    moment = datetime.fromisoformat(after).replace(tzinfo=where)
    return [_line(one) for one in islice(slots(parse_cron(expression), where, moment), count)]


def _line(one: Slot | Skipped) -> str:
    if isinstance(one, Slot):
        assert one.utc.timestamp() == one.local.timestamp()
        assert one.utc.tzinfo is UTC
        return f"{one.local:%d %H:%M%z}" + (f" {one.surprise}" if one.surprise else "")
    return f"{one.local:%d %H:%M}-{one.until:%H:%M} not ({one.count}): {one.why}"


def test_spring_skips_a_fixed_time() -> None:
    assert _told("30 2 * * *", "Europe/Berlin", "2026-03-27 12:00", 3) == [
        "28 02:30+0100",
        "29 02:30-02:30 not (1): this time does not exist: the clock goes from 02:00 to 03:00",
        "30 02:30+0200",
    ]


def test_autumn_repeats_a_fixed_time() -> None:
    back = "the clock goes back from 03:00 to 02:00"
    assert _told("0 2,3 * * *", "Europe/Berlin", "2026-10-24 12:00", 4) == [
        f"25 02:00+0200 first of two runs: {back}",
        f"25 02:00+0100 second of two runs: {back}",
        "25 03:00+0100",
        "26 02:00+0100",
    ]


def test_skipped_times_of_one_change_are_told_together() -> None:
    assert _told("*/10 1-2 * * *", "Europe/Berlin", "2026-03-29 01:40", 3) == [
        "29 01:50+0100",
        "29 02:00-02:50 not (6): this time does not exist: the clock goes from 02:00 to 03:00",
        "30 01:00+0200",
    ]


@pytest.mark.parametrize("expression", ["* * * * *", "*/30 * * * *", "15 */1 * * MON-SAT,0"])
@pytest.mark.parametrize("after", ["2026-03-29 00:00", "2026-10-25 00:00"])
def test_what_runs_in_every_hour_surprises_nobody(expression: str, after: str) -> None:
    told = _told(expression, "Europe/Berlin", after, 12)

    assert [line for line in told if len(line) > len("29 01:30+0100")] == []


def test_after_the_first_of_two_runs_the_second_is_still_told() -> None:
    moment = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)

    second = next(slots(parse_cron("30 2 * * *"), BERLIN, moment))

    assert isinstance(second, Slot)
    assert second.surprise is not None
    assert second.surprise.startswith("second of two")


def test_the_day_that_the_cluster_steps_over_is_told() -> None:
    steps = "the cluster steps over it where the clock goes from 00:00 to 01:00"
    assert _told("0 9,15 * * FRI", "Africa/Cairo", "2026-04-20 12:00", 2) == [
        f"24 09:00-15:00 not (2): {steps}",
        "01 09:00+0300",
    ]


def test_both_what_does_not_exist_and_what_is_stepped_over() -> None:
    assert _told("0 0,9 24 * *", "Africa/Cairo", "2026-04-20 12:00", 3) == [
        "24 00:00-00:00 not (1): this time does not exist: the clock goes from 00:00 to 01:00",
        "24 09:00-09:00 not (1): "
        "the cluster steps over it where the clock goes from 00:00 to 01:00",
        "24 00:00+0300",
    ]


def test_a_run_on_a_day_that_was_not_asked_for_is_told() -> None:
    [run] = _told("0 5 3 11 *", "America/Sao_Paulo", "2018-11-03 06:00", 1)

    assert run.startswith("04 05:00-0200 not a time that the expression names")


def test_a_run_at_an_hour_that_was_not_asked_for_is_told() -> None:
    said = "not a time that the expression names: a clock change leads the cluster here"
    assert _told("45 1 * * *", "Australia/Lord_Howe", "2026-10-03 12:00", 3) == [
        "04 01:45+1030",
        f"04 02:45+1100 {said}",
        "05 01:45+1100",
    ]


def test_a_time_that_the_walk_lands_beyond_is_told() -> None:
    assert _told("0 2 * * *", "Australia/Lord_Howe", "2026-04-04 12:00", 2) == [
        "05 02:00-02:00 not (1): "
        "the cluster steps over it where the clock goes from 02:00 to 01:30",
        "06 02:00+1030",
    ]


def test_nothing_is_told_of_a_date_that_never_comes() -> None:
    assert _told("0 0 31 2 *", "Europe/Berlin", "2026-01-01 00:00", 1) == []


@given(
    st.sampled_from(sorted(available_timezones() - {"localtime"})),
    st.datetimes(datetime(1975, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),
)
def test_offsets_are_those_of_the_zone(name: str, moment: datetime) -> None:
    zone = ZoneInfo(name)
    offsets = offsets_around(zone, moment)
    start = int(moment.timestamp())

    for instant in range(start, start + 7 * 366 * 86400, 11 * 86400 + 1234):
        assert offsets.at(instant)[0] == _offset(zone, instant)
    for change in offsets.changes(start, start + 7 * 366 * 86400):
        assert _offset(zone, change.at - 1) == change.before
        assert _offset(zone, change.at) == change.after
        _assert_wall_times(offsets, zone, change.at + change.after)
        _assert_wall_times(offsets, zone, change.at + change.before)


def _assert_wall_times(offsets: Offsets, zone: ZoneInfo, wall: int) -> None:
    clock = datetime(1970, 1, 1) + timedelta(seconds=wall)
    candidates = {clock.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1)}
    real = {one for one in candidates if one + _offset(zone, int(one)) == wall}
    assert offsets.instants(wall) == sorted(real)


def _offset(zone: ZoneInfo, instant: int) -> int:
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())

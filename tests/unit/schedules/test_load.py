"""Starts as bits: the calendar against the walk of the cluster's cron, sums against counting."""

from collections import Counter as Tally
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.schedules.cron import parse_cron
from cronops.schedules.load import Calendar, Counter, above, bits, most, shifted, twice
from cronops.schedules.spread import Starts, count, spread

MASKS = st.lists(st.tuples(st.integers(0, 2**40 - 1), st.integers(1, 9)), max_size=30)
UTC_ZONE = ZoneInfo("UTC")


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Brussels", "Asia/Tokyo", "Asia/Kathmandu", "America/New_York"]
)
@pytest.mark.parametrize(
    "expression",
    [
        "0 5 * * *",
        "*/7 * * * *",
        "30 2 * * *",
        "15 0 * * 1",
        "0 22 31 * *",
        "30 23 1,15 * 5",
        "@hourly",
    ],
)
@pytest.mark.parametrize("first", [date(2026, 3, 2), date(2026, 10, 4), date(2026, 12, 20)])
def test_a_calendar_has_the_clusters_runs(expression: str, zone: str, first: date) -> None:
    calendar = Calendar(first)
    cron, place = parse_cron(expression), ZoneInfo(zone)
    begin = datetime.combine(first, time(), UTC)
    end = begin + timedelta(days=calendar.days)
    runs = set()
    for run in cron.upcoming((begin - timedelta(seconds=1)).astimezone(place)):
        if run.astimezone(UTC) >= end:
            break
        runs.add(run.astimezone(UTC))

    assert {calendar.moment(minute) for minute in bits(calendar.starts(cron, place))} == runs


@given(MASKS, st.integers(0, 40))
def test_counts_are_those_of_counting(masks: list[tuple[int, int]], limit: int) -> None:
    counter, tally = Counter(), Tally[int]()
    for mask, times in masks:
        counter.add(mask, times)
        tally.update(dict.fromkeys(bits(mask), times))
    planes = counter.planes()
    highest = max(tally.values(), default=0)

    for bit in range(40):
        assert sum((plane >> bit & 1) << n for n, plane in enumerate(planes)) == tally[bit]
    assert set(bits(above(planes, limit))) == {bit for bit, n in tally.items() if n > limit}
    assert most(planes, 2**40 - 1)[0] == highest
    if highest:
        assert set(bits(most(planes, 2**40 - 1)[1])) == {
            bit for bit, n in tally.items() if n == highest
        }


@given(st.lists(st.integers(0, 2**20), max_size=6))
def test_twice_is_more_than_once(masks: list[int]) -> None:
    tally = Tally(bit for mask in masks for bit in bits(mask))

    assert set(bits(twice(masks))) == {bit for bit, n in tally.items() if n > 1}


def test_the_highest_of_a_day() -> None:
    calendar = Calendar(date(2026, 3, 2), days=3)
    daily = calendar.starts(parse_cron("0 5 * * *"), UTC_ZONE)
    monday = calendar.starts(parse_cron("0 5 * * 1"), UTC_ZONE)
    counter = Counter()
    for mask in (daily, monday, monday):
        counter.add(mask)

    assert most(calendar.highest_of_day(counter.planes()), 1 << 300) == (3, 1 << 300)
    assert calendar.by_time_of_day(daily | monday) == 1 << 300


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 0, 0, 7]), st.sampled_from(["5", "*", "22"])), max_size=40
    )
)
def test_a_spread_is_never_worse_and_says_what_it_comes_to(times: list[tuple[int, str]]) -> None:
    calendar = Calendar(date(2026, 3, 2))
    starts = [
        Starts(
            f"s{n}",
            calendar.starts(parse_cron(f"{minute} {hour} * * *"), UTC_ZONE),
            minute=minute,
        )
        for n, (minute, hour) in enumerate(times)
    ]
    before = most(count(starts), -1)[0]
    found = spread(calendar, starts, 5)

    moves = {move.name: move.minute for move in found.moves}
    after = Counter()
    for one in starts:
        after.add(shifted(one.mask, moves.get(one.name, one.minute) - (one.minute or 0)))
    assert most(after.planes(), -1)[0] == found.highest <= max(before, 0)
    assert found.highest <= 5
    assert all(0 <= minute < 60 for minute in moves.values())
    assert bool(moves) is (before > 5)


def test_zones_of_half_an_hour_stay_in_their_hour_on_the_wall() -> None:
    calendar = Calendar(date(2026, 3, 2))
    kathmandu = ZoneInfo("Asia/Kathmandu")
    starts = [
        Starts(f"s{n}", calendar.starts(parse_cron("30 5 * * *"), kathmandu), minute=30)
        for n in range(3)
    ]
    found = spread(calendar, starts, 1)

    for move in found.moves:
        moved = calendar.starts(parse_cron(f"{move.minute} 5 * * *"), kathmandu)
        assert moved == shifted(starts[0].mask, move.minute - 30)
    assert found.highest == 1

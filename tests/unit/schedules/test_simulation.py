"""Schedules run in the mind: who meets whom at a lock, and when it is full."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.schedules.cron import parse_cron
from cronops.schedules.declarations import LockUse
from cronops.schedules.heat_map import heat_map
from cronops.schedules.simulation import Simulation, _smeared

START = datetime(2026, 11, 30, tzinfo=UTC)


def schedule(name: str, expression: str, *, lock: str = "", shared: bool = False, **facts: Any):
    given_ = {"seconds": 60, "wait": 0, "shards": None, "zone": "UTC", "manual": False, **facts}
    locks = (LockUse(lock, shared),) if lock else ()
    return SimpleNamespace(
        name=name,
        cron=parse_cron(expression),
        zone=ZoneInfo(given_["zone"]),
        entry=SimpleNamespace(manual=given_["manual"]),
        declaration=SimpleNamespace(
            timeout=given_["seconds"], locks=locks, lock_wait=given_["wait"]
        ),
        shards=given_["shards"],
        period=None,
    )


def simulation(*schedules: Any, days: float = 1, start: datetime = START, **durations: int):
    environment: Any = SimpleNamespace(schedules=schedules)
    return Simulation(environment, start, timedelta(days=days), durations)


def met(*schedules: Any, **more: Any) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {one.name: (one.times, one.others) for one in simulation(*schedules, **more).meetings()}


def test_a_run_that_is_still_at_work_is_met_by_its_next():
    assert met(schedule("a", "*/10 * * * *", lock="x", seconds=600)) == {}
    assert met(schedule("a", "*/10 * * * *", lock="x", seconds=601)) == {"a": (143, ("a",))}
    assert met(schedule("a", "*/10 * * * *", lock="x", seconds=601), a=30) == {}


def test_of_two_at_the_same_minute_the_second_is_held_up():
    both = [schedule(name, "0 * * * *", lock="x") for name in "ab"]
    assert met(*both) == {"b": (24, ("a",))}
    assert met(both[0], schedule("b", "1 * * * *", lock="x")) == {}
    assert met(both[0], schedule("b", "59 * * * *", lock="x", seconds=120)) == {"a": (23, ("b",))}
    assert met(both[0], schedule("b", "0 * * * *", lock="y")) == {}


def test_shared_holders_bear_each_other_and_no_exclusive_one():
    shared = [schedule(name, "0 * * * *", lock="x", shared=True) for name in "ab"]
    assert met(*shared) == {}
    assert met(*shared, schedule("c", "0 * * * *", lock="x")) == {"c": (24, ("a", "b"))}


def test_only_what_lies_in_the_window_counts():
    start = START + timedelta(hours=5, minutes=30)
    made = simulation(schedule("a", "0 * * * *"), days=1, start=start)
    assert made.by_hour()[0][1][:7] == [0, 0, 0, 0, 0, 0, 1]
    assert sum(sum(counts) for _, counts in made.by_hour()) == 24
    assert len(simulation(schedule("a", "0 * * * *"), days=2).by_hour()) == 2


def test_the_fullest_minutes_and_what_is_at_work():
    made = simulation(
        schedule("a", "*/30 * * * *", seconds=120),
        schedule("b", "0 3 * * *", seconds=7200, shards=4),
        schedule("c", "31 3 * * *", manual=True),
    )
    [first, second] = made.busiest(2)
    assert (first.pods, first.at.hour, first.names) == (5, 3, ("a", "b"))
    assert second.pods == 1
    assert made.crowded(4) == 1
    assert made.most_at_work() == (5, START + timedelta(hours=3))
    assert made.by_hour()[0][1][2:5] == [2, 6, 2]


def test_clock_changes_count():
    night = schedule("a", "30 2 * * *", zone="Europe/Berlin")
    spring = simulation(night, days=3, start=datetime(2027, 3, 27, tzinfo=UTC))
    assert [sum(counts) for _, counts in spring.by_hour()] == [1, 0, 1]
    autumn = simulation(night, days=3, start=datetime(2027, 10, 30, tzinfo=UTC))
    assert [sum(counts) for _, counts in autumn.by_hour()] == [1, 2, 1]


def test_nothing_at_all():
    made = simulation()
    assert made.meetings() == []
    assert made.busiest() == []
    assert made.most_at_work() == (0, None)
    assert made.spread(1) == ((), 0)


def test_a_calmer_timetable():
    made = simulation(*(schedule(f"s{n}", "0 3 * * *") for n in range(6)))
    moves, highest = made.spread(2)
    assert highest == 2
    assert len(moves) == 4


@given(st.integers(0, 2**200), st.integers(1, 70))
def test_smearing(mask: int, minutes: int):
    expected = 0
    for shift in range(minutes):
        expected |= mask << shift
    assert _smeared(mask, minutes) == expected


@pytest.mark.parametrize("rows", [[], [(START, [0] * 24)], [(START, list(range(24)))]])
def test_the_picture_is_well_formed(rows):
    import defusedxml.ElementTree

    root = defusedxml.ElementTree.fromstring(heat_map(rows))
    cells = root.findall("{http://www.w3.org/2000/svg}rect")
    assert len(cells) == 1 + 24 * len(rows)
    assert all(len(cell.get("fill", "")) == 7 for cell in cells)


def test_the_days_are_those_of_the_calendar():
    made = simulation(schedule("a", "0 0 * * *"), days=1)
    assert made.by_hour()[0][0].date() == date(2026, 11, 30)

from datetime import timedelta
from typing import Any

import pytest

from cronops.queue import tally
from cronops.queue.message import Status
from cronops.queue.tally import Limits, Tally


class Host:
    stopping = False


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    class Clock:
        now = 1000.0

        def monotonic(self) -> float:
            return self.now

    made = Clock()
    monkeypatch.setattr(tally, "time", made)
    return made


def limits(host: Any = None, **options: Any) -> Limits:
    return Limits(host or Host(), **options)


def test_without_limits_there_is_always_room() -> None:
    assert limits().room(10**9) is None
    assert not limits().full(10**9)
    assert not limits().time_is_up()


def test_room_shrinks_with_what_was_worked() -> None:
    assert [limits(max_messages=3).room(worked) for worked in (0, 2, 3, 4)] == [3, 1, 0, 0]


def test_a_run_told_to_stop_has_no_time_left() -> None:
    host = Host()
    host.stopping = True
    assert limits(host).time_is_up()


def test_max_time(clock: Any) -> None:
    made = limits(max_time=timedelta(seconds=10))
    clock.now += 9.9
    assert not made.time_is_up()
    clock.now += 0.1
    assert made.time_is_up()


def test_the_longest_handler_must_fit_before_the_deadline(clock: Any) -> None:
    made = limits(deadline=timedelta(seconds=100))
    made.leave_room_for(30)
    made.leave_room_for(10)
    clock.now += 69
    assert not made.time_is_up()
    clock.now += 1
    assert made.time_is_up()


def test_a_handler_longer_than_half_the_time_is_worked_all_the_same(clock: Any) -> None:
    made = limits(deadline=timedelta(seconds=100))
    made.leave_room_for(500)
    clock.now += 49
    assert not made.time_is_up()
    clock.now += 1
    assert made.time_is_up()


def test_the_earlier_of_max_time_and_deadline_counts(clock: Any) -> None:
    made = limits(max_time=timedelta(seconds=10), deadline=timedelta(seconds=100))
    made.leave_room_for(30)
    clock.now += 10
    assert made.time_is_up()


def test_verdicts_are_counted_by_what_they_led_to() -> None:
    made = Tally(processed=2)
    made.add_verdicts([Status.NEW, Status.CRASH, Status.NEW])
    assert (made.failed, made.crashed, made.worked) == (2, 1, 5)

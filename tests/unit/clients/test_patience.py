"""How often something is tried, and when its time is up."""

from datetime import timedelta

import pytest

from cronops.clients.patience import Deadline, Pace, TimeUp, backoff, persist
from cronops.errors import BadInput, TransientError


class Failing:
    """Fails so many times, then returns how often it was called."""

    def __init__(self, times: int, error: Exception) -> None:
        self.calls = 0
        self._times = times
        self._error = error

    def __call__(self) -> int:
        self.calls += 1
        if self.calls <= self._times:
            raise self._error
        return self.calls


def test_what_is_transient_is_tried_again_with_growing_waits():
    waits: list[float] = []
    failing = Failing(3, TransientError("busy"))
    assert persist(failing, attempts=4, pause=lambda s: waits.append(s) is None) == 4
    assert 0.3 < waits[0] < waits[1] < waits[2] < 3


@pytest.mark.parametrize("error", [BadInput("wrong"), TimeUp("late"), KeyError("defect")])
def test_what_another_try_would_not_help_is_raised_at_once(error):
    failing = Failing(1, error)
    with pytest.raises(type(error)):
        persist(failing, attempts=4, pause=lambda _: True)
    assert failing.calls == 1


def test_who_is_told_to_stop_raises_what_was_wrong():
    failing = Failing(9, TransientError("busy"))
    with pytest.raises(TransientError, match="busy"):
        persist(failing, attempts=4, pause=lambda _: False)
    assert failing.calls == 1


def test_the_last_try_is_not_waited_for_in_vain():
    waits: list[float] = []
    with pytest.raises(TransientError):
        persist(Failing(9, TransientError("busy")), attempts=2, pause=lambda s: not waits.append(s))
    assert len(waits) == 1


@pytest.mark.parametrize("failures", [1, 5, 10, 1000])
def test_a_wait_is_bounded(failures):
    assert 0 < backoff(failures) <= 30 * 1.25


def test_a_deadline_bounds_each_wait_and_says_what_was_not_done():
    assert 0 < Deadline(timedelta(seconds=2), "a.csv").within(60) <= 2
    assert Deadline(timedelta(hours=1), "a.csv").within(60) == 60
    with pytest.raises(TimeUp, match=r"^a\.csv: not done within 0s \(clients\.total_timeout\)"):
        Deadline(timedelta(0), "a.csv").check()


def test_turns_are_apart_whoever_takes_them():
    pace = Pace(2)
    turns = [pace.turn() for _ in range(4)]
    assert turns[0] == 0
    assert turns[1:] == pytest.approx([0.5, 1.0, 1.5], abs=0.2)
    assert [Pace().turn() for _ in range(3)] == [0, 0, 0]

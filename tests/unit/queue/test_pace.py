import pytest

from cronops.queue.pace import Pace


def test_the_first_claim_is_of_one() -> None:
    assert Pace(100).next_claim() == 1


@pytest.mark.parametrize(("largest", "sizes"), [(1, {1}), (4, {1, 4}), (100, {1, 4, 16, 64, 100})])
def test_sizes_are_taken_from_a_short_ladder(largest: int, sizes: set[int]) -> None:
    found = set()
    for seconds in (10, 1, 0.3, 0.2, 0.1, 0.05, 0.02, 0.015, 0.01, 0.001, 0.000001, 0):
        pace = Pace(largest)
        pace.worked(1, seconds)
        found.add(pace.next_claim())
    assert found == sizes


def test_a_claim_is_at_most_about_a_second_of_work() -> None:
    pace = Pace(100)
    pace.worked(10, 1.0)
    assert pace.next_claim() == 4


def test_fast_handlers_reach_the_largest_at_once() -> None:
    pace = Pace(500)
    pace.worked(1, 0.001)
    assert pace.next_claim() == 500


def test_it_slows_down_with_the_handlers() -> None:
    pace = Pace(100)
    pace.worked(100, 0.01)
    for _ in range(3):
        pace.worked(1, 2.0)
    assert pace.next_claim() == 1


@pytest.mark.parametrize(("at_most", "size"), [(None, 100), (99, 64), (5, 4), (1, 1)])
def test_it_never_exceeds_what_may_be_claimed(at_most: int | None, size: int) -> None:
    pace = Pace(100)
    pace.worked(1, 0.0001)
    assert pace.next_claim(at_most) == size


def test_a_chunk_of_nothing_teaches_nothing() -> None:
    pace = Pace(100)
    pace.worked(0, 5.0)
    assert pace.next_claim() == 1

"""When a run tries again, and how long it waits."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.contract.retry import Retry, call_with_retry
from cronops.errors import DeclarationError, LeaseLost, Locked, PermanentError, TransientError

SECOND = timedelta(seconds=1)


class Tries:
    """Fails with each of `errors` in turn, then succeeds; keeps what happened."""

    def __init__(self, *errors: Exception, told_to_stop: bool = False) -> None:
        self.errors = errors
        self.numbers: list[int] = []
        self.waits: list[float] = []
        self.told: list[int] = []
        self._goes_on = not told_to_stop

    def __call__(self, retry: Retry) -> str:
        return call_with_retry(
            retry,
            self._attempt,
            pause=self._pause,
            on_retry=lambda number, _error, _wait: self.told.append(number),
        )

    def _attempt(self, number: int) -> str:
        self.numbers.append(number)
        if number <= len(self.errors):
            raise self.errors[number - 1]
        return "done"

    def _pause(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return self._goes_on


@given(st.integers(0, 6), st.integers(1, 6))
def test_it_tries_until_it_succeeds_or_has_tried_enough(failures: int, attempts: int) -> None:
    tries = Tries(*(TransientError(str(number)) for number in range(failures)))
    retry = Retry(on=TransientError, attempts=attempts)

    if failures < attempts:
        assert tries(retry) == "done"
    else:
        with pytest.raises(TransientError, match=f"^{attempts - 1}$"):
            tries(retry)
    made = min(failures + 1, attempts)
    assert tries.numbers == list(range(1, made + 1))
    assert tries.told == list(range(1, made))


@given(
    st.timedeltas(timedelta(0), timedelta(minutes=2)),
    st.timedeltas(timedelta(0), timedelta(minutes=5)),
)
def test_the_wait_doubles_up_to_its_maximum_with_jitter(
    initial: timedelta, more: timedelta
) -> None:
    retry = Retry(on=TransientError, attempts=6, initial=initial, maximum=initial + more)
    tries = Tries(*(TransientError("again") for _ in range(5)))

    assert tries(retry) == "done"
    least, most = initial.total_seconds(), retry.maximum.total_seconds()
    for number, wait in enumerate(tries.waits):
        assert wait <= most + 1e-9
        assert wait >= min(least * 2**number, most) - 1e-6


def test_an_error_that_is_not_declared_ends_it_in_any_attempt() -> None:
    tries = Tries(TransientError("one"), PermanentError("two"))

    with pytest.raises(PermanentError, match="two"):
        tries(Retry(on=TransientError, attempts=9))
    assert tries.numbers == [1, 2]


def test_told_to_stop_it_raises_the_error_at_hand() -> None:
    tries = Tries(TransientError("one"), told_to_stop=True)

    with pytest.raises(TransientError, match="one"):
        tries(Retry(on=TransientError, attempts=9))
    assert tries.numbers == [1]


@pytest.mark.parametrize("before", [0, 1])
def test_a_lost_lease_is_never_tried_again(before: int) -> None:
    tries = Tries(*[TransientError("one")] * before, LeaseLost("taken over"))

    with pytest.raises(LeaseLost):
        tries(Retry(on=TransientError, attempts=9))
    assert len(tries.numbers) == before + 1


def test_subclasses_of_what_is_declared_are_tried_again() -> None:
    assert Tries(Locked("busy"))(Retry(on=(KeyError, TransientError))) == "done"


@pytest.mark.parametrize(
    "declared",
    [
        {"on": "TransientError"},
        {"on": BaseException},
        {"on": TransientError, "attempts": 0},
        {"on": TransientError, "initial": -SECOND},
        {"on": TransientError, "initial": 2 * SECOND, "maximum": SECOND},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(declared: dict[str, object]) -> None:
    with pytest.raises(DeclarationError, match="Retry: "):
        Retry(**declared)  # type: ignore[arg-type]

"""When a job's run tries again: only for the errors it declares, within its timeout."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from cronops.errors import DeclarationError, LeaseLost

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Which errors are worth another attempt, how many, and how long to wait between.

    There is no default for `on`: what is transient is for the job to say.
    The wait before attempt n+1 is ``initial * 2**(n-1)``, at most `maximum`, plus jitter.
    """

    on: type[Exception] | tuple[type[Exception], ...]
    attempts: int = 3
    initial: timedelta = timedelta(seconds=1)
    maximum: timedelta = timedelta(minutes=1)

    def __post_init__(self) -> None:
        kinds = self.on if isinstance(self.on, tuple) else (self.on,)
        for kind in kinds:
            if not (isinstance(kind, type) and issubclass(kind, Exception)):
                raise DeclarationError(f"Retry: on= takes exception classes, not {kind!r}")
        if self.attempts < 1:
            raise DeclarationError("Retry: attempts= must be at least 1")
        if self.initial < timedelta(0) or self.maximum < self.initial:
            raise DeclarationError("Retry: 0 <= initial= <= maximum= must hold")

    @classmethod
    def never(cls) -> "Retry":
        """One attempt: for work that must not be repeated, or repeats itself."""
        return cls(on=(), attempts=1)

    def describe(self) -> dict[str, object]:
        """The policy as JSON shows it."""
        kinds = self.on if isinstance(self.on, tuple) else (self.on,)
        return {
            "on": [kind.__name__ for kind in kinds],
            "attempts": self.attempts,
            "initial_seconds": self.initial.total_seconds(),
            "maximum_seconds": self.maximum.total_seconds(),
        }


def call_with_retry(
    retry: Retry,
    attempt: Callable[[int], T],
    *,
    pause: Callable[[float], bool],
    on_retry: Callable[[int, BaseException, float], None],
) -> T:
    """Call `attempt` with the attempt's number, from 1, until it returns or may not try again.

    A lost lease is never tried again, whatever is declared: somebody else has the work now.
    `pause` sleeps for so many seconds and returns False where the run is to stop: the last
    error is then raised at once. `on_retry` is told the attempt that failed, its error and
    the wait in seconds.
    """
    try:
        return attempt(1)
    except retry.on as error:
        if retry.attempts == 1 or isinstance(error, LeaseLost):
            raise
        last_error: Exception = error
    # Imported only now: a run that succeeds at once does not owe its 20 ms.
    import tenacity

    number = 0

    def numbered() -> T:
        nonlocal number
        number += 1
        if number == 1:
            raise last_error
        return attempt(number)

    def before_sleep(state: tenacity.RetryCallState) -> None:
        nonlocal last_error
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Exception):
            last_error = error
        on_retry(number, last_error, state.next_action.sleep if state.next_action else 0.0)

    def sleep(seconds: float) -> None:
        if not pause(seconds):
            raise last_error

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(
            lambda error: isinstance(error, retry.on) and not isinstance(error, LeaseLost)
        ),
        stop=tenacity.stop_after_attempt(retry.attempts),
        wait=tenacity.wait_exponential_jitter(
            multiplier=retry.initial.total_seconds(),
            max=retry.maximum.total_seconds(),
            jitter=retry.initial.total_seconds() / 2,
        ),
        sleep=sleep,
        before_sleep=before_sleep,
        reraise=True,
    )
    return retrying(numbered)

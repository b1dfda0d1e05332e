from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.config.model import QueueSettings
from cronops.errors import BadInput, PermanentError, TransientError
from cronops.queue.failure import Hopeless, backoff, is_collision, judge, storable
from cronops.queue.handler import Handler, handler
from cronops.queue.message import Message, Status

SETTINGS = QueueSettings(
    backoff=timedelta(seconds=10), backoff_max=timedelta(minutes=5), max_attempts=4
)


def message(**fields: Any) -> Message:
    values: dict[str, Any] = {
        "id": 1,
        "queue": "general",
        "direction": "incoming",
        "handler": "work",
        "payload": {},
        "priority": 0,
        "attempts": 0,
        "crashes": 0,
        "max_attempts": None,
        "alone": False,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "dedupe_key": None,
        "correlation_id": None,
    }
    return Message(**(values | fields))


def declared(max_attempts: int | None) -> Handler:
    return handler(
        "work", timeout=timedelta(seconds=1), accountable="X", max_attempts=max_attempts
    )(lambda ctx, message: None)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 10), (2, 20), (3, 40), (5, 160), (6, 300), (7, 300), (10**6, 300)]
)
def test_the_wait_doubles_up_to_its_limit_and_jitter_only_lengthens_it(
    failures: int, seconds: int
) -> None:
    waits = {backoff(SETTINGS, failures) for _ in range(50)}
    assert len(waits) > 1
    assert min(waits) >= timedelta(seconds=seconds)
    assert max(waits) <= timedelta(seconds=seconds) * 1.2


def test_no_backoff_is_no_wait() -> None:
    assert backoff(QueueSettings(backoff=timedelta(0)), 3) == timedelta(0)


@pytest.mark.parametrize(
    ("own", "handlers", "allowed"), [(None, None, 4), (None, 2, 2), (3, 2, 3), (9, None, 9)]
)
def test_the_messages_limit_comes_before_the_handlers_and_that_before_the_settings(
    own: int | None, handlers: int | None, allowed: int
) -> None:
    def verdict(attempts: int) -> Status:
        failed = message(max_attempts=own, attempts=attempts)
        return judge(failed, declared(handlers), ValueError("x"), SETTINGS).status

    assert verdict(allowed - 2) is Status.NEW
    assert verdict(allowed - 1) is Status.CRASH


@pytest.mark.parametrize("error", [PermanentError("x"), Hopeless("x")])
def test_what_cannot_succeed_is_given_up_at_once(error: Exception) -> None:
    assert judge(message(), declared(None), error, SETTINGS).status is Status.CRASH


@pytest.mark.parametrize("error", [TransientError("x"), BadInput("x"), MemoryError(), SystemExit()])
def test_anything_else_is_tried_again(error: BaseException) -> None:
    assert judge(message(), declared(None), error, SETTINGS).status is Status.NEW


@given(st.text())
def test_any_error_can_be_stored(text: str) -> None:
    stored = storable(text)
    assert len(stored) <= 2000
    assert "\x00" not in stored
    stored.encode()


class Wrapper(Exception):
    """As SQLAlchemy's errors: the driver's is kept in `orig`."""

    def __init__(self, orig: Exception) -> None:
        super().__init__(str(orig))
        self.orig = orig


def caused(inner: Exception) -> Exception:
    outer = ValueError("outer")
    outer.__cause__ = inner
    return outer


def met(inner: Exception) -> Exception:
    outer = ValueError("outer")
    outer.__context__ = inner
    return outer


@pytest.mark.parametrize("wrap", [lambda error: error, Wrapper, caused, met])
@pytest.mark.parametrize(
    ("error", "collision"),
    [
        (psycopg.errors.DeadlockDetected(), True),
        (psycopg.errors.SerializationFailure(), True),
        (psycopg.errors.LockNotAvailable(), True),
        (psycopg.errors.UniqueViolation(), False),
        (ValueError(), False),
    ],
)
def test_collisions_are_found_wherever_they_are_hidden(
    wrap: Any, error: Exception, collision: bool
) -> None:
    assert is_collision(wrap(wrap(error))) is collision


def test_errors_that_go_in_a_circle_are_looked_at_once() -> None:
    first, second = ValueError(), ValueError()
    first.__context__, second.__context__ = second, first
    assert is_collision(first) is False

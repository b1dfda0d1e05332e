"""A handler that fails: tried again, or put to CRASH; its neighbours do not notice."""

from contextlib import suppress
from datetime import datetime, timedelta

import psycopg
import pytest
from pydantic import BaseModel

from cronops.errors import PermanentError
from cronops.queue.tally import Tally
from tests.integration.queue.conftest import Bed, write_effect

SETTLE = pytest.mark.parametrize("settle", ["each", "batch"])


@SETTLE
@pytest.mark.parametrize("uses_database", [True, False])
@pytest.mark.parametrize(
    "error",
    [ValueError("no"), MemoryError(), SystemExit(3), BaseException("odd"), AssertionError()],
    ids=lambda error: type(error).__name__,
)
def test_a_failed_attempt_waits_and_keeps_its_error(
    bed: Bed, settle: str, uses_database: bool, error: BaseException
) -> None:
    @bed.handle("work", settle=settle)
    def work(ctx, message):
        if uses_database:
            write_effect(ctx, message)
        raise error

    (message_id,) = bed.add("work")
    assert bed.work() == Tally(failed=1)

    row = bed.row(message_id)
    assert (row["status"], row["attempts"], row["crashes"]) == ("NEW", 1, 0)
    assert row["error"].startswith(type(error).__name__)
    assert row["claim_token"] is row["claimed_by"] is row["started_at"] is None
    waited = datetime.fromisoformat(row["available_at"]) - datetime.fromisoformat(row["created_at"])
    assert timedelta(seconds=30) <= waited < timedelta(seconds=60)
    assert bed.effects() == {}
    assert bed.crashes == []


@SETTLE
@pytest.mark.parametrize("uses_database", [True, False])
def test_one_that_fails_among_a_hundred(bed: Bed, settle: str, uses_database: bool) -> None:
    calls: list[int] = []

    @bed.handle("work", settle=settle)
    def work(ctx, message):
        calls.append(message.id)
        if uses_database:
            write_effect(ctx, message)
        if message.payload == "bad":
            raise ValueError("bad")

    ids = bed.add("work", 60)
    (bad,) = bed.add("work", payload="bad")
    ids += bed.add("work", 39)

    assert bed.work() == Tally(processed=99, failed=1)
    assert bed.row(bad)["status"] == "NEW"
    if uses_database:
        assert bed.effects() == dict.fromkeys(ids, 1)
    else:
        # Nothing had to be undone, so nothing was done twice.
        assert sorted(calls) == sorted([*ids, bad])


def test_several_that_fail_in_one_chunk(bed: Bed) -> None:
    @bed.handle("work", settle="batch", max_attempts=1)
    def work(ctx, message):
        write_effect(ctx, message)
        if message.id % 10 == 0:
            raise ValueError("bad")

    ids = bed.add("work", 100)
    good = [one for one in ids if one % 10]

    assert bed.work() == Tally(processed=90, crashed=10)
    assert bed.effects() == dict.fromkeys(good, 1)
    assert len(bed.crashes) == 10


def test_a_payload_that_a_failed_try_has_changed_is_read_afresh(bed: Bed) -> None:
    @bed.handle("work", settle="batch")
    def work(ctx, message):
        write_effect(ctx, message)
        assert message.payload.pop("value") == 1
        if message.payload.pop("bad", False):
            raise ValueError("bad")

    bed.add("work", 5, payload={"value": 1})
    bed.add("work", payload={"value": 1, "bad": True})

    assert bed.work() == Tally(processed=5, failed=1)


@pytest.mark.parametrize(
    ("message_limit", "handler_limit", "attempts"), [(None, None, 4), (None, 2, 2), (3, 2, 3)]
)
def test_attempts_end_in_crash(
    bed: Bed, message_limit: int | None, handler_limit: int | None, attempts: int
) -> None:
    bed.handle("work", max_attempts=handler_limit)(lambda ctx, message: 1 / 0)
    (message_id,) = bed.add("work", max_attempts=message_limit)
    settings = {"queue": {"backoff": 0, "max_attempts": 4}}

    tally = bed.work(bed.host(**settings))

    assert (tally.failed, tally.crashed) == (attempts - 1, 1)
    row = bed.row(message_id)
    assert (row["status"], row["attempts"]) == ("CRASH", attempts)
    assert row["error"] == "ZeroDivisionError: division by zero"
    assert row["finished_at"] is not None
    assert bed.crashes == [("work", ("Vehicle Data",), message_id, row["error"])]


def test_a_permanent_error_is_not_tried_again(bed: Bed) -> None:
    @bed.handle("work")
    def work(ctx, message):
        raise PermanentError("no such article")

    (message_id,) = bed.add("work")
    assert bed.work() == Tally(crashed=1)
    assert bed.row(message_id)["error"] == "PermanentError: no such article"


def test_an_unknown_handler_goes_to_crash_at_once(bed: Bed) -> None:
    bed.handle("work", settle="batch")(write_effect)
    (unknown,) = bed.add("missing")
    bed.add("work", 3)

    assert bed.work() == Tally(processed=3, crashed=1)
    row = bed.row(unknown)
    assert row["status"] == "CRASH"
    assert "no handler is called 'missing'" in row["error"]
    assert bed.crashes[0][:3] == ("missing", (), unknown)


class Order(BaseModel):
    number: int


@SETTLE
def test_a_payload_that_does_not_fit_goes_to_crash_with_the_reason(bed: Bed, settle: str) -> None:
    seen = []
    bed.handle("work", settle=settle, payload=Order)(
        lambda ctx, message: seen.append(message.payload)
    )
    bed.add("work", payload={"number": 7})
    (bad,) = bed.add("work", payload={"number": "secret"})

    assert bed.work() == Tally(processed=1, crashed=1)
    assert seen == [Order(number=7)]
    error = bed.row(bad)["error"]
    assert "does not fit Order: number: Input should be a valid integer" in error
    assert "secret" not in error


def test_a_long_or_unstorable_error_is_kept_in_part(bed: Bed) -> None:
    @bed.handle("work")
    def work(ctx, message):
        raise ValueError("\x00\ud800" + "x" * 5000)

    (message_id,) = bed.add("work")
    bed.work()
    assert bed.row(message_id)["error"].startswith("ValueError: \ufffd?xxx")
    assert len(bed.row(message_id)["error"]) == 2000


@SETTLE
def test_a_database_error_that_the_handler_swallowed_is_its_failure(bed: Bed, settle: str) -> None:
    @bed.handle("work", settle=settle)
    def work(ctx, message):
        write_effect(ctx, message)
        if message.payload == "bad":
            with suppress(psycopg.Error):
                ctx.db.execute("SELECT 1 / 0")

    good = bed.add("work", 5)
    (bad,) = bed.add("work", payload="bad")

    assert bed.work() == Tally(processed=5, failed=1)
    assert "went on after a database error" in bed.row(bad)["error"]
    assert bed.effects() == dict.fromkeys(good, 1)


@SETTLE
def test_a_constraint_that_fails_at_commit_is_the_messages_failure(bed: Bed, settle: str) -> None:
    bed.query(
        "CREATE TABLE public.late (id int PRIMARY KEY, other int REFERENCES public.late (id)"
        " DEFERRABLE INITIALLY DEFERRED)"
    )

    @bed.handle("work", settle=settle)
    def work(ctx, message):
        write_effect(ctx, message)
        if message.payload == "bad":
            ctx.db.execute("INSERT INTO public.late VALUES (1, 2)")

    good = bed.add("work", 4)
    (bad,) = bed.add("work", payload="bad")
    good += bed.add("work", 4)

    assert bed.work() == Tally(processed=8, failed=1)
    assert "ForeignKeyViolation" in bed.row(bad)["error"]
    assert bed.effects() == dict.fromkeys(good, 1)


def test_a_handler_that_cannot_be_imported_keeps_the_messages_attempts(bed: Bed) -> None:
    class Broken(dict):
        def __getitem__(self, name):
            raise ImportError("no module named shop")

    bed.handlers = Broken()
    (message_id,) = bed.add("work")

    assert bed.work() == Tally(failed=1)
    assert bed.row(message_id)["error"] == "ImportError: no module named shop"

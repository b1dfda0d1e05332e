"""Nothing is committed for a message or by a run that is not ours any more."""

import threading
from contextlib import suppress

import psycopg
import pytest

from cronops.errors import LeaseLost
from cronops.queue.control import Act, reset
from cronops.queue.tally import Tally
from tests.integration.queue.conftest import Bed, write_effect

SETTLE = pytest.mark.parametrize("settle", ["each", "batch"])
ME = Act("operator", "test")


def steal_once(bed: Bed, when: str = "steal"):
    """A handler's body that has its own message taken away, the first time."""
    stolen: list[int] = []

    def body(ctx, message):
        write_effect(ctx, message)
        if message.payload == when and not stolen:
            stolen.append(message.id)
            with bed.database.connect() as operator:
                assert reset(operator, ME, ids=[message.id]).ids == (message.id,)
                operator.execute("UPDATE queue_message SET paused = true WHERE id = %s", stolen)

    return body


@SETTLE
def test_a_stolen_message_commits_no_effect_and_its_neighbours_do(bed: Bed, settle: str) -> None:
    bed.handle("work", settle=settle)(steal_once(bed))
    good = bed.add("work", 10)
    (stolen,) = bed.add("work", payload="steal")
    good += bed.add("work", 10)

    tally = bed.work()

    assert tally.processed == 20
    assert bed.effects() == dict.fromkeys(good, 1)
    row = bed.row(stolen)
    assert (row["status"], row["attempts"], row["crashes"]) == ("NEW", 0, 0)


def test_a_message_stolen_from_a_replay_commits_nothing_of_it_beforehand(bed: Bed) -> None:
    """A replay's savepoints are inside one transaction, not transactions of their own."""
    seen: list[dict[int, int]] = []
    body = steal_once(bed)

    @bed.handle("work", settle="batch", max_attempts=1)
    def work(ctx, message):
        if message.payload == "fail":
            seen.append(bed.effects())
            raise ValueError
        if message.payload == "steal" and not seen:
            write_effect(ctx, message)
        else:
            body(ctx, message)

    # Two that go ahead, so that the rest is claimed together.
    ahead = bed.add("work", 2)
    good = bed.add("work", 3)
    (stolen,) = bed.add("work", payload="steal")
    bed.add("work", payload="fail")
    good += bed.add("work", 3)

    tally = bed.work()

    assert (tally.processed, tally.crashed) == (8, 1)
    assert bed.effects() == dict.fromkeys([*ahead, *good], 1)
    assert bed.row(stolen)["status"] == "NEW"
    # Neither when it failed first nor in the replay was anything of the chunk to be seen.
    assert seen[:2] == [dict.fromkeys(ahead, 1)] * 2


@SETTLE
def test_a_stolen_message_without_effects_is_not_settled(bed: Bed, settle: str) -> None:
    @bed.handle("work", settle=settle)
    def work(ctx, message):
        if message.payload == "steal":
            bed.query(
                "UPDATE queue_message SET status = 'NEW', paused = true, claim_token = NULL"
                " WHERE id = %s",
                (message.id,),
            )

    bed.add("work", 5)
    (stolen,) = bed.add("work", payload="steal")

    assert bed.work().processed == 5
    assert bed.row(stolen)["status"] == "NEW"


@SETTLE
def test_a_message_stolen_and_claimed_by_another_is_not_settled_under_its_claim(
    bed: Bed, settle: str
) -> None:
    @bed.handle("work", settle=settle)
    def work(ctx, message):
        write_effect(ctx, message)
        bed.query(
            "UPDATE queue_message SET claim_token = nextval('queue_claim_token') WHERE id = %s",
            (message.id,),
        )

    (message_id,) = bed.add("work")
    assert bed.work().processed == 0
    assert bed.effects() == {}
    assert bed.row(message_id)["status"] != "PROCESSED"


@SETTLE
@pytest.mark.parametrize("uses_database", [True, False])
def test_a_lost_lease_commits_nothing(bed: Bed, settle: str, uses_database: bool) -> None:
    host = bed.host()

    @bed.handle("work", settle=settle)
    def work(ctx, message):
        if uses_database:
            write_effect(ctx, message)
        bed.query("DELETE FROM lease WHERE token = %s", (host.tokens[0],))

    bed.add("work", 5)
    with pytest.raises(LeaseLost, match="taken over"):
        bed.work(host)

    assert bed.effects() == {}
    assert "PROCESSED" not in bed.counts()


def test_without_a_lease_nothing_is_claimed(bed: Bed) -> None:
    bed.handle("work")(write_effect)
    bed.add("work")
    with pytest.raises(LeaseLost):
        bed.work(bed.host(token=999_999))
    assert bed.counts() == {"NEW": 1}


@SETTLE
def test_every_lease_of_the_run_is_checked(bed: Bed, settle: str) -> None:
    host = bed.host()
    host.tokens.append(bed.host().tokens[0])
    bed.handle("work", settle=settle)(
        lambda ctx, message: bed.query("DELETE FROM lease WHERE token = %s", (host.tokens[1],))
    )
    bed.add("work")
    with pytest.raises(LeaseLost):
        bed.work(host)
    assert "PROCESSED" not in bed.counts()


@SETTLE
@pytest.mark.parametrize("uses_database", [True, False])
def test_a_cut_connection_is_opened_again_and_nothing_is_lost_or_doubled(
    bed: Bed, settle: str, uses_database: bool
) -> None:
    host = bed.host()
    cut: list[int] = []
    calls: list[int] = []

    @bed.handle("work", settle=settle)
    def work(ctx, message):
        if uses_database:
            write_effect(ctx, message)
        calls.append(message.id)
        if len(calls) == 30 and not cut:
            cut.append(message.id)
            pid = host.connections[-1].info.backend_pid
            bed.query("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    ids = bed.add("work", 100)
    tally = bed.work(host)

    assert cut
    assert len(host.connections) == 2
    assert tally.processed == 100
    assert bed.counts() == {"PROCESSED": 100}
    if uses_database:
        assert bed.effects() == dict.fromkeys(ids, 1)
    else:
        assert sorted(calls) == ids
    assert bed.query("SELECT max(attempts), max(crashes), bool_or(alone) FROM queue_message") == [
        (1, 0, False)
    ]


def test_a_connection_cut_again_and_again_by_one_message_is_its_failure(bed: Bed) -> None:
    @bed.handle("work", settle="batch")
    def work(ctx, message):
        write_effect(ctx, message)
        if message.payload == "bad":
            ctx.db.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    good = bed.add("work", 5)
    (bad,) = bed.add("work", payload="bad")
    good += bed.add("work", 5)

    assert bed.work() == Tally(processed=10, failed=1)
    assert bed.effects() == dict.fromkeys(good, 1)
    assert bed.row(bad)["attempts"] == 1


def test_handlers_that_deadlock_are_all_done(bed: Bed) -> None:
    bed.query("CREATE TABLE public.hot (id int PRIMARY KEY, n int NOT NULL)")
    bed.query("INSERT INTO public.hot SELECT i, 0 FROM generate_series(1, 4) i")
    barrier = threading.Barrier(2)

    @bed.handle("work", settle="batch")
    def work(ctx, message):
        write_effect(ctx, message)
        first, second = message.payload
        ctx.db.execute("UPDATE public.hot SET n = n + 1 WHERE id = %s", (first,))
        if message.attempts == 0 and not barrier.broken:
            with suppress(threading.BrokenBarrierError):
                barrier.wait(2)
            barrier.abort()
        ctx.db.execute("UPDATE public.hot SET n = n + 1 WHERE id = %s", (second,))

    ids = bed.add("work", queue="one", payload=[1, 2])
    ids += bed.add("work", queue="two", payload=[2, 1])
    for queue in ("one", "two"):
        ids += bed.add("work", 10, queue=queue, payload=[3, 4] if queue == "one" else [4, 3])
    running = [bed.start(bed.host(), queue=queue) for queue in ("one", "two")]
    tallies = [one.result() for one in running]

    assert [tally.processed for tally in tallies] == [11, 11]
    assert [tally.failed for tally in tallies] == [0, 0]
    assert bed.effects() == dict.fromkeys(ids, 1)
    assert bed.query("SELECT n FROM public.hot ORDER BY id") == [(2,), (2,), (20,), (20,)]
    assert bed.query("SELECT max(attempts) FROM queue_message") == [(1,)]


def test_a_deadlock_hidden_in_another_error_is_not_the_messages_failure(bed: Bed) -> None:
    calls = []

    @bed.handle("work", settle="each")
    def work(ctx, message):
        write_effect(ctx, message)
        calls.append(message.id)
        if len(calls) < 3:
            try:
                raise psycopg.errors.DeadlockDetected("deadlock detected")
            except psycopg.Error as error:
                raise ValueError("could not save") from error

    (message_id,) = bed.add("work")
    assert bed.work() == Tally(processed=1)
    assert bed.effects() == {message_id: 1}

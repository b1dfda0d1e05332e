"""What a worker claims, in which order, and when it leaves off."""

import threading
from datetime import timedelta

import pytest

from cronops.queue.tally import Tally
from tests.integration.queue.conftest import Bed, write_effect

SETTLE = pytest.mark.parametrize("settle", ["each", "batch"])


@SETTLE
def test_every_message_is_handled_once_and_is_processed(bed: Bed, settle: str) -> None:
    bed.handle("work", settle=settle)(write_effect)
    ids = bed.add("work", 250)
    host = bed.host()

    tally = bed.work(host)

    assert tally == Tally(processed=250)
    assert bed.counts() == {"PROCESSED": 250}
    assert bed.effects() == dict.fromkeys(ids, 1)
    assert host.counts["processed"] == 250
    assert bed.query(
        "SELECT DISTINCT attempts, error, finished_at IS NOT NULL, claimed_worker"
        " FROM queue_message"
    ) == [(1, None, True, 0)]


@SETTLE
def test_a_handler_that_does_not_use_the_database(bed: Bed, settle: str) -> None:
    seen: list[int] = []
    bed.handle("work", settle=settle)(lambda ctx, message: seen.append(message.id))
    ids = bed.add("work", 120)

    assert bed.work() == Tally(processed=120)
    assert seen == ids


def test_an_empty_queue_ends_at_once(bed: Bed) -> None:
    assert bed.work() == Tally()


def test_a_plain_insert_is_enough(bed: Bed) -> None:
    seen = []
    bed.handle("work")(lambda ctx, message: seen.append((message.payload, message.queue)))
    bed.query("INSERT INTO queue_message (handler) VALUES ('work')")
    bed.query("""INSERT INTO queue_message (handler, payload) VALUES ('work', '{"order": 7}')""")

    bed.work()

    assert seen == [({}, "general"), ({"order": 7}, "general")]


@SETTLE
def test_processing_is_committed_before_the_handler_runs(bed: Bed, settle: str) -> None:
    seen = []

    @bed.handle("work", settle=settle)
    def work(ctx, message):
        seen.append(bed.row(message.id))

    bed.add("work", 3)
    host = bed.host()
    bed.work(host)

    assert [row["status"] for row in seen] == ["PROCESSING"] * 3
    assert all(row["started_at"] and row["heartbeat_at"] for row in seen)
    assert all(row["claimed_by"] == host.tokens[0] for row in seen)


def test_each_settles_message_by_message(bed: Bed) -> None:
    seen = []

    @bed.handle("work", settle="each")
    def work(ctx, message):
        seen.append(bed.counts())

    bed.add("work", 5)
    bed.work()

    # The first ones are claimed by themselves: nothing is known of their pace yet.
    assert seen[2:] == [
        {"PROCESSED": 2, "IN_QUEUE": 2, "PROCESSING": 1},
        {"PROCESSED": 3, "IN_QUEUE": 1, "PROCESSING": 1},
        {"PROCESSED": 4, "PROCESSING": 1},
    ]


def test_mixed_handlers_keep_their_order(bed: Bed) -> None:
    seen: list[int] = []
    for name, settle in (("one", "each"), ("many", "batch")):
        bed.handle(name, settle=settle)(lambda ctx, message: seen.append(message.id))
    ids = [
        id_
        for name in ("many", "one", "many", "many", "one", "one", "many")
        for id_ in bed.add(name, 3)
    ]

    assert bed.work().processed == 21
    assert seen == ids


def test_a_point_of_priority_is_a_minute_of_waiting(bed: Bed) -> None:
    seen: list[str] = []
    bed.handle("work")(lambda ctx, message: seen.append(message.payload))
    late, now = "now() - interval '10 minutes'", "now()"
    for name, priority, available in (
        ("plain", 0, now),
        ("urgent", 5, now),
        ("old", 0, late),
        ("older but low", -20, late),
        ("most urgent", 30, now),
    ):
        bed.query(
            "INSERT INTO queue_message (handler, payload, priority, available_at)"
            f" VALUES ('work', to_jsonb(%s::text), %s, {available})",
            (name, priority),
        )

    bed.work()

    assert seen == ["most urgent", "old", "urgent", "plain", "older but low"]


def test_a_low_priority_message_is_not_starved(bed: Bed) -> None:
    seen: list[str] = []
    bed.handle("work")(lambda ctx, message: seen.append(message.payload))
    bed.add("work", 20, payload="urgent", priority=60)
    bed.query(
        "INSERT INTO queue_message (handler, payload, priority, available_at)"
        " VALUES ('work', '\"starving\"', 0, now() - interval '61 minutes')"
    )

    bed.work(max_messages=1)

    assert seen == ["starving"]


@pytest.mark.parametrize("priority", [-1000, 0, 1000])
def test_delayed_messages_wait_whatever_their_priority(bed: Bed, priority: int) -> None:
    bed.handle("work")(lambda ctx, message: None)
    bed.query(
        "INSERT INTO queue_message (handler, priority, available_at)"
        " VALUES ('work', %s, now() + interval '1 minute')",
        (priority,),
    )

    assert bed.work() == Tally()
    bed.query("UPDATE queue_message SET available_at = now()")
    assert bed.work() == Tally(processed=1)


def test_a_paused_message_waits(bed: Bed) -> None:
    bed.handle("work")(lambda ctx, message: None)
    bed.add("work", paused=True)
    bed.add("work")

    assert bed.work() == Tally(processed=1)
    assert bed.counts() == {"NEW": 1, "PROCESSED": 1}


@pytest.mark.parametrize(
    ("until", "worked"),
    [("NULL", 0), ("now() + interval '1 hour'", 0), ("now() - interval '1 second'", 1)],
)
def test_a_paused_queue_waits_until_its_pause_has_passed(bed: Bed, until: str, worked: int) -> None:
    bed.handle("work")(lambda ctx, message: None)
    bed.add("work")
    bed.query(
        "INSERT INTO queue_pause (queue, paused_by, reason, until)"
        f" VALUES ('general', 'me', 'why', {until})"
    )

    assert bed.work().processed == worked


def test_queues_and_directions_are_kept_apart(bed: Bed) -> None:
    seen: list[str] = []
    bed.handle("work")(lambda ctx, message: seen.append(f"{message.queue} {message.direction}"))
    for queue in ("general", "orders"):
        for direction in ("incoming", "outgoing"):
            bed.add("work", queue=queue, direction=direction)

    bed.work(queue="orders", direction="outgoing")
    assert seen == ["orders outgoing"]
    bed.work(queue="orders")
    assert seen == ["orders outgoing", "orders incoming"]


@SETTLE
@pytest.mark.parametrize("limit", [1, 7, 130])
def test_max_messages_is_exact_and_tells_what_remains(bed: Bed, settle: str, limit: int) -> None:
    bed.handle("work", settle=settle)(lambda ctx, message: None)
    bed.add("work", 200)

    tally = bed.work(max_messages=limit)

    assert (tally.processed, tally.remaining) == (limit, 200 - limit)
    assert bed.counts() == {"NEW": 200 - limit, "PROCESSED": limit}


@SETTLE
def test_max_time_is_a_success_that_leaves_the_rest_new(bed: Bed, settle: str) -> None:
    host = bed.host()
    bed.handle("work", settle=settle)(lambda ctx, message: host.pause(0.02))
    bed.add("work", 100)

    tally = bed.work(host, max_time=timedelta(seconds=0.2))

    assert 0 < tally.processed < 100
    assert tally.remaining == 100 - tally.processed
    assert bed.counts() == {"NEW": tally.remaining, "PROCESSED": tally.processed}
    assert bed.query(
        "SELECT sum(attempts), bool_or(alone) FROM queue_message WHERE status = 'NEW'"
    ) == [(0, False)]


@SETTLE
def test_told_to_stop_it_finishes_the_message_in_hand_and_gives_the_rest_back(
    bed: Bed, settle: str
) -> None:
    host = bed.host()
    done = []

    @bed.handle("work", settle=settle)
    def work(ctx, message):
        write_effect(ctx, message)
        done.append(message.id)
        if len(done) == 3:
            host.stopping = True
            # Long enough for a batch to look up between two messages.
            threading.Event().wait(0.01)

    ids = bed.add("work", 50)
    tally = bed.work(host)

    assert done == ids[:3]
    assert bed.effects() == dict.fromkeys(ids[:3], 1)
    assert tally.processed == 3
    assert tally.given_back > 0
    assert bed.counts() == {"PROCESSED": 3, "NEW": 47}
    assert bed.query(
        "SELECT DISTINCT attempts, crashes, alone, claim_token, available_at <= now()"
        " FROM queue_message WHERE status = 'NEW'"
    ) == [(0, 0, False, None, True)]


def test_follow_waits_for_more_until_told_to_stop(bed: Bed) -> None:
    host = bed.host()
    seen = threading.Event()
    bed.handle("work")(lambda ctx, message: seen.set())
    running = bed.start(host, follow=True)
    try:
        bed.add("work")
        assert seen.wait(30)
    finally:
        host.stopping = True
    assert running.result().processed == 1


def test_slow_handlers_do_not_hoard(bed: Bed) -> None:
    claimed = []
    host = bed.host()

    @bed.handle("work")
    def work(ctx, message):
        claimed.append(bed.counts().get("IN_QUEUE", 0))
        host.pause(0.15)

    bed.add("work", 22)
    bed.work(host)

    # About a second's work is claimed at a time.
    assert max(claimed) < 7


def test_the_supervisor_is_told_of_each_message_and_its_timeout(bed: Bed) -> None:
    host = bed.host()
    bed.handle("work", timeout=timedelta(seconds=7))(lambda ctx, message: None)
    (first, second) = bed.add("work", 2)

    bed.work(host)

    assert host.units == [(first, 7.0), None, (second, 7.0), None]


def test_what_an_earlier_attempt_of_the_run_left_claimed_is_worked(bed: Bed) -> None:
    bed.handle("work")(lambda ctx, message: None)
    host = bed.host()
    (left,) = bed.add("work")
    bed.query(
        "UPDATE queue_message SET status = 'PROCESSING', claimed_by = %s, claimed_worker = 0,"
        " claimed_at = now(), heartbeat_at = now() WHERE id = %s",
        (host.tokens[0], left),
    )

    assert bed.work(host).processed == 1


def test_two_workers_share_a_queue_without_overlap(bed: Bed) -> None:
    bed.handle("work", settle="batch")(write_effect)
    ids = bed.add("work", 3000)
    first, second = bed.host(), bed.host()

    running = [bed.start(first), bed.start(second)]
    processed = [one.result().processed for one in running]

    assert sum(processed) == 3000
    assert bed.effects() == dict.fromkeys(ids, 1)

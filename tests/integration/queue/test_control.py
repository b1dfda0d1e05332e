"""What an operator does to the queue, and what the audit trail says of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cronops.errors import UsageError
from cronops.queue import control, view
from cronops.queue.control import Act, Changed
from cronops.queue.enqueue import enqueue
from cronops.queue.message import NewMessage
from tests.integration.queue.conftest import Bed

ME = Act("ada", "because")


@pytest.fixture
def connection(bed: Bed) -> Any:
    with bed.database.connect() as made:
        yield made


def trail(bed: Bed) -> list[tuple[Any, ...]]:
    return bed.query("SELECT actor, action, subject, reason FROM audit ORDER BY id")


def set_status(bed: Bed, status: str, ids: list[int]) -> None:
    bed.query("UPDATE queue_message SET status = %s WHERE id = ANY(%s)", (status, ids))


def test_pausing_and_resuming_a_queue(bed: Bed, connection: Any) -> None:
    bed.handle("work")(lambda ctx, message: None)
    bed.add("work")
    until = datetime.now(UTC) + timedelta(hours=1)

    control.pause_queue(connection, "general", ME, until=until)
    assert bed.work().processed == 0
    (state,) = view.status(connection)
    assert (state.paused, state.paused_by, state.pause_reason) == (True, "ada", "because")
    assert state.paused_until == until

    assert control.resume_queue(connection, "general", ME) is True
    assert control.resume_queue(connection, "general", ME) is False
    assert bed.work().processed == 1
    assert trail(bed) == [
        ("ada", "queue pause", "queue general", "because"),
        ("ada", "queue resume", "queue general", "because"),
    ]


def test_pausing_twice_keeps_the_latest(bed: Bed, connection: Any) -> None:
    control.pause_queue(connection, "general", ME)
    control.pause_queue(connection, "general", Act("bob", "later"))
    assert bed.query("SELECT paused_by, reason, until FROM queue_pause") == [("bob", "later", None)]


def test_pausing_and_resuming_messages(bed: Bed, connection: Any) -> None:
    bed.handle("work")(lambda ctx, message: None)
    first, second, done = bed.add("work", 3)
    set_status(bed, "PROCESSED", [done])

    changed = control.pause_messages(connection, [first, done, 999], ME)
    assert changed == Changed((first,), {done: "it is PROCESSED", 999: "no such message"})
    assert bed.work().processed == 1
    assert bed.row(second)["status"] == "PROCESSED"

    assert control.resume_messages(connection, [first], ME) == Changed((first,))
    assert bed.work().processed == 1
    assert [line[1:3] for line in trail(bed)] == [
        ("message pause", f"message {first}"),
        ("message resume", f"message {first}"),
    ]


def test_a_message_paused_in_work_finishes(bed: Bed, connection: Any) -> None:
    bed.handle("work")(lambda ctx, message: control.pause_messages(connection, [message.id], ME))
    bed.add("work")
    assert bed.work().processed == 1


def test_prioritizing_moves_a_message_ahead(bed: Bed, connection: Any) -> None:
    seen: list[int] = []
    bed.handle("work")(lambda ctx, message: seen.append(message.id))
    ids = bed.add("work", 3)

    assert control.prioritize(connection, ids[2:], 10, ME).ids == (ids[2],)
    bed.work()

    assert seen == [ids[2], ids[0], ids[1]]
    assert bed.query("SELECT details->>'priority' FROM audit") == [("10",)]


@pytest.mark.parametrize("priority", [-1001, 1001])
def test_a_priority_out_of_range_is_refused(bed: Bed, connection: Any, priority: int) -> None:
    with pytest.raises(UsageError, match="between -1000 and 1000"):
        control.prioritize(connection, bed.add("work"), priority, ME)
    assert trail(bed) == []


def crashed(bed: Bed, **columns: Any) -> int:
    (message_id,) = bed.add(columns.pop("handler", "work"), **columns)
    bed.query(
        "UPDATE queue_message SET status = 'CRASH', attempts = 5, crashes = 2, alone = true,"
        " error = 'why', finished_at = now() WHERE id = %s",
        (message_id,),
    )
    return message_id


def test_retrying_starts_over_and_tells_each_handler_once(bed: Bed, connection: Any) -> None:
    told: list[str] = []
    first, second, other = crashed(bed), crashed(bed), crashed(bed, handler="other")
    (new,) = bed.add("work")

    changed = control.retry(
        connection, ME, ids=[first, second, other, new],
        on_retry=lambda inside, handler: told.append(handler),
    )  # fmt: skip

    assert changed == Changed((first, second, other), {new: "it is NEW"})
    assert told == ["other", "work"]
    row = bed.row(first)
    assert (row["status"], row["attempts"], row["crashes"], row["alone"]) == ("NEW", 0, 0, False)
    assert row["finished_at"] is None
    assert row["error"] == "why"
    assert trail(bed) == [("ada", "message retry", "3 messages", "because")]


def test_retrying_by_queue_and_handler(bed: Bed, connection: Any) -> None:
    here, elsewhere = crashed(bed), crashed(bed, queue="orders")
    other = crashed(bed, handler="other")

    assert control.retry(connection, ME, queue="orders").ids == (elsewhere,)
    assert control.retry(connection, ME, queue="general", handler="other").ids == (other,)
    assert bed.row(here)["status"] == "CRASH"
    with pytest.raises(UsageError):
        control.retry(connection, ME)


def test_retrying_what_has_been_enqueued_anew_is_refused_row_by_row(
    bed: Bed, connection: Any
) -> None:
    doubled = [crashed(bed, dedupe_key="a"), crashed(bed, dedupe_key="b")]
    free, twin = crashed(bed, dedupe_key="c"), crashed(bed, dedupe_key="c")
    for key in ("a", "b"):
        enqueue(connection, NewMessage(handler="work", dedupe_key=key))

    changed = control.retry(connection, ME, handler="work")

    assert changed.ids == (free,)
    assert set(changed.refused) == {*doubled, twin}
    assert "same dedupe key" in changed.refused[doubled[0]]


def test_resetting_takes_messages_from_their_worker(bed: Bed, connection: Any) -> None:
    held = bed.add("work", 2)
    (new,) = bed.add("work")
    (elsewhere,) = bed.add("work", queue="orders")
    set_status(bed, "PROCESSING", [held[0], elsewhere])
    set_status(bed, "IN_QUEUE", [held[1]])

    assert control.reset(connection, ME, queue="general").ids == tuple(held)
    assert control.reset(connection, ME, ids=[elsewhere, new]) == Changed(
        (elsewhere,), {new: "it is NEW"}
    )
    assert bed.counts() == {"NEW": 4}
    assert bed.query("SELECT max(attempts), max(crashes) FROM queue_message") == [(0, 0)]
    with pytest.raises(UsageError):
        control.reset(connection, ME)


def test_a_cancelled_message_never_runs_and_stays_to_be_seen(bed: Bed, connection: Any) -> None:
    bed.handle("work")(lambda ctx, message: None)
    cancelled, kept = bed.add("work", 2)

    assert control.cancel(connection, [cancelled], ME).ids == (cancelled,)
    assert bed.work().processed == 1

    row = bed.row(cancelled)
    assert (row["status"], row["error"]) == ("CRASH", "cancelled by ada: because")
    assert bed.row(kept)["status"] == "PROCESSED"
    assert control.cancel(connection, [kept], ME).refused == {kept: "it is PROCESSED"}
    assert [line[1] for line in trail(bed)] == ["message cancel"]


def test_what_did_nothing_leaves_no_trail(bed: Bed, connection: Any) -> None:
    for changed in (
        control.pause_messages(connection, [7], ME),
        control.cancel(connection, [7], ME),
        control.reset(connection, ME, ids=[7]),
        control.retry(connection, ME, ids=[7]),
    ):
        assert changed == Changed((), {7: "no such message"})
    assert trail(bed) == []


def test_an_act_and_its_audit_line_stand_or_fall_together(bed: Bed, connection: Any) -> None:
    ids = bed.add("work")
    bed.query("ALTER TABLE audit ADD CHECK (actor <> 'ada')")
    with pytest.raises(Exception, match="violates check constraint"):
        control.cancel(connection, ids, ME)
    assert bed.row(ids[0])["status"] == "NEW"


def test_status_of_a_queue(bed: Bed, connection: Any) -> None:
    bed.add("work", 4)
    bed.query(
        "UPDATE queue_message SET available_at = now() - interval '90 seconds'"
        " WHERE id = (SELECT min(id) FROM queue_message)"
    )
    bed.query(
        "INSERT INTO queue_message (handler, available_at) VALUES ('work', now() + interval '1 h')"
    )
    bed.add("work", paused=True)
    done = bed.add("work", 20)
    set_status(bed, "PROCESSED", done)
    bed.query(
        "UPDATE queue_message SET finished_at = now() - interval '3 minutes' WHERE id = ANY(%s)",
        (done[:10],),
    )
    bed.query("UPDATE queue_message SET finished_at = now() WHERE id = ANY(%s)", (done[10:],))

    (state,) = view.status(connection, "general")

    assert state.counts == {
        "NEW": 6, "IN_QUEUE": 0, "PROCESSING": 0, "PROCESSED": 20, "CRASH": 0
    }  # fmt: skip
    assert (state.delayed, state.paused_messages, state.paused) == (1, 1, False)
    assert state.oldest_new_seconds == pytest.approx(90, abs=30)
    assert (state.per_minute_1, state.per_minute_5, state.per_minute_15) == (10, 4, 1.33)


def test_status_of_queues_without_messages(bed: Bed, connection: Any) -> None:
    assert view.status(connection) == []
    (state,) = view.status(connection, "nothing")
    assert state.queue == "nothing"
    assert state.oldest_new_seconds is None
    control.pause_queue(connection, "later", ME)
    assert [one.queue for one in view.status(connection)] == ["later"]


def test_listing_and_showing(bed: Bed, connection: Any) -> None:
    first, second = bed.add("work", 2, payload={"a": 1})
    (other,) = bed.add("other", queue="orders", direction="outgoing")
    control.prioritize(connection, [second], 5, ME)

    def ids(**filters: Any) -> list[int]:
        return [row["id"] for row in view.list_messages(connection, **filters)]

    assert ids() == [other, second, first]
    assert ids(status="NEW", queue="general") == [second, first]
    assert ids(handler="other") == ids(direction="outgoing") == [other]
    assert ids(limit=1) == [other]
    shown = view.show_message(connection, first)
    assert shown is not None
    assert shown["payload"] == {"a": 1}
    assert shown["claimed_by_run"] is None
    assert view.show_message(connection, 999) is None

"""Messages whose worker is gone go back; those that keep killing it go to CRASH."""

from typing import Any

import pytest

from cronops.queue.recovery import Restarted, release, restart_abandoned
from cronops.queue.tally import Tally
from tests.integration.queue.conftest import Bed, write_effect

FRESH = "clock_timestamp()"
OLD = "clock_timestamp() - interval '11 minutes'"
DEAD_TOKEN = 999_999


def claimed(
    bed: Bed,
    status: str,
    *,
    claimed_by: int | None = DEAD_TOKEN,
    claimed_at: str = FRESH,
    heartbeat_at: str = "NULL",
    **columns: Any,
) -> int:
    """A message somebody has claimed."""
    (message_id,) = bed.add("work", **columns)
    bed.query(
        f"UPDATE queue_message SET status = %s, claimed_by = %s, claimed_worker = 0,"
        f" claim_token = nextval('queue_claim_token'), claimed_at = {claimed_at},"
        f" heartbeat_at = {heartbeat_at} WHERE id = %s",
        (status, claimed_by, message_id),
    )
    return message_id


def restart(bed: Bed, **options: Any) -> Restarted:
    settings = options.pop("settings", {})
    with bed.database.connect() as connection:
        return restart_abandoned(
            connection,
            queue="general",
            settings=bed.database.settings(**settings).queue,
            owners_of=lambda name: ("Vehicle Data",),
            on_crash=bed._on_crash,
            **options,
        )


@pytest.mark.parametrize(("status", "suspect"), [("IN_QUEUE", False), ("PROCESSING", True)])
def test_claims_of_a_dead_lease_go_back(bed: Bed, status: str, suspect: bool) -> None:
    message_id = claimed(bed, status)

    assert restart(bed) == Restarted(1, 0)

    row = bed.row(message_id)
    assert (row["status"], row["alone"]) == ("NEW", suspect)
    assert (row["attempts"], row["crashes"], row["error"]) == (0, 0, None)
    assert row["claim_token"] is row["claimed_by"] is row["heartbeat_at"] is None


def test_claims_of_a_living_lease_stay(bed: Bed) -> None:
    token = bed.host().tokens[0]
    for status in ("IN_QUEUE", "PROCESSING"):
        claimed(bed, status, claimed_by=token)
    assert restart(bed) == Restarted(0, 0)


def test_an_expired_lease_is_dead(bed: Bed) -> None:
    token = bed.host().tokens[0]
    bed.query("UPDATE lease SET expires_at = clock_timestamp() - interval '1 second'")
    claimed(bed, "PROCESSING", claimed_by=token)
    assert restart(bed) == Restarted(1, 0)


@pytest.mark.parametrize("owner", ["living", "nobody"])
@pytest.mark.parametrize(
    ("claimed_at", "heartbeat_at", "restarted"),
    [(OLD, "NULL", 1), (OLD, FRESH, 0), (OLD, OLD, 1), (FRESH, "NULL", 0)],
)
def test_what_is_stale_by_the_databases_clock_is_restarted_whoever_holds_it(
    bed: Bed, owner: str, claimed_at: str, heartbeat_at: str, restarted: int
) -> None:
    token = bed.host().tokens[0] if owner == "living" else None
    for status in ("IN_QUEUE", "PROCESSING"):
        claimed(bed, status, claimed_by=token, claimed_at=claimed_at, heartbeat_at=heartbeat_at)
    assert restart(bed) == Restarted(2 * restarted, 0)


def test_a_suspect_that_dies_alone_is_charged_and_in_the_end_given_up(bed: Bed) -> None:
    message_id = claimed(bed, "PROCESSING")
    restart(bed)
    for crashes in (1, 2, 3):
        bed.query(
            "UPDATE queue_message SET status = 'PROCESSING', claimed_by = %s WHERE id = %s",
            (DEAD_TOKEN, message_id),
        )
        found = restart(bed)
        row = bed.row(message_id)
        assert (row["crashes"], row["attempts"], row["alone"]) == (crashes, 0, True)
        if crashes < 3:
            assert found == Restarted(1, 0)
            assert row["status"] == "NEW"
            assert bed.query("SELECT available_at > now() FROM queue_message") == [(True,)]
    assert found == Restarted(0, 1)
    assert row["status"] == "CRASH"
    assert row["error"].endswith("worked alone (3 of 3 times)")
    assert bed.crashes == [("work", ("Vehicle Data",), message_id, row["error"])]


def test_force_restarts_what_others_hold_but_not_our_own(bed: Bed) -> None:
    mine, other = bed.host().tokens[0], bed.host().tokens[0]
    own = claimed(bed, "PROCESSING", claimed_by=mine)
    theirs = claimed(bed, "PROCESSING", claimed_by=other, alone=True)
    nobodys = claimed(bed, "IN_QUEUE", claimed_by=None)

    assert restart(bed, force=True, own_token=mine) == Restarted(2, 0)
    assert bed.row(own)["status"] == "PROCESSING"
    assert bed.row(theirs)["crashes"] == 0
    assert bed.row(nobodys)["status"] == "NEW"


def test_other_queues_and_locked_rows_are_left_alone(bed: Bed) -> None:
    claimed(bed, "PROCESSING", queue="other")
    locked = claimed(bed, "PROCESSING")
    with bed.database.connect() as writer, writer.transaction():
        writer.execute("SELECT FROM queue_message WHERE id = %s FOR UPDATE", (locked,))
        assert restart(bed) == Restarted(0, 0)
    assert restart(bed) == Restarted(1, 0)


def test_more_than_one_round(bed: Bed) -> None:
    bed.add("work", 2500)
    bed.query("UPDATE queue_message SET status = 'PROCESSING', claimed_by = %s", (DEAD_TOKEN,))
    assert restart(bed) == Restarted(2500, 0)


def test_release_gives_back_one_workers_claims_only(bed: Bed) -> None:
    token = bed.host().tokens[0]
    mine = [claimed(bed, status, claimed_by=token) for status in ("IN_QUEUE", "PROCESSING")]
    sibling = claimed(bed, "PROCESSING", claimed_by=token)
    bed.query("UPDATE queue_message SET claimed_worker = 1 WHERE id = %s", (sibling,))
    kept = claimed(bed, "PROCESSING", claimed_by=token)
    with bed.database.connect() as connection:
        assert release(connection, queue="general", token=token, worker=0, keep=[kept]) == 2
    assert [bed.row(one)["status"] for one in mine] == ["NEW", "NEW"]
    assert [bed.row(one)["alone"] for one in mine] == [False, False]
    assert bed.row(sibling)["status"] == bed.row(kept)["status"] == "PROCESSING"


def test_a_worker_begins_by_restarting_what_is_abandoned(bed: Bed) -> None:
    bed.handle("work", settle="batch")(write_effect)
    ids = [claimed(bed, status) for status in ("IN_QUEUE", "PROCESSING")]

    assert bed.work() == Tally(processed=2, restarted=2)
    assert bed.effects() == dict.fromkeys(ids, 1)


def test_only_the_first_worker_looks_for_them(bed: Bed) -> None:
    bed.handle("work")(write_effect)
    claimed(bed, "PROCESSING")
    assert bed.work(bed.host(worker=1)) == Tally()


def test_force_restart_from_the_worker(bed: Bed) -> None:
    bed.handle("work")(write_effect)
    claimed(bed, "PROCESSING", claimed_by=bed.host().tokens[0])
    assert bed.work() == Tally()
    assert bed.work(force_restart=True) == Tally(processed=1, restarted=1)


def test_a_suspect_is_worked_alone_its_start_committed_first(bed: Bed) -> None:
    seen = []

    @bed.handle("work", settle="batch")
    def work(ctx, message):
        write_effect(ctx, message)
        if message.alone:
            seen.append(bed.counts())

    bed.add("work", 5)
    (suspect,) = bed.add("work", alone=True)
    bed.add("work", 5)

    assert bed.work().processed == 11
    # Nobody but the suspect is in PROCESSING: nobody else could come under suspicion.
    assert [counts["PROCESSING"] for counts in seen] == [1]
    assert bed.row(suspect)["alone"] is True

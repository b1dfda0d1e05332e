"""What the supervising process does for claimed messages."""

from typing import Any

import pytest

from cronops.contract.units import DeathCause, UnitSupervisor, WorkerDeath
from cronops.errors import DatabaseUnavailable
from cronops.queue.care import MessageCare
from tests.integration.queue.conftest import Bed
from tests.integration.queue.test_recovery import claimed


def care(bed: Bed, **settings: Any) -> UnitSupervisor:
    made = bed.database.settings(**settings)
    return MessageCare("general", made.queue, made.lock, bed.handlers.__getitem__, bed._on_crash)


def death(unit: int | None, cause: DeathCause) -> WorkerDeath:
    return WorkerDeath(unit, cause, "killed by signal 9 (SIGKILL)", 123)


@pytest.fixture
def held(bed: Bed) -> tuple[int, list[int], int]:
    """A lease's token, three messages of its worker 0, one of its worker 1."""
    bed.handle("work", max_attempts=2)(lambda ctx, message: None)
    token = bed.host().tokens[0]
    mine = [
        claimed(bed, status, claimed_by=token)
        for status in ("PROCESSING", "PROCESSING", "IN_QUEUE")
    ]
    sibling = claimed(bed, "PROCESSING", claimed_by=token)
    bed.query("UPDATE queue_message SET claimed_worker = 1 WHERE id = %s", (sibling,))
    return token, mine, sibling


def die(bed: Bed, token: int, unit: int | None, cause: DeathCause, **settings: Any) -> None:
    with bed.database.connect() as connection:
        care(bed, **settings).worker_died(connection, token, 0, death(unit, cause))


def test_a_death_is_charged_to_the_message_in_hand_alone(
    bed: Bed, held: tuple[int, list[int], int]
) -> None:
    token, mine, sibling = held
    die(bed, token, mine[0], DeathCause.DIED)

    killer, *neighbours = (bed.row(one) for one in mine)
    assert (killer["status"], killer["crashes"], killer["attempts"]) == ("NEW", 1, 0)
    assert killer["alone"] is True
    assert "SIGKILL" in killer["error"]
    assert bed.query("SELECT available_at > now() FROM queue_message WHERE id = %s", mine[:1]) == [
        (True,)
    ]
    for row in neighbours:
        assert (row["status"], row["crashes"], row["attempts"], row["alone"]) == (
            "NEW",
            0,
            0,
            False,
        )
        assert row["error"] is row["claim_token"] is None
    assert bed.row(sibling)["status"] == "PROCESSING"


def test_it_is_given_up_after_max_crashes(bed: Bed, held: tuple[int, list[int], int]) -> None:
    token, mine, _ = held
    bed.query("UPDATE queue_message SET crashes = 2 WHERE id = %s", mine[:1])
    die(bed, token, mine[0], DeathCause.DIED)

    row = bed.row(mine[0])
    assert (row["status"], row["crashes"]) == ("CRASH", 3)
    assert row["error"].startswith("killed its worker process (3 of 3 times)")
    assert bed.crashes == [("work", ("Vehicle Data",), mine[0], row["error"])]


def test_a_timeout_is_a_failed_attempt(bed: Bed, held: tuple[int, list[int], int]) -> None:
    token, mine, _ = held
    die(bed, token, mine[0], DeathCause.UNIT_TIMEOUT)
    row = bed.row(mine[0])
    assert (row["status"], row["attempts"], row["crashes"], row["alone"]) == ("NEW", 1, 0, False)
    assert row["error"].startswith("timed out after 30 s")

    bed.query(
        "UPDATE queue_message SET status = 'PROCESSING', claimed_by = %s, claimed_worker = 0"
        " WHERE id = %s",
        (token, mine[0]),
    )
    die(bed, token, mine[0], DeathCause.UNIT_TIMEOUT)
    assert bed.row(mine[0])["status"] == "CRASH"
    assert len(bed.crashes) == 1


def test_a_worker_that_was_stopped_charges_nobody(
    bed: Bed, held: tuple[int, list[int], int]
) -> None:
    token, mine, _ = held
    die(bed, token, mine[0], DeathCause.STOPPED)
    for one in mine:
        row = bed.row(one)
        assert (row["status"], row["crashes"], row["attempts"], row["alone"]) == (
            "NEW",
            0,
            0,
            False,
        )


def test_a_death_between_messages_charges_nobody(
    bed: Bed, held: tuple[int, list[int], int]
) -> None:
    token, mine, _ = held
    die(bed, token, None, DeathCause.DIED)
    assert {bed.row(one)["crashes"] for one in mine} == {0}
    assert {bed.row(one)["status"] for one in mine} == {"NEW"}


def test_told_twice_it_charges_once(bed: Bed, held: tuple[int, list[int], int]) -> None:
    token, mine, _ = held
    for _ in range(2):
        die(bed, token, mine[0], DeathCause.DIED)
    assert bed.row(mine[0])["crashes"] == 1


def test_a_message_settled_before_the_death_is_not_charged(
    bed: Bed, held: tuple[int, list[int], int]
) -> None:
    token, mine, _ = held
    bed.query("UPDATE queue_message SET status = 'PROCESSED' WHERE id = %s", mine[:1])
    die(bed, token, mine[0], DeathCause.DIED)
    assert (bed.row(mine[0])["status"], bed.row(mine[0])["crashes"]) == ("PROCESSED", 0)


def test_claims_the_dying_transaction_still_locks_are_told_to_be_tried_again(
    bed: Bed, held: tuple[int, list[int], int]
) -> None:
    token, mine, _ = held
    with bed.database.connect() as dying, dying.transaction():
        dying.execute("SELECT FROM queue_message WHERE id = %s FOR UPDATE", mine[:1])
        with pytest.raises(DatabaseUnavailable, match="still locked"):
            die(bed, token, None, DeathCause.DIED)
    die(bed, token, None, DeathCause.DIED)
    assert {bed.row(one)["status"] for one in mine} == {"NEW"}


def test_the_heartbeat_refreshes_old_claims_and_waits_for_nobody(
    bed: Bed, held: tuple[int, list[int], int]
) -> None:
    token, mine, _ = held
    bed.query("UPDATE queue_message SET heartbeat_at = now() - interval '30 seconds'")
    bed.query(
        "UPDATE queue_message SET heartbeat_at = now() - interval '1 second' WHERE id = %s",
        mine[2:],
    )
    other = claimed(
        bed,
        "PROCESSING",
        claimed_by=bed.host().tokens[0],
        heartbeat_at="now() - interval '30 seconds'",
    )
    before = bed.row(mine[2])["heartbeat_at"]
    with bed.database.connect() as worker, worker.transaction():
        worker.execute("SELECT FROM queue_message WHERE id = %s FOR UPDATE", mine[:1])
        with bed.database.connect() as connection:
            care(bed).heartbeat(connection, token)

    fresh = bed.query(
        "SELECT id FROM queue_message WHERE heartbeat_at > now() - interval '10 seconds'"
        " ORDER BY id"
    )
    # The locked one is passed over, the young one need not be written, the other's is not ours.
    assert mine[1] in {row[0] for row in fresh}
    assert mine[0] not in {row[0] for row in fresh}
    assert other not in {row[0] for row in fresh}
    assert bed.row(mine[2])["heartbeat_at"] == before


def test_the_causes_are_the_contracts() -> None:
    assert {cause.value for cause in DeathCause} == {"died", "unit timeout", "stopped"}

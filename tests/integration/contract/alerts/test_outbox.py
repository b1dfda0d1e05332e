import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from cronops.contract.alerts import claims, outbox
from cronops.contract.alerts.pending import is_anything_due, is_anything_told
from cronops.contract.alerts.report import RunReport

REPORT = RunReport(
    job="stock export",
    cr="CR-002",
    environment="test",
    run_id="run-1",
    correlation_id="c-1",
    outcome="failed",
    reason="no answer",
    exit_code=1,
    holder="here",
    accountable=("Platform Export",),
    responsible="Shared Ops",
    schedule="stock-export",
)
KEY = REPORT.dedup_key
LATER = timedelta(hours=1)


@pytest.fixture
def connection(database):
    with database.connect() as connection:
        yield connection


def rows(database, columns="owner, kind, state"):
    return database.query(f"SELECT {columns} FROM alert WHERE cancelled_at IS NULL ORDER BY id")


def deliver_all(connection):
    """Take and deliver whatever is due; what was delivered, in order."""
    delivered = []
    while alerts := claims.claim_due(connection, 10):
        for alert in alerts:
            claims.mark_delivered(connection, alert, ["test"])
            delivered.append((alert.owner, alert.state, alert.kind))
    return delivered


def age(database, interval):
    """Make everything older, as if so much time had passed."""
    database.query(
        "UPDATE alert SET available_at = available_at - %(i)s::interval,"
        " created_at = created_at - %(i)s::interval,"
        " claimed_until = claimed_until - %(i)s::interval",
        {"i": interval},
    )


def test_a_failure_writes_a_row_per_owner(database, connection):
    outbox.write_failure(connection, REPORT)
    assert rows(database, "owner, role, kind, state, severity, dedup_key, run_id") == [
        ("Shared Ops", "runtime", "failed", "firing", "critical", KEY, "run-1"),
        ("Platform Export", "domain", "failed", "firing", "warning", KEY, "run-1"),
    ]
    assert len({body for (body,) in rows(database, "body")}) == 2


def test_one_team_that_is_both_has_one_row(database, connection):
    report = replace(REPORT, accountable=("Shared Ops", "Webshop"))
    outbox.write_failure(connection, report)
    assert rows(database, "owner, role") == [("Shared Ops", "both"), ("Webshop", "domain")]


def test_rows_are_part_of_the_callers_transaction(database):
    with database.connect() as connection, connection.transaction(force_rollback=True):
        assert outbox.write_failure(connection, REPORT)
    assert rows(database) == []


def test_the_same_failure_written_twice_is_one_row_with_the_later_text(database, connection):
    outbox.write_failure(connection, REPORT)
    outbox.write_failure(connection, replace(REPORT, outcome="timed_out"))
    assert rows(database, "title")[0][0].endswith("timed out")
    assert len(rows(database)) == 2


def test_a_failure_already_delivered_is_not_sent_again(connection):
    outbox.write_failure(connection, REPORT)
    assert len(deliver_all(connection)) == 2
    assert outbox.write_failure(connection, REPORT) == []
    assert deliver_all(connection) == []


def test_a_row_held_back_is_not_due_until_its_time(database, connection):
    outbox.write_failure(connection, REPORT, available_in=LATER)
    assert claims.claim_due(connection, 10) == []
    assert claims.claim_due(connection, 10, eager=True) == [], "not even for an operator"
    age(database, "2 hours")
    assert len(claims.claim_due(connection, 10)) == 2


def test_a_pods_next_attempt_takes_the_alert_back_and_may_write_it_anew(database, connection):
    outbox.write_failure(connection, REPORT, available_in=LATER)
    assert outbox.cancel_pending(connection, "run-1") == 2
    assert rows(database) == []
    outbox.write_failure(connection, replace(REPORT, run_id="run-2"))
    outbox.write_failure(connection, REPORT)
    runs = [run for (run,) in rows(database, "run_id")]
    assert runs == ["run-2", "run-2", "run-1", "run-1"], "it comes after what came in between"


def test_what_was_sent_or_is_being_sent_is_not_taken_back(connection):
    outbox.write_failure(connection, REPORT)
    (first,) = claims.claim_due(connection, 1)
    claims.mark_delivered(connection, first, ["test"])
    assert len(claims.claim_due(connection, 10)) == 1
    assert outbox.cancel_pending(connection, "run-1") == 0


def test_recovery_tells_everybody_who_was_told_of_the_failure(database, connection):
    outbox.write_failure(connection, REPORT)
    deliver_all(connection)
    outbox.write_recovery(connection, KEY, run_id="run-2")
    assert sorted(deliver_all(connection)) == [
        ("Platform Export", "resolved", "resolved"),
        ("Shared Ops", "resolved", "resolved"),
    ]
    labels = database.query("SELECT DISTINCT owner, labels::text FROM alert")
    assert len(labels) == 2, "a resolved alert has the labels of its failure"
    assert outbox.write_recovery(connection, KEY, run_id="run-3") == [], "told once"


def test_without_a_failure_there_is_nothing_to_recover_from(database, connection):
    assert outbox.write_recovery(connection, KEY, run_id="run-2") == []
    assert rows(database) == []


def test_recovery_of_one_schedule_says_nothing_of_another(connection):
    outbox.write_failure(connection, REPORT)
    assert outbox.write_recovery(connection, "test:other", run_id="run-2") == []


def test_a_failure_that_only_waited_for_the_pods_next_attempt_is_never_told(database, connection):
    outbox.write_failure(connection, REPORT, available_in=LATER)
    assert outbox.write_recovery(connection, KEY, run_id="run-1") == []
    assert rows(database) == []


def test_a_failure_that_could_not_be_delivered_is_told_late_and_then_its_end(connection):
    outbox.write_failure(connection, REPORT)
    outbox.write_recovery(connection, KEY, run_id="run-2")
    told = deliver_all(connection)
    assert [state for owner, state, _ in told if owner == "Shared Ops"] == ["firing", "resolved"]
    assert len(told) == 4


def test_repeated_skips_are_told_once_until_the_schedule_succeeds(connection):
    report = replace(REPORT, outcome="skipped")
    assert len(outbox.write_skipping(connection, report, skips=5)) == 2
    deliver_all(connection)
    assert outbox.write_skipping(connection, replace(report, run_id="run-2"), skips=6) == []
    assert len(outbox.write_recovery(connection, KEY, run_id="run-3")) == 2
    assert len(outbox.write_skipping(connection, replace(report, run_id="run-4"), skips=5)) == 2


def test_skips_are_told_although_a_failure_was_told_before(connection):
    outbox.write_failure(connection, REPORT)
    skipped = replace(REPORT, run_id="run-2", outcome="skipped")
    assert len(outbox.write_skipping(connection, skipped, skips=5)) == 2


def write_crash(connection, database, message_id, handler="orders.process", owners=("Webshop",)):
    return outbox.write_crashed_messages(
        connection, database.settings(), handler, owners, message_id, "bad EAN", "run-1"
    )


def test_messages_in_crash_are_told_once_per_handler(database, connection):
    assert len(write_crash(connection, database, 1)) == 1
    assert write_crash(connection, database, 2) == []
    assert len(write_crash(connection, database, 3, handler="orders.send")) == 1, "same run, owner"
    assert len(write_crash(connection, database, 4, owners=("Webshop", "Stock Import"))) == 1
    dedup_keys = {key for (key,) in rows(database, "dedup_key")}
    assert dedup_keys == {"test:handler:orders.process", "test:handler:orders.send"}


def test_messages_put_back_end_the_alert_and_the_next_crash_is_told_again(database, connection):
    settings = database.settings()
    write_crash(connection, database, 1)
    assert len(outbox.write_handler_recovered(connection, settings, "orders.process")) == 1
    assert outbox.write_handler_recovered(connection, settings, "orders.process") == []
    assert len(write_crash(connection, database, 2)) == 1
    assert [state for _, state, _ in deliver_all(connection)] == ["firing", "resolved", "firing"]


def test_two_workers_with_a_crash_of_the_same_handler_write_one_alert(database):
    barrier = threading.Barrier(4)
    written = []

    def work(number):
        with database.connect() as connection:
            barrier.wait(30)
            written.extend(write_crash(connection, database, number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(written) == 1
    assert len(rows(database)) == 1


def test_a_later_row_never_leaves_before_an_earlier_one_of_its_key_and_owner(connection):
    outbox.write_failure(connection, REPORT)
    outbox.write_recovery(connection, KEY, run_id="run-2")
    first = claims.claim_due(connection, 10)
    assert {alert.state for alert in first} == {"firing"}
    assert claims.claim_due(connection, 10) == [], "being delivered is not delivered"
    claims.mark_delivered(connection, first[0], ["test"])
    claims.mark_failed(connection, first[1], [], "down")
    second = claims.claim_due(connection, 10)
    assert [(alert.owner, alert.state) for alert in second] == [("Shared Ops", "resolved")]


def test_a_failed_delivery_waits_longer_each_time_and_an_operator_need_not(database, connection):
    outbox.write_failure(connection, replace(REPORT, accountable=("Shared Ops",)))
    waits = []
    for _ in range(16):
        (alert,) = claims.claim_due(connection, 10, eager=True)
        claims.mark_failed(connection, alert, [], "down")
        assert claims.claim_due(connection, 10) == [] or len(waits) == 0
        ((wait, error),) = database.query(
            "SELECT extract(epoch FROM available_at - clock_timestamp())::float8, last_error"
            " FROM alert"
        )
        waits.append(wait)
    assert waits[0] <= 1
    assert 3 < waits[2] <= 4
    assert 3500 < waits[-1] <= 3600
    assert error == "down"


def test_what_reached_one_channel_is_remembered(connection, database):
    outbox.write_failure(connection, replace(REPORT, accountable=("Shared Ops",)))
    (alert,) = claims.claim_due(connection, 10)
    claims.mark_failed(connection, alert, ["a"], "b is down")
    (alert,) = claims.claim_due(connection, 10, eager=True)
    assert alert.delivered_channels == {"a"}
    claims.mark_delivered(connection, alert, ["b"])
    assert rows(database, "delivered_channels, last_error") == [(["a", "b"], None)]


def test_an_error_is_kept_without_its_secrets(database, connection):
    outbox.write_failure(connection, replace(REPORT, accountable=("Shared Ops",)))
    (alert,) = claims.claim_due(connection, 10)
    claims.mark_failed(connection, alert, [], "no way to smtp://u:hunter22@mail")
    assert rows(database, "last_error") == [("no way to smtp://u:***@mail",)]


def test_a_claim_that_ran_out_is_free_and_its_old_holder_records_no_failure(database, connection):
    outbox.write_failure(connection, replace(REPORT, accountable=("Shared Ops",)))
    (stale,) = claims.claim_due(connection, 10)
    age(database, "1 minute")
    (fresh,) = claims.claim_due(connection, 10)
    assert fresh.id == stale.id
    claims.mark_failed(connection, stale, [], "too late")
    assert rows(database, "last_error") == [(None,)]
    assert fresh.attempts == 2


def test_what_cannot_be_delivered_for_days_is_given_up_and_frees_the_way(database, connection):
    report = replace(REPORT, accountable=("Shared Ops",))
    outbox.write_failure(connection, report)
    age(database, "4 days")
    outbox.write_failure(connection, replace(report, run_id="run-2"))
    (old,) = claims.claim_due(connection, 10)
    claims.mark_failed(connection, old, [], "still down")
    (new,) = claims.claim_due(connection, 10)
    assert (old.run_id, new.run_id) == ("run-1", "run-2")


def test_pending_rows_are_counted(connection):
    assert claims.count_pending(connection) == 0
    outbox.write_failure(connection, REPORT)
    assert claims.count_pending(connection) == 2
    deliver_all(connection)
    assert claims.count_pending(connection) == 0


def write_trial(connection, database):
    return outbox.write_trial(
        connection,
        database.settings(operator="ann"),
        job="stock export",
        cr="CR-002",
        accountable=("Platform Export",),
        responsible="Shared Ops",
    )


def test_an_earlier_trial_does_not_hold_back_the_next(database, connection):
    write_trial(connection, database)
    for alert in claims.claim_due(connection, 10):
        claims.mark_failed(connection, alert, [], "down")
    ids = write_trial(connection, database)
    assert [alert.id for alert in claims.claim_due(connection, 10)] == ids


def test_a_trial_reaches_every_owner_and_is_no_failure_of_the_job(database, connection):
    write_trial(connection, database)
    assert rows(database) == [
        ("Shared Ops", "test", "firing"),
        ("Platform Export", "test", "firing"),
    ]
    assert outbox.write_recovery(connection, "test:stock export", run_id="r") == []


def test_a_run_can_ask_cheaply_whether_anything_is_to_be_delivered(database, connection):
    assert not is_anything_due(connection)
    outbox.write_failure(connection, REPORT, available_in=LATER)
    assert not is_anything_due(connection)
    age(database, "2 hours")
    assert is_anything_due(connection)
    deliver_all(connection)
    assert not is_anything_due(connection)


def test_a_run_can_ask_cheaply_whether_anybody_was_told(connection):
    assert not is_anything_told(connection, KEY)
    outbox.write_failure(connection, REPORT)
    assert is_anything_told(connection, KEY)
    assert not is_anything_told(connection, "test:other")

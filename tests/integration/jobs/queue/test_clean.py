"""``cronops queue clean``: what is older than its retention goes, and nothing else."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from cronops.db import block_delete
from cronops.jobs.queue import clean
from tests.commands import CommandLine
from tests.databases import Database

DAY = timedelta(days=1)


def add(database: Database, status: str, age: str, count: int = 1) -> None:
    database.query(
        "INSERT INTO queue_message (handler, status, finished_at)"
        f" SELECT 'work', %s, now() - interval '{age}' FROM generate_series(1, {count})",
        (status,),
    )


def counts(database: Database) -> dict[str, int]:
    return dict(database.query("SELECT status, count(*) FROM queue_message GROUP BY status"))


@pytest.fixture
def mixed(database: Database) -> Database:
    for status in ("PROCESSED", "CRASH"):
        add(database, status, "31 days", 3)
        add(database, status, "29 days", 2)
    database.query(
        "INSERT INTO queue_message (handler, status, created_at, available_at)"
        " SELECT 'work', status, now() - interval '90 days', now() - interval '90 days'"
        " FROM unnest(ARRAY['NEW', 'IN_QUEUE', 'PROCESSING']) AS status"
    )
    return database


def test_old_processed_messages_go_and_no_others(mixed: Database, cli: CommandLine) -> None:
    done = cli("queue", "clean")
    assert done.returncode == 0, done.stderr
    assert counts(mixed) == {"PROCESSED": 2, "CRASH": 5, "NEW": 1, "IN_QUEUE": 1, "PROCESSING": 1}
    assert "3 messages" in done.stdout


def test_crashed_ones_only_when_asked_for(mixed: Database, cli: CommandLine) -> None:
    done = cli("queue", "clean", "--include-crashed")
    assert done.returncode == 0, done.stderr
    assert counts(mixed) == {"PROCESSED": 2, "CRASH": 2, "NEW": 1, "IN_QUEUE": 1, "PROCESSING": 1}


def test_a_dry_run_counts_and_deletes_nothing(mixed: Database, cli: CommandLine) -> None:
    before = counts(mixed)
    done = cli("queue", "clean", "--dry-run", "--include-crashed")
    assert done.returncode == 0, done.stderr
    assert "3 messages" in done.stdout
    assert "3 crashed" in done.stdout
    assert counts(mixed) == before


@pytest.mark.parametrize("retention", ["0", "-1"])
def test_a_retention_that_would_delete_everything_is_refused(
    mixed: Database, cli: CommandLine, retention: str
) -> None:
    before = counts(mixed)
    refused = cli("queue", "clean", env={"CRONOPS_RETENTION__QUEUE": retention})
    assert refused.returncode == 78
    assert "retention.queue" in refused.stderr
    assert counts(mixed) == before


def test_outside_the_clean_window_it_is_skipped(mixed: Database, cli: CommandLine) -> None:
    before = counts(mixed)
    ((now,),) = mixed.query("SELECT now() AT TIME ZONE 'UTC'")
    window = {
        "CRONOPS_CLEAN_WINDOW__START": (now + timedelta(hours=2)).strftime("%H:%M"),
        "CRONOPS_CLEAN_WINDOW__END": (now + timedelta(hours=3)).strftime("%H:%M"),
        "CRONOPS_CLEAN_WINDOW__ZONE": "UTC",
    }
    skipped = cli("queue", "clean", env=window)
    assert skipped.returncode == 0
    assert counts(mixed) == before


class Context:
    """As much of a `JobContext` as the job uses."""

    def __init__(self, database: Database) -> None:
        self.settings = database.settings()
        self.stopping = False
        self.pauses = 0
        self.counts: dict[str, int] = {}
        self._database = database
        rows = database.query(
            "INSERT INTO lease (key, owner_token, run_id, job, holder, expires_at)"
            " VALUES ('cron.queue.clean', 0, 'run', 'queue clean', 'test', now() + interval '1 h')"
            " RETURNING token"
        )
        self.tokens = [rows[0][0]]

    def connect(self, purpose: str) -> Any:
        return self._database.connect()

    def count(self, name: str, by: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + by

    def pause(self, seconds: float) -> bool:
        self.pauses += 1
        return not self.stopping


def small_ranges(monkeypatch: pytest.MonkeyPatch, blocks: int) -> None:
    monkeypatch.setattr(block_delete, "MOST_BLOCKS", blocks)


@pytest.fixture
def ctx(database: Database) -> Any:
    return Context(database)


def test_what_is_exactly_as_old_as_its_retention_is_kept(
    database: Database, ctx: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((now,),) = database.query("SELECT now()")
    cutoff: datetime = now - 30 * DAY
    for age in (cutoff, cutoff - timedelta(microseconds=1)):
        database.query(
            "INSERT INTO queue_message (handler, status, finished_at)"
            " VALUES ('work', 'PROCESSED', %s)",
            (age,),
        )
    monkeypatch.setattr(block_delete, "cutoff_before", lambda connection, retention: cutoff)

    clean.clean.function(ctx)

    assert database.query("SELECT finished_at FROM queue_message") == [(cutoff,)]


def test_it_goes_on_batch_by_batch(
    database: Database, ctx: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_ranges(monkeypatch, 2)
    add(database, "PROCESSED", "1 day", 150)
    add(database, "PROCESSED", "40 days", 500)
    add(database, "PROCESSED", "1 day", 150)

    clean.clean.function(ctx)

    assert counts(database) == {"PROCESSED": 300}
    assert ctx.counts["messages"] == 500
    # Only the blocks between the first and the last old row are gone to.
    ((blocks,),) = database.query("SELECT pg_relation_size('queue_message') / 8192")
    assert 2 <= ctx.pauses < blocks / 2


def test_told_to_stop_it_leaves_the_rest(
    database: Database, ctx: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_ranges(monkeypatch, 1)
    add(database, "PROCESSED", "40 days", 500)

    def stop(seconds: float) -> bool:
        ctx.stopping = True
        return False

    ctx.pause = stop
    clean.clean.function(ctx)
    assert counts(database) == {"PROCESSED": 500 - ctx.counts["messages"]}
    assert 0 < ctx.counts["messages"] < 500


def test_a_lost_lease_deletes_nothing(database: Database, ctx: Any) -> None:
    add(database, "PROCESSED", "40 days", 5)
    database.query("DELETE FROM lease")
    with pytest.raises(Exception, match="taken over"):
        clean.clean.function(ctx)
    assert counts(database) == {"PROCESSED": 5}


def test_records_are_pruned_by_retentions_of_their_own(database: Database, ctx: Any) -> None:
    for age in ("89 days", "91 days"):
        database.query(
            "INSERT INTO run (id, job, cr, arguments_hash, correlation_id, lock_key, holder,"
            f" retry_safe, outcome, finished_at) VALUES ('{age}', 'j', 'c', '', '', '', '', true,"
            f" 'succeeded', now() - interval '{age}')"
        )
        for state in ("succeeded", "failed", "running", "unknown"):
            database.query(
                "INSERT INTO slot (job, arguments_hash, shard, scheduled_at, run_id, token, state)"
                f" VALUES ('j', '{state}', '', now() - interval '{age}', '{age}', 1, '{state}')"
            )
        for column in ("delivered_at", "cancelled_at"):
            database.query(
                "INSERT INTO alert (kind, owner, role, state, dedup_key, title, body, created_at,"
                f" {column}) VALUES ('failed', 'o', 'both', 'firing', '', '', '',"
                f" now() - interval '{age}', now() - interval '{age}')"
            )
    database.query(
        "INSERT INTO alert (kind, owner, role, state, dedup_key, title, body, created_at)"
        " VALUES ('failed', 'o', 'both', 'firing', '', '', '', now() - interval '91 days')"
    )
    database.query(
        "INSERT INTO run (id, job, cr, arguments_hash, correlation_id, lock_key, holder,"
        " retry_safe, started_at) VALUES ('open', 'j', 'c', '', '', '', '', true,"
        " now() - interval '91 days')"
    )
    for age in ("729 days", "731 days"):
        database.query(
            "INSERT INTO audit (at, actor, action, subject)"
            f" VALUES (now() - interval '{age}', 'a', 'b', 'c')"
        )

    clean.clean.function(ctx)

    assert ctx.counts == {"runs": 1, "slots": 2, "alerts": 2, "audit": 1}
    assert database.query("SELECT id FROM run ORDER BY id") == [("89 days",), ("open",)]
    assert database.query("SELECT count(*) FROM alert WHERE delivered_at IS NULL") == [(2,)]
    left = database.query("SELECT run_id, state FROM slot ORDER BY run_id, state")
    assert left[-2:] == [("91 days", "running"), ("91 days", "unknown")]

"""``cronops logs clean``: what is older than its retention goes, and nothing else."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from cronops.db import block_delete
from cronops.db.shop import create_shop
from tests.commands import CommandLine
from tests.databases import Database
from tests.stepping import run_to_step

KEPT = {"CRONOPS_LOGS__RETENTION": "30d"}


def add(database: Database, age: str, count: int = 1, width: int = 10) -> None:
    database.query(
        "INSERT INTO log_update (ts, entity, entity_id, old)"
        f" SELECT now() - interval '{age}', 'article', n::text,"
        f" jsonb_build_object('text', repeat('x', {width})) FROM generate_series(1, {count}) AS n"
    )


def ages(database: Database) -> dict[int, int]:
    return dict(
        database.query(
            "SELECT extract(day FROM now() - ts)::integer AS days, count(*) FROM log_update"
            " GROUP BY 1 ORDER BY 1"
        )
    )


def rows(database: Database) -> int:
    ((count,),) = database.query("SELECT count(*) FROM log_update")
    return int(count)


def books(database: Database) -> list[tuple[Any, ...]]:
    return database.query("SELECT target, deleted, locked, state FROM clean_audit ORDER BY id")


@pytest.fixture
def shop(database: Database) -> Database:
    with database.connect() as connection:
        create_shop(connection, database.settings().db.shop_schema)
    return database


@pytest.fixture
def old_and_new(shop: Database) -> Database:
    add(shop, "31 days", 3)
    add(shop, "29 days", 2)
    return shop


def test_old_rows_go_and_the_books_say_so(old_and_new: Database, cli: CommandLine) -> None:
    done = cli("logs", "clean", env=KEPT)

    assert done.returncode == 0, done.stderr
    assert "3 rows" in done.stdout
    assert ages(old_and_new) == {29: 2}
    assert books(old_and_new) == [("log_update", 3, 0, "done")]
    again = cli("logs", "clean", env=KEPT)
    assert again.returncode == 0, again.stderr
    assert books(old_and_new)[1:] == [("log_update", 0, 0, "done")]


def test_a_dry_run_counts_and_writes_nothing(old_and_new: Database, cli: CommandLine) -> None:
    done = cli("logs", "clean", "--dry-run", env=KEPT)

    assert done.returncode == 0, done.stderr
    assert "3 rows" in done.stdout
    assert ages(old_and_new) == {29: 2, 31: 3}
    assert books(old_and_new) == []


@pytest.mark.parametrize("retention", ["0", "-1", "", "soon", "3h", None])
def test_a_retention_that_is_none_is_refused(
    old_and_new: Database, cli: CommandLine, retention: str | None
) -> None:
    env = {} if retention is None else {"CRONOPS_LOGS__RETENTION": retention}
    refused = cli("logs", "clean", env=env)

    assert refused.returncode == 78
    assert "logs.retention" in refused.stderr
    assert ages(old_and_new) == {29: 2, 31: 3}


def test_what_is_exactly_as_old_as_the_retention_stays(shop: Database) -> None:
    ((now,),) = shop.query("SELECT now()")
    cutoff: datetime = now - timedelta(days=30)
    for age in (cutoff, cutoff - timedelta(microseconds=1)):
        shop.query(
            "INSERT INTO log_update (ts, entity, entity_id) VALUES (%s, 'article', '1')", (age,)
        )
    with shop.connect() as connection:
        old = block_delete.Old("log_update", "ts < %(cutoff)s", {"cutoff": cutoff})
        found = block_delete.find(connection, old)
        block_delete.delete(
            connection,
            found,
            settle=lambda _: None,
            committed=lambda _: None,
            pause=lambda _: True,
        )

    assert shop.query("SELECT ts FROM log_update") == [(cutoff,)]


def test_a_log_of_nothing_but_old_rows_is_refused_until_accepted(
    shop: Database, cli: CommandLine
) -> None:
    add(shop, "400 days", 3)
    # The clock of whoever wrote this one was wrong: it does not show that the log is alive.
    add(shop, "-50 days")

    refused = cli("logs", "clean", env=KEPT)

    assert refused.returncode == 1
    assert "all of it would go" in refused.stderr
    assert rows(shop) == 4
    assert books(shop) == [("log_update", 0, 0, "refused")]
    accepted = cli("logs", "clean", "--accept-mass-delete", env=KEPT)
    assert accepted.returncode == 0, accepted.stderr
    assert rows(shop) == 1


def test_years_of_a_first_run_are_no_mass_to_accept(shop: Database, cli: CommandLine) -> None:
    add(shop, "400 days", 5_000)
    add(shop, "1 day", 5)

    done = cli("logs", "clean", env=KEPT)

    assert done.returncode == 0, done.stderr
    assert ages(shop) == {1: 5}


def test_without_the_shops_table_it_says_what_to_do(database: Database, cli: CommandLine) -> None:
    refused = cli("logs", "clean", env=KEPT)

    assert refused.returncode == 78
    assert "shop.log_update" in refused.stderr
    assert "docs/shop.md" in refused.stderr
    assert books(database) == [("log_update", 0, 0, "failed")]


def test_a_view_is_refused_in_words(shop: Database, cli: CommandLine) -> None:
    add(shop, "40 days")
    add(shop, "1 day")
    shop.query("ALTER TABLE shop.log_update RENAME TO changes")
    shop.query("CREATE VIEW shop.log_update AS SELECT * FROM shop.changes")

    refused = cli("logs", "clean", env=KEPT)

    assert refused.returncode == 78
    assert "log_update is a view" in refused.stderr
    assert rows(shop) == 2


def test_a_partitioned_log_is_cleaned_partition_by_partition(
    shop: Database, cli: CommandLine
) -> None:
    shop.query("DROP TABLE shop.log_update")
    shop.query(
        "CREATE TABLE shop.log_update (id bigint, ts timestamptz, entity text, entity_id text,"
        ' "user" text, old jsonb, new jsonb) PARTITION BY RANGE (ts)'
    )
    ((today,),) = shop.query("SELECT current_date")
    for name, first, last in (("100% old", -500, -20), ("new", -20, 1)):
        shop.query(
            f'CREATE TABLE shop."{name}" PARTITION OF shop.log_update FOR VALUES FROM'.replace(
                "%", "%%"
            )
            + f" ('{today + timedelta(days=first)}') TO ('{today + timedelta(days=last)}')",
            (),
        )
    add(shop, "31 days", 3)
    add(shop, "25 days", 2)
    add(shop, "1 hour", 1)

    done = cli("logs", "clean", env=KEPT)

    assert done.returncode == 0, done.stderr
    assert ages(shop) == {0: 1, 25: 2}


def test_outside_the_clean_window_it_is_skipped(old_and_new: Database, cli: CommandLine) -> None:
    ((now,),) = old_and_new.query("SELECT now() AT TIME ZONE 'UTC'")
    window = {
        "CRONOPS_CLEAN_WINDOW__START": (now + timedelta(hours=2)).strftime("%H:%M"),
        "CRONOPS_CLEAN_WINDOW__END": (now + timedelta(hours=3)).strftime("%H:%M"),
        "CRONOPS_CLEAN_WINDOW__ZONE": "UTC",
    }
    skipped = cli("logs", "clean", env=KEPT | window)

    assert skipped.returncode == 0
    assert ages(old_and_new) == {29: 2, 31: 3}


class Writer(threading.Thread):
    """A program of the shop: it inserts, and changes old rows, and notes its longest wait."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self._stop_asked = threading.Event()
        self.longest = 0.0
        self.inserted = 0

    def run(self) -> None:
        number = 0
        with self._database.connect() as connection:
            while not self._stop_asked.is_set():
                began = time.monotonic()
                connection.execute(
                    "INSERT INTO log_update (entity, entity_id) VALUES ('writer', '')"
                )
                self.inserted += 1
                # An old one, all over the table; gone or not.
                number = (number + 7_919) % 60_000
                connection.execute(
                    "UPDATE log_update SET \"user\" = 'seen' WHERE id = %s", (number,)
                )
                self.longest = max(self.longest, time.monotonic() - began)
                time.sleep(0.001)

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()


@pytest.fixture
def writer(shop: Database) -> Iterator[Writer]:
    one = Writer(shop)
    yield one
    if one.is_alive():
        one.stop()


def test_other_writers_do_not_wait_and_are_not_waited_for(
    shop: Database, cli: CommandLine, writer: Writer
) -> None:
    add(shop, "400 days", 60_000)
    add(shop, "1 day", 100)
    with shop.connect() as other:
        other.execute("BEGIN")
        # One holds rows for as long as the run takes, at both ends and in the middle.
        locked = "SELECT FROM log_update WHERE id IN (1, 30000, 30001, 60000) FOR UPDATE"
        assert other.execute(locked).rowcount == 4
        writer.start()
        done = cli("logs", "clean", env=KEPT)
        writer.stop()
        other.execute("ROLLBACK")

    assert done.returncode == 0, done.stderr
    assert "rows locked by others, left for the next run: 4" in done.stdout + done.stderr
    # What it changed was changed before it was deleted, and is still old: it goes as well.
    assert ages(shop) == {0: writer.inserted, 1: 100, 400: 4}
    assert books(shop) == [("log_update", 59_996, 4, "done")]
    assert writer.inserted > 0
    # Some 20 ms on a quiet machine; the held rows are held for the whole run.
    assert writer.longest < 1
    again = cli("logs", "clean", env=KEPT)
    assert again.returncode == 0, again.stderr
    assert 400 not in ages(shop)


def test_killed_at_any_step_the_next_run_comes_to_the_same_end(
    shop: Database, cli: CommandLine
) -> None:
    add(shop, "400 days", 400, width=1_500)  # more blocks than one range holds
    add(shop, "1 day", 2)
    steps = ["deleted", "deleted", "done"]
    for number in (1, 2, 3):
        words = ("logs", "clean", "--wait=30s")
        assert run_to_step(shop, cli.directory, number, *words, env=KEPT) == steps[:number]
        died = books(shop)[-1]
        assert died[3] == ("done" if number == 3 else "begun")
        # What is in the books is what is gone, wherever it died.
        assert died[1] == 400 - ages(shop).get(400, 0)
        run_to_step(shop, cli.directory, 0, *words, env=KEPT)
        assert ages(shop) == {1: 2}
        assert sum(row[1] for row in books(shop)) == 400
        shop.query("TRUNCATE clean_audit")
        shop.query("DELETE FROM log_update")
        shop.query("VACUUM log_update")
        add(shop, "400 days", 400, width=1_500)
        add(shop, "1 day", 2)

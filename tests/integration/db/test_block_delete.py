"""Deleting by ranges of blocks: how it goes through a table, and what it lets be."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from cronops.db import block_delete
from cronops.db.block_delete import Deleted, Old, delete, find
from cronops.errors import ConfigurationError, LeaseLost
from tests.databases import Database

OLD = Old("thing", "age > %(limit)s", {"limit": 30})


@pytest.fixture
def table(database: Database) -> Database:
    database.query("CREATE TABLE thing (id integer, age integer, text text)")
    add(database, 1_000)
    return database


def add(database: Database, count: int) -> None:
    """Things of which each tenth is not old, some four to a block."""
    database.query(
        "INSERT INTO thing SELECT n, CASE WHEN n % 10 = 0 THEN 1 ELSE 99 END, repeat('x', 1800)"
        f" FROM generate_series(1, {count}) AS n"
    )


def ages(database: Database) -> dict[int, int]:
    return dict(database.query("SELECT age, count(*) FROM thing GROUP BY 1"))


class Ranges:
    """What a caller hands in; notes what it is told."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.settled: list[int] = []
        self.committed: list[int] = []
        self.pauses = 0
        self._stop_after = stop_after

    def settle(self, rows: int) -> None:
        self.settled.append(rows)

    def pause(self, seconds: float) -> bool:
        self.pauses += 1
        return self.pauses != self._stop_after

    def run(self, connection: Any, old: Old = OLD) -> Deleted:
        return delete(
            connection,
            find(connection, old),
            settle=self.settle,
            committed=self.committed.append,
            pause=self.pause,
        )


def test_it_goes_range_by_range_and_each_is_settled(table: Database) -> None:
    ranges = Ranges()
    with table.connect() as connection:
        assert ranges.run(connection) == Deleted(900, 0, complete=True)

    assert ages(table) == {1: 100}
    assert sum(ranges.settled) == 900
    assert len(ranges.settled) > 1
    assert ranges.settled == ranges.committed


@pytest.mark.parametrize("statement", [block_delete._DELETE, block_delete._DELETE_UNLOCKED])
@pytest.mark.parametrize("index", [False, True])
def test_no_range_reads_more_than_its_blocks(table: Database, statement: str, index: bool) -> None:
    if index:
        table.query("CREATE INDEX ON thing (age)")
        table.query("ANALYZE thing")
    with table.connect() as connection, connection.transaction():
        connection.execute(block_delete._BY_BLOCK_ONLY)
        planned = "EXPLAIN " + statement.format(table="thing", old=OLD.condition)
        values = {**OLD.values, "first": "(0,0)", "end": "(8,0)"}
        # The first ones are planned for their values, the later ones for any.
        for _ in range(10):
            plan = "\n".join(row[0] for row in connection.execute(planned, values, prepare=True))
            assert "Tid Range Scan on thing" in plan
            assert "Seq Scan" not in plan


def test_told_to_stop_it_leaves_the_rest(table: Database) -> None:
    ranges = Ranges(stop_after=1)
    with table.connect() as connection:
        deleted = ranges.run(connection)

    assert not deleted.complete
    assert 0 < deleted.rows < 900
    assert ages(table) == {1: 100, 99: 900 - deleted.rows}


def test_what_does_not_settle_is_not_deleted(table: Database) -> None:
    def refuse(rows: int) -> None:
        raise LeaseLost("taken over")

    ranges = Ranges()
    ranges.settle = refuse  # type: ignore[method-assign]
    with table.connect() as connection, pytest.raises(LeaseLost):
        ranges.run(connection)

    assert ages(table) == {1: 100, 99: 900}


@pytest.mark.parametrize("how", ["FOR UPDATE", "FOR KEY SHARE"])
def test_a_locked_row_is_left_and_counted(table: Database, how: str) -> None:
    with table.connect() as other, table.connect() as connection:
        other.execute("BEGIN")
        other.execute(f"SELECT FROM thing WHERE id IN (1, 2, 10) {how}")
        # The third is not old: nobody asks for it.
        assert Ranges().run(connection) == Deleted(898, 2, complete=True)
        other.execute("ROLLBACK")
        assert Ranges().run(connection) == Deleted(2, 0, complete=True)


def test_a_row_that_is_renewed_meanwhile_stays(table: Database) -> None:
    with table.connect() as connection:
        found = find(connection, OLD)
        table.query("UPDATE thing SET age = 0 WHERE id <= 5")
        ranges = Ranges()
        delete(
            connection,
            found,
            settle=ranges.settle,
            committed=ranges.committed.append,
            pause=ranges.pause,
        )

    assert ages(table) == {0: 5, 1: 100}


def test_the_parts_of_a_table_are_gone_through_one_by_one(table: Database) -> None:
    table.query('CREATE TABLE "50% more" () INHERITS (thing)')
    table.query("INSERT INTO \"50% more\" VALUES (1, 99, ''), (2, 1, '')", None)
    with table.connect() as connection:
        found = find(connection, OLD)
        assert [part.table for part in found.parts] == ['"50%% more"', "thing"]
        assert Ranges().run(connection).rows == 901

    assert ages(table) == {1: 101}


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
def test_what_has_no_blocks_of_its_own_is_refused(table: Database, kind: str) -> None:
    table.query(f"CREATE {kind} seen AS SELECT * FROM thing")
    with table.connect() as connection, pytest.raises(ConfigurationError, match=r"is a (m|v)"):
        find(connection, Old("seen", "age > 30"))


@pytest.fixture
def role(table: Database) -> Iterator[str]:
    name = f"cleaner_{secrets.token_hex(4)}"
    table.query(f"CREATE ROLE {name}; GRANT USAGE ON SCHEMA cronops TO {name}")
    yield name
    table.query(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_right_that_is_lacking_is_named(table: Database, role: str) -> None:
    table.query(f"GRANT SELECT, DELETE ON thing TO {role}")
    with table.connect() as connection:
        connection.execute(f"SET ROLE {role}")
        with pytest.raises(ConfigurationError, match="SELECT, UPDATE and DELETE"):
            find(connection, OLD)
        table.query(f"GRANT UPDATE ON thing TO {role}")
        assert Ranges().run(connection).rows == 900

"""Clearing one target: the books agree with what is gone, however it ends."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from cronops.contract.cleaning import Cleaning
from cronops.contract.context import JobContext
from cronops.db.block_delete import Old
from cronops.errors import LeaseLost, NeedsAPerson, PermanentError
from tests.databases import Database

CUTOFF = datetime(2026, 1, 1, tzinfo=UTC)
OLD = Old("thing", "age > 30")


class Context:
    """As much of a `JobContext` as a cleaning uses."""

    fenced = JobContext.fenced

    def __init__(self, database: Database) -> None:
        self.run_id = "run"
        self.job = SimpleNamespace(name="thing clean")
        self.counts: dict[str, int] = {}
        self.steps: list[str] = []
        self.shown: list[tuple[int, int | None]] = []
        self.pause: Callable[[float], bool] = lambda _: True
        self._on_step: Callable[[], Any] = lambda: None
        ((token,),) = database.query(
            "INSERT INTO lease (key, owner_token, run_id, job, holder, expires_at)"
            " VALUES ('cron.thing', 0, 'run', 'thing', 'test', now() + interval '1 h')"
            " RETURNING token"
        )
        self.tokens = [token]

    def count(self, name: str, by: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + by

    def progress(self, done: int, total: int | None = None) -> None:
        self.shown.append((done, total))

    def step(self, name: str, **facts: Any) -> None:
        self.steps.append(name)
        self._on_step()

    def at_each_step(self, act: Callable[[], Any]) -> None:
        self._on_step = act


@pytest.fixture
def table(database: Database) -> Database:
    """More old rows than one range takes."""
    database.query("CREATE TABLE thing (id integer, age integer, text text)")
    database.query(
        "INSERT INTO thing SELECT n, 99, repeat('x', 1800) FROM generate_series(1, 600) AS n"
    )
    return database


@pytest.fixture
def ctx(table: Database) -> Context:
    return Context(table)


def clean(database: Database, ctx: Any, old: Old = OLD, *, dry_run: bool = False) -> int:
    with database.connect() as connection:
        cleaning = Cleaning(ctx, connection, "thing", count="rows", dry_run=dry_run)
        with cleaning.noted():
            return cleaning.delete(old, CUTOFF)


def left(database: Database) -> int:
    ((count,),) = database.query("SELECT count(*) FROM thing")
    return int(count)


def books(database: Database) -> list[tuple[Any, ...]]:
    return database.query("SELECT deleted, state, problem, cutoff FROM clean_audit")


def test_it_counts_and_shows_how_far_it_is(table: Database, ctx: Context) -> None:
    assert clean(table, ctx) == 0
    assert books(table) == [(600, "done", None, CUTOFF)]
    assert ctx.counts == {"rows": 600}
    assert ctx.shown[-1] == (600, 600)
    assert len(ctx.shown) > 1


def test_told_to_stop_it_says_so_and_the_same_run_may_go_on(table: Database, ctx: Context) -> None:
    ctx.pause = lambda _: False
    clean(table, ctx)

    assert 0 < left(table) < 600
    assert books(table) == [(600 - left(table), "stopped", None, CUTOFF)]
    ctx.pause = lambda _: True
    clean(table, ctx)
    assert books(table) == [(600, "done", None, CUTOFF)]


def test_once_the_lease_is_lost_nothing_more_is_deleted_or_noted(
    table: Database, ctx: Context
) -> None:
    ctx.at_each_step(lambda: table.query("DELETE FROM lease"))

    with pytest.raises(LeaseLost):
        clean(table, ctx)

    assert ctx.steps == ["deleted"]
    assert books(table) == [(600 - left(table), "begun", None, CUTOFF)]
    assert 0 < left(table) < 600


def test_what_fails_is_noted_beside_what_is_gone(table: Database, ctx: Context) -> None:
    def lock_out() -> None:
        # Nobody may refer to what is left.
        table.query("CREATE TABLE other AS SELECT id FROM thing")
        table.query("ALTER TABLE thing ADD PRIMARY KEY (id)")
        table.query("ALTER TABLE other ADD FOREIGN KEY (id) REFERENCES thing")
        ctx.at_each_step(lambda: None)

    ctx.at_each_step(lock_out)

    with pytest.raises(PermanentError, match="ForeignKeyViolation"):
        clean(table, ctx)

    [(deleted, state, problem, _)] = books(table)
    assert (deleted, state) == (600 - left(table), "failed")
    assert 0 < deleted < 600
    assert problem.startswith("ForeignKeyViolation: ")


def test_a_guard_that_refuses_is_noted_but_not_by_a_dry_run(table: Database, ctx: Any) -> None:
    for dry_run in (True, False):
        with table.connect() as connection:
            cleaning = Cleaning(ctx, connection, "thing", count="rows", dry_run=dry_run)
            with pytest.raises(NeedsAPerson), cleaning.noted():
                raise NeedsAPerson("no")
        assert [row[1:3] for row in books(table)] == ([] if dry_run else [("refused", "no")])


def test_a_dry_run_only_counts(table: Database, ctx: Context) -> None:
    clean(table, ctx, dry_run=True)

    assert ctx.counts == {"rows": 600}
    assert (left(table), books(table), ctx.steps) == (600, [], [])

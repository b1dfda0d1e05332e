"""The connection a job is given: nothing is committed on it without the lease."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from cronops.contract.fenced import fenced_connection
from cronops.contract.job import Lock
from cronops.contract.lock import Claimant, Held, acquire
from cronops.errors import LeaseLost, PermanentError
from tests.databases import Database

INSERT = text("INSERT INTO public.effect VALUES ('done')")


@pytest.fixture
def db(database: Database) -> Iterator[Connection]:
    database.query("CREATE TABLE public.effect (note text)")
    with database.connect() as connection, connection.transaction():
        claimant = Claimant("run", "test", "here", timedelta(minutes=1))
        held = acquire(connection, Lock("test.fenced"), claimant)
    assert isinstance(held, Held)
    made = fenced_connection(database.connect, lambda: [held.token])
    yield made
    made.close()
    raw = made.engine.raw_connection()
    raw.invalidate()


def commit(db: Connection) -> None:
    db.execute(INSERT)
    db.commit()


def begin(db: Connection) -> None:
    with db.begin():
        db.execute(INSERT)


def begin_nested(db: Connection) -> None:
    with db.begin(), db.begin_nested():
        db.execute(INSERT)


WAYS = [commit, begin, begin_nested]


@pytest.mark.parametrize("way", WAYS)
def test_with_the_lease_it_commits(
    database: Database, db: Connection, way: Callable[[Connection], None]
) -> None:
    way(db)
    assert database.query("SELECT note FROM public.effect") == [("done",)]


@pytest.mark.parametrize("way", WAYS)
def test_without_it_nothing_is_committed_and_the_connection_is_free(
    database: Database, db: Connection, way: Callable[[Connection], None]
) -> None:
    database.query("DELETE FROM lease")

    for _ in range(2):
        with pytest.raises(LeaseLost):
            way(db)
        db.rollback()
    assert database.query("SELECT note FROM public.effect") == []


def test_it_cannot_be_set_to_commit_each_statement(database: Database, db: Connection) -> None:
    database.query("DELETE FROM lease")

    with pytest.raises(PermanentError, match="AUTOCOMMIT"):
        db.execution_options(isolation_level="AUTOCOMMIT").execute(INSERT)
    assert database.query("SELECT note FROM public.effect") == []


@pytest.mark.parametrize(
    "statement",
    ["COMMIT", " commit;", "END", "ROLLBACK", "ABORT", "rollback work", "PREPARE TRANSACTION 'x'"],
)
def test_a_statement_cannot_end_the_transaction(
    database: Database, db: Connection, statement: str
) -> None:
    db.execute(INSERT)
    with pytest.raises(PermanentError, match="not ended by a statement"):
        db.exec_driver_sql(statement)
    db.rollback()
    assert database.query("SELECT note FROM public.effect") == []


def test_savepoints_by_hand_are_left_alone(database: Database, db: Connection) -> None:
    db.execute(INSERT)
    for statement in ("SAVEPOINT here", "ROLLBACK TO SAVEPOINT here", "RELEASE SAVEPOINT here"):
        db.exec_driver_sql(statement)
    db.commit()
    assert database.query("SELECT note FROM public.effect") == [("done",)]

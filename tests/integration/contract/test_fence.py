"""What the fence rests on: KEY SHARE, last, and a takeover that deletes the lease's row."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from cronops.contract.job import Lock
from cronops.contract.lock import Busy, Claimant, Held, acquire, fence, renew
from cronops.errors import LeaseLost
from tests.databases import Database

KEY = "test.fence"
TTL = timedelta(minutes=1)
DEADLINE_SECONDS = 30


@pytest.fixture
def holder(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        connection.execute("CREATE TABLE effect (note text)")
        yield connection


@pytest.fixture
def successor(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        yield connection


def take(connection: psycopg.Connection, run_id: str) -> Held:
    with connection.transaction():
        held = acquire(connection, Lock(KEY), Claimant(run_id, "test", "here", TTL))
    assert isinstance(held, Held)
    return held


def expire(database: Database) -> None:
    database.query("UPDATE lease SET expires_at = clock_timestamp()")


def wait_until_blocked(database: Database, connection: psycopg.Connection) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        pid = connection.info.backend_pid
        if database.query("SELECT pg_blocking_pids(%s)", (pid,))[0][0]:
            return
        time.sleep(0.01)
    raise AssertionError("nobody waits for the fenced transaction")


def test_a_holder_that_was_taken_over_commits_nothing(
    database: Database, holder: psycopg.Connection, successor: psycopg.Connection
) -> None:
    old = take(holder, "old")

    def commit_late() -> None:
        with holder.transaction():
            holder.execute("INSERT INTO effect VALUES ('late')")
            expire(database)
            take(successor, "new")
            fence(holder, [old.token])

    with pytest.raises(LeaseLost, match="taken over"):
        commit_late()
    assert database.query("SELECT * FROM effect") == []


def test_a_takeover_waits_until_a_fenced_transaction_is_through(
    database: Database, holder: psycopg.Connection, successor: psycopg.Connection
) -> None:
    old = take(holder, "old")
    seen_by_successor: list[tuple[str]] = []

    def take_over() -> None:
        take(successor, "new")
        seen_by_successor.extend(successor.execute("SELECT note FROM effect").fetchall())

    thread = threading.Thread(target=take_over)
    with holder.transaction():
        holder.execute("INSERT INTO effect VALUES ('in time')")
        fence(holder, [old.token])
        expire(database)
        thread.start()
        wait_until_blocked(database, successor)
    thread.join(DEADLINE_SECONDS)

    assert seen_by_successor == [("in time",)]


def test_a_fenced_transaction_never_holds_up_the_heartbeat(
    database: Database, holder: psycopg.Connection
) -> None:
    held = take(holder, "run")

    with database.connect() as heartbeat, holder.transaction():
        heartbeat.execute("SET lock_timeout = '5s'")
        fence(holder, [held.token])
        assert renew(heartbeat, held.token, TTL) == {held.token}
        fence(holder, [held.token])


def test_a_fence_that_meets_a_takeover_in_progress_waits_for_it_and_fails(
    database: Database, holder: psycopg.Connection, successor: psycopg.Connection
) -> None:
    old = take(holder, "old")
    expire(database)
    failed: list[BaseException] = []

    def fence_now() -> None:
        try:
            fence(holder, [old.token])
        except LeaseLost as error:
            failed.append(error)

    thread = threading.Thread(target=fence_now)
    with successor.transaction():
        acquire(successor, Lock(KEY), Claimant("new", "test", "here", TTL))
        thread.start()
        wait_until_blocked(database, holder)
    thread.join(DEADLINE_SECONDS)

    assert len(failed) == 1


def test_a_lease_that_is_renewed_while_it_is_asked_for_stays(
    database: Database, holder: psycopg.Connection, successor: psycopg.Connection
) -> None:
    """Late, but alive: it is neither ended nor waited for."""
    old = take(holder, "old")
    expire(database)
    claimant = Claimant("new", "test", "here", TTL)
    with holder.transaction():
        assert renew(holder, old.token, TTL) == {old.token}
        with successor.transaction():
            successor.execute("SET LOCAL lock_timeout = '5s'")
            assert isinstance(acquire(successor, Lock(KEY), claimant), Busy)
    with successor.transaction():
        assert isinstance(acquire(successor, Lock(KEY), claimant), Busy)
    fence(holder, [old.token])

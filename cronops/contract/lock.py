"""Leases: a lock is a row with a holder, a fencing token and an expiry by the database's clock.

A takeover deletes the row and inserts one with a higher token. That makes the fence cheap:
``FOR KEY SHARE`` on the row in the last statement before COMMIT fails once the row is gone and
holds off a takeover until the commit is through, yet never waits for, nor delays, the
heartbeat's UPDATE. See docs/decisions/ for the measurement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from cronops.contract.job import Lock
from cronops.db.audit import write_audit
from cronops.errors import LeaseLost

# Acquisitions of one key go one by one; the lock ends with the transaction, so a connection
# pooler in transaction mode does no harm.
_SERIALISE = "SELECT pg_advisory_xact_lock(hashtextextended('cronops.lease ' || %(key)s, 0))"
# A lease that is being renewed at this moment is alive after all, though late.
_EXPIRED = """
SELECT token, owner_token FROM lease
WHERE key = %(key)s AND (
    expires_at <= clock_timestamp()
    OR (run_id = %(run_id)s AND owner_token IS DISTINCT FROM %(owner_token)s
        AND renewed_at < clock_timestamp() - %(ttl)s / 2)
)
FOR NO KEY UPDATE SKIP LOCKED
"""
# A frozen holder may sit between its fence and its COMMIT: ending its sessions frees the row.
# Tokens are of one database: another one on the server has runs of the same number.
_END_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
  AND starts_with(application_name, 'cronops run ' || %(token)s || ' ')
"""
_REMOVE = "DELETE FROM lease WHERE token = %(token)s"
_CONFLICTING = """
SELECT key, shared, run_id, job, holder,
       clock_timestamp() - acquired_at AS age, clock_timestamp() - renewed_at AS silent
FROM lease
WHERE key = %(key)s AND NOT (shared AND %(shared)s)
ORDER BY shared, token LIMIT 1
"""
_INSERT = """
WITH next AS (SELECT nextval('lease_token') AS token)
INSERT INTO lease (token, key, shared, owner_token, run_id, job, holder, expires_at)
SELECT token, %(key)s, %(shared)s, coalesce(%(owner_token)s::bigint, token), %(run_id)s, %(job)s,
       %(holder)s, clock_timestamp() + %(ttl)s
FROM next
RETURNING token
"""
_RENEW = """
UPDATE lease SET renewed_at = clock_timestamp(), expires_at = clock_timestamp() + %(ttl)s
WHERE owner_token = %(owner_token)s
RETURNING token
"""
_RELEASE = "DELETE FROM lease WHERE owner_token = %(owner_token)s"
_RELEASE_ONE = "DELETE FROM lease WHERE token = %(token)s"
_FENCE = """
SELECT count(*) FROM (SELECT FROM lease WHERE token = ANY(%(tokens)s) FOR KEY SHARE) AS held
"""
_LIST = """
SELECT key, shared, token, owner_token, run_id, job, holder, acquired_at, renewed_at, expires_at,
       expires_at > clock_timestamp() AS alive
FROM lease ORDER BY key, token
"""


@dataclass(frozen=True)
class Claimant:
    """Who asks for a lease."""

    run_id: str
    job: str
    holder: str
    """Host and process, for people."""
    ttl: timedelta
    owner_token: int | None = None
    """The run's first lease, for further ones; renewals and release go by it."""


@dataclass(frozen=True)
class Held:
    """A lease this run holds."""

    key: str
    token: int


@dataclass(frozen=True)
class Busy:
    """Somebody else's lease that is in the way."""

    key: str
    shared: bool
    run_id: str
    job: str
    holder: str
    age: timedelta
    silent: timedelta


def acquire(connection: psycopg.Connection[Any], lock: Lock, claimant: Claimant) -> Held | Busy:
    """Take the lease, or say who holds it. Call inside a transaction.

    An expired lease is taken over, and its sessions are ended. So is one of the very same run
    that has been silent for half its time to live: that is a pod which died and was restarted.
    """
    values = {
        "key": lock.key,
        "shared": lock.shared,
        "run_id": claimant.run_id,
        "job": claimant.job,
        "holder": claimant.holder,
        "ttl": claimant.ttl,
        "owner_token": claimant.owner_token,
    }
    connection.execute(_SERIALISE, values)
    for token, owner_token in connection.execute(_EXPIRED, values).fetchall():
        end_lease(connection, token, owner_token)
    busy = connection.execute(_CONFLICTING, values).fetchone()
    if busy is not None:
        return Busy(*busy)
    row = connection.execute(_INSERT, values).fetchone()
    assert row is not None  # noqa: S101 - INSERT … RETURNING of one row
    return Held(lock.key, row[0])


def end_lease(connection: psycopg.Connection[Any], token: int, owner_token: int) -> None:
    """Remove a dead run's lease and end whatever sessions it left behind."""
    connection.execute(_END_SESSIONS, {"token": str(owner_token)})
    connection.execute(_REMOVE, {"token": token})


def renew(connection: psycopg.Connection[Any], owner_token: int, ttl: timedelta) -> set[int]:
    """Renew all leases of a run; the tokens that are still held."""
    rows = connection.execute(_RENEW, {"owner_token": owner_token, "ttl": ttl}).fetchall()
    return {row[0] for row in rows}


def release_all(connection: psycopg.Connection[Any], owner_token: int) -> None:
    """Give back every lease of a run."""
    connection.execute(_RELEASE, {"owner_token": owner_token})


def release_one(connection: psycopg.Connection[Any], token: int) -> None:
    """Give back one lease."""
    connection.execute(_RELEASE_ONE, {"token": token})


def fence(connection: psycopg.Connection[Any], tokens: Sequence[int]) -> None:
    """As the last statement before COMMIT: raise `LeaseLost` unless every lease is still held."""
    row = connection.execute(_FENCE, {"tokens": list(tokens)}).fetchone()
    if row is None or row[0] != len(tokens):
        raise LeaseLost(
            "the lease was taken over by another run, so nothing was committed; "
            "see: cronops locks list"
        )


def session_name(owner_token: int, job: str) -> str:
    """The application name of a run's own connections, by which a takeover finds them."""
    return f"run {owner_token} {job}"


def list_leases(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Every lease, for people."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_LIST).fetchall()


def release_by_operator(
    connection: psycopg.Connection[Any], key: str, *, actor: str, reason: str
) -> int:
    """Remove every lease on `key`, whoever holds it; how many there were.

    The holder notices at its next heartbeat and can commit nothing more.
    """
    with connection.transaction():
        rows: list[tuple[int, int, datetime]] = connection.execute(
            "SELECT token, owner_token, acquired_at FROM lease WHERE key = %s", (key,)
        ).fetchall()
        for token, owner_token, _ in rows:
            end_lease(connection, token, owner_token)
        if rows:
            write_audit(
                connection,
                actor=actor,
                action="locks release",
                subject=key,
                reason=reason,
                details={"tokens": [row[0] for row in rows]},
            )
    return len(rows)

"""Slots: one scheduled time of one job with one set of arguments is worked once.

A slot is taken in the transaction that opens the run, after the lock: skipping never uses it up.
"""

from datetime import datetime
from typing import Any

import psycopg

from cronops.contract.identity import Identity
from cronops.errors import NeedsAPerson

# A slot left running counts only while its token lives; where a repeat might hurt, a person
# has to say first what became of it.
_TAKE = """
INSERT INTO slot (job, arguments_hash, shard, scheduled_at, run_id, token, state)
VALUES (%(job)s, %(arguments_hash)s, %(shard)s, %(scheduled_at)s, %(run_id)s, %(token)s, 'running')
ON CONFLICT (job, arguments_hash, shard, scheduled_at) DO UPDATE
SET run_id = excluded.run_id, token = excluded.token, state = 'running'
WHERE slot.state = 'failed' OR (slot.state = 'running' AND %(retry_safe)s AND NOT EXISTS (
    SELECT FROM lease WHERE lease.token = slot.token AND lease.expires_at > clock_timestamp()))
RETURNING run_id
"""
_SEE = """
SELECT state, run_id FROM slot
WHERE job = %(job)s AND arguments_hash = %(arguments_hash)s AND shard = %(shard)s
  AND scheduled_at = %(scheduled_at)s
"""
_SETTLE = "UPDATE slot SET state = %(state)s WHERE run_id = %(run_id)s AND token = %(token)s"
_SETTLE_BY_OPERATOR = """
UPDATE slot SET state = %(state)s WHERE run_id = %(run_id)s AND state IN ('unknown', 'running')
  AND NOT EXISTS (
    SELECT FROM lease WHERE lease.token = slot.token AND lease.expires_at > clock_timestamp())
"""


def take(
    connection: psycopg.Connection[Any],
    job: str,
    identity: Identity,
    scheduled_at: datetime,
    token: int,
    *,
    retry_safe: bool,
) -> str | None:
    """Take the slot; or why it must be skipped: it was worked already, or is being worked.

    Raises `NeedsAPerson` where an earlier run of a job that is not retry-safe left it open.
    """
    values = {
        "job": job,
        "arguments_hash": identity.arguments_hash,
        "shard": identity.shard,
        "scheduled_at": scheduled_at,
        "run_id": identity.run_id,
        "token": token,
        "retry_safe": retry_safe,
    }
    if connection.execute(_TAKE, values).fetchone() is not None:
        return None
    row = connection.execute(_SEE, values).fetchone()
    state, run_id = row if row else ("gone", "?")
    when = f"{scheduled_at:%Y-%m-%d %H:%M} UTC"
    if state == "succeeded":
        return f"the slot of {when} was already worked by run {run_id}"
    if state == "running" and retry_safe:
        return f"the slot of {when} is being worked by run {run_id}"
    raise NeedsAPerson(
        f"run {run_id} left the slot of {when} open, and this job is not safe to repeat; look "
        f"what it did, then: cronops runs settle {run_id} --as failed|succeeded --reason …"
    )


def settle(connection: psycopg.Connection[Any], run_id: str, token: int, state: str) -> None:
    """Write what became of the run's slot, if it has one and still owns it."""
    connection.execute(_SETTLE, {"run_id": run_id, "token": token, "state": state})


def settle_by_operator(connection: psycopg.Connection[Any], run_id: str, state: str) -> bool:
    """Write what a person found out; False where the run left no open slot, or still works it."""
    values = {"run_id": run_id, "state": state}
    return connection.execute(_SETTLE_BY_OPERATOR, values).rowcount > 0

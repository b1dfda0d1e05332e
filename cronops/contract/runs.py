"""The record of every run, and the sweep that closes those which could not do it themselves."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from cronops.contract import lock, slot
from cronops.contract.identity import Identity
from cronops.contract.job import Job
from cronops.contract.result import RunOutcome, RunResult
from cronops.errors import ExitCode, UsageError

MOST_CLOSED = 20
"""Dead runs are closed by each run that starts, at once: it has work of its own."""

# A pod that is started again works under the same run id: it reopens its own row.
_OPEN = """
INSERT INTO run AS r (id, job, cr, schedule, scheduled_at, arguments, arguments_hash, shard,
    correlation_id, lock_key, token, holder, retry_safe, backoff_limit, accountable, responsible,
    version)
VALUES (%(id)s, %(job)s, %(cr)s, %(schedule)s, %(scheduled_at)s, %(arguments)s,
    %(arguments_hash)s, %(shard)s, %(correlation_id)s, %(lock_key)s, %(token)s, %(holder)s,
    %(retry_safe)s, %(backoff_limit)s, %(accountable)s, %(responsible)s, %(version)s)
ON CONFLICT (id) DO UPDATE SET
    token = excluded.token, holder = excluded.holder, version = excluded.version,
    starts = r.starts + CASE WHEN r.outcome = 'skipped' THEN 0 ELSE 1 END,
    started_at = clock_timestamp(), finished_at = NULL, outcome = NULL, reason = NULL,
    exit_code = NULL, signal = NULL, error = NULL
RETURNING starts, started_at
"""
_EARLIER = "SELECT job, arguments_hash, outcome, starts FROM run WHERE id = %(id)s"
_FINISH = """
UPDATE run SET outcome = %(outcome)s, exit_code = %(exit_code)s, reason = %(reason)s,
    signal = %(signal)s, attempts = %(attempts)s, counts = %(counts)s, warnings = %(warnings)s,
    error = %(error)s, finished_at = clock_timestamp()
WHERE id = %(id)s AND token = %(token)s AND outcome IS NULL
RETURNING finished_at
"""
_CLOSED = """
INSERT INTO run (id, job, cr, schedule, scheduled_at, arguments, arguments_hash, shard,
    correlation_id, lock_key, holder, retry_safe, accountable, responsible, version,
    outcome, exit_code, reason, signal, error, finished_at)
VALUES (%(id)s, %(job)s, %(cr)s, %(schedule)s, %(scheduled_at)s, %(arguments)s,
    %(arguments_hash)s, %(shard)s, %(correlation_id)s, %(lock_key)s, %(holder)s, %(retry_safe)s,
    %(accountable)s, %(responsible)s, %(version)s,
    %(outcome)s, %(exit_code)s, %(reason)s, %(signal)s, %(error)s, clock_timestamp())
ON CONFLICT (id) DO NOTHING
"""
_DEAD_RUN = """
SELECT id, job, cr, schedule, scheduled_at, correlation_id, token, holder, retry_safe, starts,
       backoff_limit, accountable, responsible, started_at, clock_timestamp() AS now,
       'its lease ended without a word from ' || holder || ': the process or pod was killed, '
           || 'or could not reach the database' AS reason
FROM run
"""
_LOOKS_DEAD = """
outcome IS NULL AND NOT EXISTS (
    SELECT FROM lease WHERE lease.token = run.token AND lease.expires_at > clock_timestamp())
"""
_DEAD = f"{_DEAD_RUN} WHERE {_LOOKS_DEAD} ORDER BY started_at"
# While a run's row is waited for, its next pod may take it up with a lease that the statement
# does not see: so the rows are held first, then their leases, and then they are looked at again.
_HOLD_RUNS = f"""
SELECT id FROM run WHERE {_LOOKS_DEAD} AND id <> %(id)s ORDER BY started_at LIMIT %(limit)s
FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - made of constants
_HOLD_LEASES = """
SELECT lease.token FROM lease JOIN run USING (token)
WHERE run.id = ANY(%(ids)s) AND expires_at <= clock_timestamp()
FOR NO KEY UPDATE OF lease SKIP LOCKED
"""
_DEAD_OF_THOSE = f"""
{_DEAD_RUN} WHERE id = ANY(%(ids)s) AND NOT EXISTS (
    SELECT FROM lease WHERE lease.token = run.token AND lease.token <> ALL(%(held)s))
ORDER BY started_at
"""
_CLOSE_DEAD = """
UPDATE run SET outcome = 'crashed', exit_code = %(exit_code)s, finished_at = clock_timestamp(),
    reason = %(reason)s
WHERE id = %(id)s
"""


@dataclass(frozen=True)
class Opened:
    """A run that was opened."""

    starts: int
    """Which start of this run it is: more than 1 for a pod that was started again."""
    started_at: datetime


@dataclass(frozen=True)
class Earlier:
    """What is known of earlier starts under the same run id."""

    outcome: RunOutcome | None
    starts: int


def _values(
    job: Job, identity: Identity, arguments: dict[str, Any], lock_key: str
) -> dict[str, Any]:
    from cronops import __version__

    return {
        "id": identity.run_id,
        "job": job.name,
        "cr": job.cr_for(arguments),
        "schedule": identity.schedule,
        "scheduled_at": identity.scheduled_at,
        "arguments": Jsonb(arguments, dumps=_dumps),
        "arguments_hash": identity.arguments_hash,
        "shard": identity.shard,
        "correlation_id": identity.correlation_id,
        "lock_key": lock_key,
        "holder": identity.holder,
        "retry_safe": job.retry_safe,
        "accountable": list(job.accountable),
        "responsible": job.responsible,
        "version": __version__,
    }


def _dumps(value: Any) -> str:
    from json import dumps

    return dumps(value, default=str)


def earlier_start(
    connection: psycopg.Connection[Any], job: Job, identity: Identity
) -> Earlier | None:
    """What this run id has done before; None where it is new.

    Raises `UsageError` where the id belongs to another job or to other arguments.
    """
    row = connection.execute(_EARLIER, {"id": identity.run_id}).fetchone()
    if row is None:
        return None
    name, arguments_hash, outcome, starts = row
    if name != job.name or arguments_hash != identity.arguments_hash:
        raise UsageError(
            f"run id {identity.run_id!r} belongs to an earlier run of {name!r} with other "
            "arguments; give another --run-id"
        )
    return Earlier(RunOutcome(outcome) if outcome else None, starts)


def open_run(
    connection: psycopg.Connection[Any],
    job: Job,
    identity: Identity,
    arguments: dict[str, Any],
    held: lock.Held,
    *,
    backoff_limit: int | None,
) -> Opened:
    """Record that the run has begun. Call in the transaction that took its lease and slot."""
    values = _values(job, identity, arguments, held.key)
    values |= {"token": held.token, "backoff_limit": backoff_limit}
    row = connection.execute(_OPEN, values).fetchone()
    assert row is not None  # noqa: S101 - INSERT … RETURNING of one row
    return Opened(*row)


def finish_run(
    connection: psycopg.Connection[Any],
    run_id: str,
    token: int,
    result: RunResult,
    *,
    retry_safe: bool,
) -> datetime | None:
    """Record how the run ended, and its slot; None where somebody else has closed it meanwhile."""
    row = connection.execute(
        _FINISH,
        {
            "id": run_id,
            "token": token,
            "outcome": result.outcome.value,
            "exit_code": result.exit_code,
            "reason": result.reason,
            "error": result.reason if result.outcome.is_failure else None,
            "signal": result.signal,
            "attempts": result.attempts,
            "counts": Jsonb(dict(result.counts)),
            "warnings": Jsonb(list(result.warnings)),
        },
    ).fetchone()
    if row is None:
        return None
    state = slot_state(result.outcome, retry_safe=retry_safe, was_cut_off=result.signal is not None)
    slot.settle(connection, run_id, token, state)
    finished_at: datetime = row[0]
    return finished_at


def slot_state(outcome: RunOutcome, *, retry_safe: bool, was_cut_off: bool = False) -> str:
    """What a run's slot becomes. A job that is not retry-safe and was cut off leaves it unknown."""
    if outcome is RunOutcome.SUCCEEDED:
        return "succeeded"
    if retry_safe or (outcome is RunOutcome.FAILED and not was_cut_off):
        return "failed"
    return "unknown"


def record_unopened(
    connection: psycopg.Connection[Any],
    job: Job,
    identity: Identity,
    arguments: dict[str, Any],
    lock_key: str,
    result: RunResult,
) -> None:
    """Record a run that never began: skipped, or refused. Leaves an earlier start's row alone."""
    values = _values(job, identity, arguments, lock_key) | {
        "outcome": result.outcome.value,
        "exit_code": int(result.exit_code),
        "reason": result.reason,
        "signal": result.signal,
        "error": result.reason if result.outcome.is_failure else None,
    }
    connection.execute(_CLOSED, values)


def dead_runs(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """The open runs whose lease has died, the oldest first, as `close_dead_runs` would tell."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_DEAD).fetchall()


def close_dead_runs(
    connection: psycopg.Connection[Any], *, except_run: str
) -> list[dict[str, Any]]:
    """Close open runs whose lease has died, as crashed; `MOST_CLOSED` at most. In a transaction.

    Deleting the dead lease in the same transaction fences a holder that is merely late.
    """
    few = {"id": except_run, "limit": MOST_CLOSED}
    ids = [row[0] for row in connection.execute(_HOLD_RUNS, few).fetchall()]
    if not ids:
        return []
    held = [row[0] for row in connection.execute(_HOLD_LEASES, {"ids": ids}).fetchall()]
    with connection.cursor(row_factory=dict_row) as cursor:
        dead = cursor.execute(_DEAD_OF_THOSE, {"ids": ids, "held": held}).fetchall()
    for run in dead:
        if run["token"] is not None:
            lock.end_lease(connection, run["token"], run["token"])
            lock.release_all(connection, run["token"])
            state = slot_state(RunOutcome.CRASHED, retry_safe=run["retry_safe"])
            slot.settle(connection, run["id"], run["token"], state)
        connection.execute(
            _CLOSE_DEAD,
            {"id": run["id"], "exit_code": int(ExitCode.CRASHED), "reason": run["reason"]},
        )
    return dead


def finished_as(
    connection: psycopg.Connection[Any], run_id: str, token: int, outcome: RunOutcome
) -> datetime | None:
    """When this very start of the run was recorded with `outcome`, if it was.

    Tells an answer that was lost after the commit from a run that somebody else closed.
    """
    row = connection.execute(
        "SELECT finished_at FROM run WHERE id = %s AND token = %s AND outcome = %s",
        (run_id, token, outcome.value),
    ).fetchone()
    return row[0] if row else None

"""Looking back at runs: for operators, and for what a run's end has to know of the past."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from cronops.contract import slot
from cronops.contract.result import RunOutcome
from cronops.db.audit import write_audit
from cronops.errors import UsageError

_SKIPS_IN_A_ROW = """
SELECT count(*) FROM run
WHERE schedule = %(schedule)s AND outcome = 'skipped' AND reason LIKE 'locked%%'
  AND started_at > coalesce((
    SELECT max(finished_at) FROM run WHERE schedule = %(schedule)s AND outcome <> 'skipped'
  ), '-infinity')
"""
_LAST_SUCCESS = """
SELECT max(finished_at) FROM run
WHERE job = %(job)s AND outcome = 'succeeded'
  AND schedule IS NOT DISTINCT FROM %(schedule)s
"""
_STANDING = """
SELECT name, succeeded.finished_at, failed.started_at
FROM unnest(%(schedules)s::text[]) AS name
LEFT JOIN LATERAL (
    SELECT started_at, finished_at FROM run
    WHERE schedule = name AND outcome = 'succeeded' ORDER BY started_at DESC LIMIT 1
) AS succeeded ON true
LEFT JOIN LATERAL (
    SELECT started_at FROM run
    WHERE schedule = name AND outcome = ANY(%(failures)s)
        AND started_at > coalesce(succeeded.started_at, '-infinity')
    ORDER BY started_at LIMIT 1
) AS failed ON true
"""
_LIST = """
SELECT id, job, cr, schedule, scheduled_at, outcome, reason, exit_code, starts, attempts, counts,
       warnings, started_at, finished_at, holder, correlation_id,
       extract(epoch FROM coalesce(finished_at, clock_timestamp()) - started_at)::float8
           AS duration_seconds
FROM run
WHERE (%(job)s::text IS NULL OR job = %(job)s)
  AND (%(outcome)s::text IS NULL OR coalesce(outcome, 'running') = %(outcome)s)
  AND (%(since)s::timestamptz IS NULL OR started_at >= %(since)s)
ORDER BY started_at DESC LIMIT %(limit)s
"""
_FIND = """
SELECT run.*, slot.state AS slot_state,
       extract(epoch FROM coalesce(finished_at, clock_timestamp()) - started_at)::float8
           AS duration_seconds
FROM run LEFT JOIN slot ON slot.run_id = run.id
WHERE run.id = %(id)s OR starts_with(run.id, %(id)s)
ORDER BY run.id <> %(id)s, started_at DESC LIMIT 2
"""
_SETTLE_BY_OPERATOR = """
UPDATE run SET reason = concat_ws('; ', reason, %(note)s::text) WHERE id = %(id)s
"""


def skips_in_a_row(connection: psycopg.Connection[Any], schedule: str) -> int:
    """How often the schedule was skipped for a held lock since a run of it last ended."""
    row = connection.execute(_SKIPS_IN_A_ROW, {"schedule": schedule}).fetchone()
    return int(row[0]) if row else 0


def last_success(
    connection: psycopg.Connection[Any], job: str, schedule: str | None
) -> datetime | None:
    """When the job last succeeded under this schedule."""
    row = connection.execute(_LAST_SUCCESS, {"job": job, "schedule": schedule}).fetchone()
    return row[0] if row else None


def standing(
    connection: psycopg.Connection[Any], schedules: Sequence[str]
) -> dict[str, tuple[datetime | None, datetime | None]]:
    """By schedule: when a run last succeeded, and when the first began that has failed since."""
    failures = [one.value for one in RunOutcome if one.is_failure]
    rows = connection.execute(_STANDING, {"schedules": list(schedules), "failures": failures})
    return {name: (succeeded, failing) for name, succeeded, failing in rows}


def list_runs(
    connection: psycopg.Connection[Any],
    *,
    job: str | None = None,
    outcome: str | None = None,
    since: datetime | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """The newest runs first; `outcome` may also be ``running``."""
    values = {"job": job, "outcome": outcome, "since": since, "limit": limit}
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_LIST, values).fetchall()


def find_run(connection: psycopg.Connection[Any], run_id: str) -> dict[str, Any]:
    """The run of that id, or of the only id that starts so. Raises `UsageError` otherwise."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_FIND, {"id": run_id}).fetchall()
    if not found:
        raise UsageError(f"no run is called {run_id!r}; see: cronops runs list")
    if len(found) > 1 and found[0]["id"] != run_id:
        raise UsageError(f"several runs start with {run_id!r}; give more of the id")
    return found[0]


def settle_by_operator(
    connection: psycopg.Connection[Any], run_id: str, *, as_: str, actor: str, reason: str
) -> None:
    """Write what a person found out about a run that left its slot open.

    ``failed`` lets the slot be worked again, ``succeeded`` uses it up. Raises `UsageError` where
    the run left no slot open.
    """
    with connection.transaction():
        if not slot.settle_by_operator(connection, run_id, as_):
            raise UsageError(
                f"run {run_id} left no slot open, or is still at work on it: nothing to settle"
            )
        note = f"settled as {as_} by {actor}: {reason}"
        connection.execute(_SETTLE_BY_OPERATOR, {"id": run_id, "note": note})
        write_audit(
            connection,
            actor=actor,
            action="runs settle",
            subject=run_id,
            reason=reason,
            details={"as": as_},
        )

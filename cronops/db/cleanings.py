"""The books of what was cleared away: a row for each run and target."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import psycopg

State = Literal["begun", "done", "stopped", "refused", "failed"]

# A run that tries again, or whose pod was replaced, goes on in its own line.
_NOTE = """
INSERT INTO clean_audit (run_id, job, target, deleted, locked, cutoff, state, problem)
VALUES (%(run_id)s, %(job)s, %(target)s, %(deleted)s, %(locked)s, %(cutoff)s, %(state)s,
    %(problem)s)
ON CONFLICT (run_id, target) DO UPDATE SET
    deleted = clean_audit.deleted + excluded.deleted,
    locked = excluded.locked,
    cutoff = coalesce(excluded.cutoff, clean_audit.cutoff),
    state = excluded.state, problem = excluded.problem, at = clock_timestamp()
"""
_LIST = """
SELECT id, run_id, job, target, deleted, locked, cutoff, state, problem, begun_at, at
FROM clean_audit
WHERE (%(target)s::text IS NULL OR target = %(target)s)
    AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
ORDER BY at DESC, id DESC LIMIT %(limit)s
"""


def note_cleaning(
    connection: "psycopg.Connection[Any]",
    *,
    run_id: str,
    job: str,
    target: str,
    state: State,
    deleted: int = 0,
    locked: int = 0,
    cutoff: datetime | None = None,
    problem: str | None = None,
) -> None:
    """Add to what a run has deleted of a target, in the transaction that deletes it."""
    values = {"run_id": run_id, "job": job, "target": target, "state": state, "deleted": deleted}
    connection.execute(_NOTE, {**values, "locked": locked, "cutoff": cutoff, "problem": problem})


def list_cleanings(
    connection: "psycopg.Connection[Any]",
    *,
    target: str | None = None,
    since: datetime | None = None,
    limit: int = 20,
) -> list[dict[str, Any]]:
    """What was cleared away, the newest first."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_LIST, {"target": target, "since": since, "limit": limit}).fetchall()

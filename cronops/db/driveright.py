"""The DriveRight sync, for people."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_STATUS = """
SELECT id AS sync, stage, status, coalesce((counts->>'pulled')::integer, 0) AS pulled, total,
    report, counts, problem, run_id, started_at, at
FROM driveright_run ORDER BY id DESC LIMIT 1
"""
_CHANGES = """
SELECT sync, kind, vehicle, external_id, what FROM driveright_change
WHERE sync = (SELECT max(id) FROM driveright_run)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
ORDER BY kind, vehicle, external_id LIMIT %(limit)s
"""
_PROBLEMS = """
SELECT sync, external_id, problem FROM driveright_problem
WHERE sync = (SELECT max(id) FROM driveright_run)
ORDER BY external_id, problem LIMIT %(limit)s
"""


def sync_status(connection: "psycopg.Connection[Any]") -> dict[str, Any]:
    """How far the latest sync is; empty before the first."""
    return (_rows(connection, _STATUS, {}) or [{}])[0]


def list_changes(
    connection: "psycopg.Connection[Any]", *, kind: str | None = None, limit: int = 20
) -> list[dict[str, Any]]:
    """What the latest sync that compared has changed, or would change."""
    return _rows(connection, _CHANGES, {"kind": kind, "limit": limit})


def list_problems(
    connection: "psycopg.Connection[Any]", *, limit: int = 20
) -> list[dict[str, Any]]:
    """What was malformed in the latest sync."""
    return _rows(connection, _PROBLEMS, {"limit": limit})


def _rows(
    connection: "psycopg.Connection[Any]", statement: str, asked: dict[str, Any]
) -> list[dict[str, Any]]:
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, asked).fetchall()

"""What came of exports, for people."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_LIST = """
SELECT export_run.id, export_id, export_setting.name AS export, run_id, state, rows, bytes, sha256,
    file_name, destination, file, counts, reason, started_at, generated_at, sending_at, delivered_at
FROM export_run JOIN export_setting ON export_setting.id = export_id
WHERE (%(export)s::integer IS NULL OR export_id = %(export)s)
    AND (NOT %(failed)s OR state = 'failed')
    AND (%(since)s::timestamptz IS NULL OR started_at >= %(since)s)
ORDER BY export_run.id DESC LIMIT %(limit)s
"""
_LATEST = """
SELECT export_setting.id, last.state AS last_state, last.reason AS last_reason,
    last.rows AS last_rows, last.started_at AS last_started_at,
    (
        SELECT max(delivered_at) FROM export_run WHERE export_id = export_setting.id
    ) AS last_delivered_at
FROM export_setting CROSS JOIN LATERAL (
    SELECT * FROM export_run WHERE export_id = export_setting.id ORDER BY id DESC LIMIT 1
) AS last
"""


def list_runs(
    connection: "psycopg.Connection[Any]",
    *,
    export: int | None = None,
    failed: bool = False,
    since: datetime | None = None,
    limit: int = 20,
) -> list[dict[str, Any]]:
    """What was exported, the newest first."""
    from psycopg.rows import dict_row

    values = {"export": export, "failed": failed, "since": since, "limit": limit}
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_LIST, values).fetchall()


def latest(connection: "psycopg.Connection[Any]") -> dict[int, dict[str, Any]]:
    """What came of each export last, by its id: ``last_state``, ``last_reason``, …."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_LATEST).fetchall()
    return {row.pop("id"): row for row in rows}

"""Reminders of licences that end, for people."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_LIST = """
SELECT id, license_id, valid_until, days_before, tenant, customer_id, state, answer, run_id, tries,
    claimed_at, at
FROM reminder
WHERE (%(state)s::text IS NULL OR state = %(state)s)
    AND (%(license_id)s::bigint IS NULL OR license_id = %(license_id)s)
    AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
ORDER BY at DESC, id DESC LIMIT %(limit)s
"""


def list_reminders(
    connection: "psycopg.Connection[Any]",
    *,
    state: str | None = None,
    license_id: int | None = None,
    since: datetime | None = None,
    limit: int = 20,
) -> list[dict[str, Any]]:
    """What became of reminders, the latest first."""
    from psycopg.rows import dict_row

    asked = {"state": state, "license_id": license_id, "since": since, "limit": limit}
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_LIST, asked).fetchall()

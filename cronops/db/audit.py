"""The audit trail: what an operator changed, when and why. Written in the change's transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

_WRITE = """
INSERT INTO audit (actor, action, subject, reason, details)
VALUES (%(actor)s, %(action)s, %(subject)s, %(reason)s, %(details)s)
"""
_LIST = """
SELECT id, at, actor, action, subject, reason, details FROM audit
WHERE (%(since)s::timestamptz IS NULL OR at >= %(since)s)
ORDER BY at DESC, id DESC LIMIT %(limit)s
"""


def write_audit(
    connection: psycopg.Connection[Any],
    *,
    actor: str,
    action: str,
    subject: str,
    reason: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add one line: who did what to which subject, and why."""
    connection.execute(
        _WRITE,
        {
            "actor": actor,
            "action": action,
            "subject": subject,
            "reason": reason,
            "details": Jsonb(dict(details or {})),
        },
    )


def list_audit(
    connection: psycopg.Connection[Any], *, since: datetime | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """The newest lines first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_LIST, {"since": since, "limit": limit}).fetchall()

"""Taking rows of the outbox to deliver them, and recording how that went.

What could not be delivered for three days is given up, its last error kept.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from cronops.contract.alerts.alert import StoredAlert
from cronops.telemetry.redact import redact

Connection = psycopg.Connection[Any]

CLAIMED_FOR = timedelta(seconds=30)
"""How long a row belongs to the process that took it to deliver it."""
GIVEN_UP_AFTER = timedelta(days=3)
"""Age at which a row that could not be delivered is given up."""

_LONGEST_ERROR = 1000

COLUMNS = """alert.id, alert.run_id, alert.kind, alert.owner, alert.role, alert.state,
    alert.severity, alert.dedup_key, alert.labels, alert.title, alert.body, alert.created_at,
    alert.attempts, alert.delivered_channels, alert.claimed_until"""
_CLAIM = f"""
WITH due AS (
    SELECT id FROM alert AS candidate
    WHERE delivered_at IS NULL AND cancelled_at IS NULL
        AND (available_at <= clock_timestamp() OR (%(eager)s AND attempts > 0))
        AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())
        AND NOT EXISTS (SELECT FROM alert AS earlier
            WHERE earlier.dedup_key = candidate.dedup_key AND earlier.owner = candidate.owner
                AND earlier.id < candidate.id
                AND earlier.delivered_at IS NULL AND earlier.cancelled_at IS NULL)
        AND id <> ALL(%(except)s)
    ORDER BY id LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE alert SET claimed_until = clock_timestamp() + %(claimed_for)s, attempts = attempts + 1
FROM due WHERE alert.id = due.id
RETURNING {COLUMNS}
"""  # noqa: S608 - the columns are a constant
_DELIVERED = """
UPDATE alert SET delivered_at = clock_timestamp(), claimed_until = NULL, last_error = NULL,
    delivered_channels = ARRAY(SELECT DISTINCT unnest(delivered_channels || %(channels)s::text[]))
WHERE id = %(id)s
"""
# 1, 2, 4 … seconds, at most an hour.
_FAILED = """
UPDATE alert SET claimed_until = NULL, last_error = %(error)s,
    available_at = clock_timestamp() + least(
        interval '1 second' * power(2, least(attempts, 13) - 1), interval '1 hour'),
    delivered_channels = ARRAY(SELECT DISTINCT unnest(delivered_channels || %(channels)s::text[])),
    cancelled_at = CASE WHEN created_at < clock_timestamp() - %(given_up_after)s
        THEN clock_timestamp() END
WHERE id = %(id)s AND claimed_until = %(claimed_until)s AND delivered_at IS NULL
"""
_PENDING = "SELECT count(*) FROM alert WHERE delivered_at IS NULL AND cancelled_at IS NULL"


def claim_due(
    connection: Connection,
    limit: int,
    *,
    eager: bool = False,
    claimed_for: timedelta = CLAIMED_FOR,
    but_not: Iterable[int] = (),
) -> list[StoredAlert]:
    """Take up to `limit` rows to deliver, oldest first; nobody else gets them meanwhile.

    Of each key and owner only the oldest undelivered row is ever taken. `eager` takes also
    those that wait after a failed delivery, as an operator who says "now" means it.
    """
    values = {
        "limit": limit,
        "eager": eager,
        "claimed_for": claimed_for,
        "except": list(but_not),
    }
    with connection.cursor(row_factory=dict_row) as cursor:
        alerts = [stored_alert(row) for row in cursor.execute(_CLAIM, values)]
    return sorted(alerts, key=lambda alert: alert.id)


def mark_delivered(connection: Connection, alert: StoredAlert, channels: Iterable[str]) -> None:
    """Record that `alert` has reached everybody, through `channels`."""
    connection.execute(_DELIVERED, {"id": alert.id, "channels": list(channels)})


def mark_failed(
    connection: Connection, alert: StoredAlert, channels: Iterable[str], error: str
) -> None:
    """Record that `alert` has not reached everybody; those in `channels` it has.

    It is due again after a wait that doubles with each attempt. Nothing is recorded where
    somebody else has taken the row since.
    """
    connection.execute(
        _FAILED,
        {
            "id": alert.id,
            "channels": list(channels),
            "error": redact(error)[:_LONGEST_ERROR],
            "claimed_until": alert.claimed_until,
            "given_up_after": GIVEN_UP_AFTER,
        },
    )


def count_pending(connection: Connection) -> int:
    """How many rows are neither delivered nor cancelled."""
    row = connection.execute(_PENDING).fetchone()
    return int(row[0]) if row else 0


def stored_alert(row: dict[str, Any]) -> StoredAlert:
    """A row with the columns of `COLUMNS`."""
    return StoredAlert(**{**row, "delivered_channels": frozenset(row["delivered_channels"])})

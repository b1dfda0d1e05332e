"""What is to be said, stored in the same transaction as what happened.

A row is firing or resolved, for one owner, under a deduplication key. Rows of one key and
owner leave in the order they were written. When a run succeeds, every owner last told of a
failure is told that it is over; a failure that only waits for a pod's next attempt is
cancelled instead. One that was due but could not be delivered is not: it goes out late, and
its end right after it, because a failure nobody heard of is worse than one message too many.
What could not be delivered for three days is given up, its last error kept.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from cronops.config import Settings
from cronops.contract.alerts import texts
from cronops.contract.alerts.alert import (
    Alert,
    StoredAlert,
    crashed_messages_alerts,
    failure_alerts,
    resolved_alert,
    skipping_alerts,
    trial_alerts,
)
from cronops.contract.alerts.claims import COLUMNS, stored_alert
from cronops.contract.alerts.keys import handler_dedup_key
from cronops.contract.alerts.report import RunReport

Connection = psycopg.Connection[Any]

# A cancelled row that a pod's next attempt revives is written anew, so that it comes after
# whatever was written in between.
_FORGET_CANCELLED = """
DELETE FROM alert WHERE run_id = %(run_id)s AND kind = %(kind)s AND owner = %(owner)s
    AND cancelled_at IS NOT NULL AND delivered_channels = '{}'
"""
_WRITE = """
INSERT INTO alert (run_id, kind, owner, role, state, severity, dedup_key, labels, title, body,
    available_at)
VALUES (%(run_id)s, %(kind)s, %(owner)s, %(role)s, %(state)s, %(severity)s, %(dedup_key)s,
    %(labels)s, %(title)s, %(body)s, clock_timestamp() + %(available_in)s)
ON CONFLICT (run_id, kind, owner) WHERE run_id IS NOT NULL DO UPDATE SET
    title = excluded.title, body = excluded.body, available_at = excluded.available_at,
    cancelled_at = NULL
    WHERE alert.delivered_at IS NULL
RETURNING id
"""
_LATEST = f"""
SELECT DISTINCT ON (alert.owner) {COLUMNS} FROM alert
WHERE dedup_key = %(dedup_key)s AND cancelled_at IS NULL
ORDER BY alert.owner, alert.id DESC
"""  # noqa: S608 - the columns are a constant
_OPEN_SKIPPING = """
SELECT owner FROM alert AS open
WHERE dedup_key = %(dedup_key)s AND kind = 'skipping' AND cancelled_at IS NULL
    AND NOT EXISTS (SELECT FROM alert WHERE dedup_key = open.dedup_key AND owner = open.owner
        AND state = 'resolved' AND cancelled_at IS NULL AND id > open.id)
"""
_SERIALISE = "SELECT pg_advisory_xact_lock(hashtextextended('cronops alert ' || %(dedup_key)s, 0))"
_NOT_YET_SENT = """
    state = 'firing' AND delivered_at IS NULL AND cancelled_at IS NULL
    AND delivered_channels = '{}'
    AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())
"""
_CANCEL_WAITING = f"""
UPDATE alert SET cancelled_at = clock_timestamp()
WHERE dedup_key = %(dedup_key)s AND {_NOT_YET_SENT}
    AND attempts = 0 AND available_at > clock_timestamp()
"""  # noqa: S608 - the condition is a constant
_CANCEL_OF_RUN = f"""
UPDATE alert SET cancelled_at = clock_timestamp()
WHERE run_id = %(run_id)s AND kind = 'failed' AND {_NOT_YET_SENT}
"""  # noqa: S608 - the condition is a constant

# What an earlier trial could not deliver would hold back this one's.
_CANCEL_TRIALS = """
UPDATE alert SET cancelled_at = clock_timestamp()
WHERE dedup_key = ANY(%(dedup_keys)s) AND kind = 'test'
    AND delivered_at IS NULL AND cancelled_at IS NULL
"""


def write_failure(
    connection: Connection, report: RunReport, *, available_in: timedelta | None = None
) -> list[int]:
    """Store the page and the notices about a failed run; the ids of the rows to be delivered.

    `available_in` holds them back for so long: a pod that is started again may yet succeed,
    and `cancel_pending` then takes them back. A row of the same run already delivered is left.
    """
    with connection.transaction():
        return _write(connection, failure_alerts(report), available_in)


def write_skipping(connection: Connection, report: RunReport, *, skips: int) -> list[int]:
    """Store that a schedule was skipped `skips` times in a row, once until it succeeds again."""
    with connection.transaction():
        connection.execute(_SERIALISE, {"dedup_key": report.dedup_key})
        rows = connection.execute(_OPEN_SKIPPING, {"dedup_key": report.dedup_key})
        told = {owner for (owner,) in rows}
        alerts = [a for a in skipping_alerts(report, skips) if a.owner not in told]
        return _write(connection, alerts)


def write_recovery(
    connection: Connection, dedup_key: str, *, run_id: str, finished_at: datetime | None = None
) -> list[int]:
    """Store, for every owner last told of a failure under this key, that it is over."""
    if not _firing(connection, dedup_key):
        return []
    with connection.transaction():
        connection.execute(_CANCEL_WAITING, {"dedup_key": dedup_key})
        resolved = [
            resolved_alert(
                firing, texts.resolved_text(firing.title, run_id, finished_at), run_id=run_id
            )
            for firing in _firing(connection, dedup_key)
        ]
        return _write(connection, resolved)


def cancel_pending(connection: Connection, run_id: str) -> int:
    """Take back the alerts of a run that a pod has started again; how many were taken back.

    What was sent to anybody, or is being sent, stays.
    """
    return connection.execute(_CANCEL_OF_RUN, {"run_id": run_id}).rowcount


def write_crashed_messages(
    connection: Connection,
    settings: Settings,
    handler: str,
    owners: Iterable[str],
    message_id: int,
    error: str,
    run_id: str | None,
    *,
    impact: str = "",
) -> list[int]:
    """Store that a message of `handler` entered CRASH, for each owner not told already."""
    alerts = crashed_messages_alerts(
        settings.environment,
        handler,
        owners,
        message_id=message_id,
        error=error,
        run_id=run_id,
        impact=impact,
    )
    key = handler_dedup_key(settings.environment, handler)
    with connection.transaction():
        connection.execute(_SERIALISE, {"dedup_key": key})
        told = {alert.owner for alert in _firing(connection, key)}
        return _write(connection, [alert for alert in alerts if alert.owner not in told])


def write_handler_recovered(
    connection: Connection, settings: Settings, handler: str, *, actor: str | None = None
) -> list[int]:
    """Store that the messages of `handler` in CRASH were put back, for each owner told of them."""
    key = handler_dedup_key(settings.environment, handler)
    with connection.transaction():
        connection.execute(_SERIALISE, {"dedup_key": key})
        resolved = [
            resolved_alert(firing, texts.handler_recovered_text(firing.title, actor), run_id=None)
            for firing in _firing(connection, key)
        ]
        return _write(connection, resolved)


def write_trial(
    connection: Connection,
    settings: Settings,
    *,
    job: str,
    cr: str,
    accountable: Iterable[str],
    responsible: str,
) -> list[int]:
    """Store a test alert for every owner of `job`."""
    alerts = trial_alerts(
        settings.environment,
        job=job,
        cr=cr,
        accountable=accountable,
        responsible=responsible,
        actor=settings.actor,
    )
    with connection.transaction():
        connection.execute(_CANCEL_TRIALS, {"dedup_keys": [alert.dedup_key for alert in alerts]})
        return _write(connection, alerts)


def _firing(connection: Connection, dedup_key: str) -> list[StoredAlert]:
    """Of each owner the latest row under this key, where it is a firing one."""
    with connection.cursor(row_factory=dict_row) as cursor:
        latest = [stored_alert(row) for row in cursor.execute(_LATEST, {"dedup_key": dedup_key})]
    return [alert for alert in latest if alert.state == "firing"]


def _write(
    connection: Connection, alerts: Iterable[Alert], available_in: timedelta | None = None
) -> list[int]:
    ids = []
    for alert in alerts:
        values = {
            "run_id": alert.run_id,
            "kind": alert.kind,
            "owner": alert.owner,
            "role": alert.role,
            "state": alert.state,
            "severity": alert.severity,
            "dedup_key": alert.dedup_key,
            "labels": Jsonb(dict(alert.labels)),
            "title": alert.title,
            "body": alert.body,
            "available_in": available_in or timedelta(0),
        }
        if alert.run_id is not None:
            connection.execute(_FORGET_CANCELLED, values)
        row = connection.execute(_WRITE, values).fetchone()
        if row is not None:
            ids.append(int(row[0]))
    return ids

"""What may hold a run back before it takes its lock: the switch, a pause, the clean window."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from cronops.config import Settings
from cronops.config.model import CleanWindowSettings
from cronops.db.audit import write_audit

EVERY_JOB = "*"

_PAUSED = """
SELECT job, paused_by, reason, until FROM job_pause
WHERE job IN (%(job)s, '*') AND (until IS NULL OR until > clock_timestamp())
ORDER BY job LIMIT 1
"""
_PAUSE = """
INSERT INTO job_pause (job, paused_by, reason, until)
VALUES (%(job)s, %(actor)s, %(reason)s, %(until)s)
ON CONFLICT (job) DO UPDATE SET paused_at = clock_timestamp(), paused_by = excluded.paused_by,
    reason = excluded.reason, until = excluded.until
"""
_RESUME = "DELETE FROM job_pause WHERE job = %(job)s RETURNING job"
_LIST = """
SELECT job, paused_at, paused_by, reason, until,
       until IS NOT NULL AND until <= clock_timestamp() AS over
FROM job_pause ORDER BY job
"""


def held_back(
    connection: psycopg.Connection[Any],
    job: str,
    settings: Settings,
    *,
    now: datetime,
    honours_clean_window: bool,
) -> str | None:
    """Why a run of `job` must not start now, or None. `now` is the database's clock."""
    if not settings.cron_running:
        return "the switch is off (CRONOPS_CRON_RUNNING=false)"
    row = connection.execute(_PAUSED, {"job": job}).fetchone()
    if row is not None:
        paused, by, reason, until = row
        what = "all jobs are" if paused == EVERY_JOB else "the job is"
        end = f" until {until:%Y-%m-%d %H:%M} UTC" if until else ""
        again = "--all" if paused == EVERY_JOB else f'"{paused}"'
        return f"{what} paused by {by}{end}: {reason}; end it with: cronops resume {again}"
    window = settings.clean_window
    if honours_clean_window and not is_open(window, now):
        return (
            f"outside the clean window ({window.start:%H:%M} to {window.end:%H:%M} {window.zone})"
        )
    return None


def is_open(window: CleanWindowSettings, now: datetime) -> bool:
    """Whether the clean window is open; the start belongs to it, the end does not."""
    if window.start is None or window.end is None:
        return True
    local: time = now.astimezone(ZoneInfo(window.zone)).time()
    if window.start < window.end:
        return window.start <= local < window.end
    return local >= window.start or local < window.end


def pause(
    connection: psycopg.Connection[Any],
    job: str | None,
    *,
    actor: str,
    reason: str,
    until: datetime | None,
) -> None:
    """Hold back every future run of `job`, or of all jobs; a run under way is left alone."""
    subject = job or EVERY_JOB
    with connection.transaction():
        connection.execute(
            _PAUSE, {"job": subject, "actor": actor, "reason": reason, "until": until}
        )
        write_audit(
            connection,
            actor=actor,
            action="pause",
            subject=subject,
            reason=reason,
            details={"until": until.isoformat() if until else None},
        )


def resume(
    connection: psycopg.Connection[Any], job: str | None, *, actor: str, reason: str | None = None
) -> bool:
    """End the pause of `job`, or the one of all jobs; False where there was none."""
    subject = job or EVERY_JOB
    with connection.transaction():
        if connection.execute(_RESUME, {"job": subject}).fetchone() is None:
            return False
        write_audit(connection, actor=actor, action="resume", subject=subject, reason=reason)
    return True


def list_pauses(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Every pause, those that are over included until they are resumed or replaced."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_LIST).fetchall()

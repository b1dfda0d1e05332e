"""Counters of page hits, for people."""

from datetime import date
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import psycopg

Metric = Literal["views", "visitors", "bot_views", "article_views", "article_visitors"]

_LIST = """
SELECT period, tenant, metric, subject, value, updated_at FROM counter
WHERE (%(first)s::date IS NULL OR period >= %(first)s)
    AND (%(last)s::date IS NULL OR period <= %(last)s)
    AND (%(tenant)s::text IS NULL OR tenant = %(tenant)s)
    AND (%(metric)s::text IS NULL OR metric = %(metric)s)
    AND (%(subject)s::text IS NULL OR subject = %(subject)s)
ORDER BY period DESC, tenant, metric, value DESC, subject LIMIT %(limit)s
"""
_STATUS = """
SELECT watermark.read_at AS counted_until, watermark.zone, watermark.run_id, watermark.xid,
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint - watermark.xid AS transactions_since,
    (SELECT min(period) FROM counter) AS first_day, (SELECT max(period) FROM counter) AS last_day
FROM counter_watermark AS watermark
"""


def list_counters(
    connection: "psycopg.Connection[Any]",
    *,
    first: date | None = None,
    last: date | None = None,
    tenant: str | None = None,
    metric: str | None = None,
    subject: str | None = None,
    limit: int = 20,
) -> list[dict[str, Any]]:
    """Counters, the latest day first, the largest values first."""
    from psycopg.rows import dict_row

    asked = {"first": first, "last": last, "tenant": tenant, "metric": metric}
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_LIST, {**asked, "subject": subject, "limit": limit}).fetchall()


def counter_status(connection: "psycopg.Connection[Any]") -> dict[str, Any] | None:
    """How far the counters have come; None before the first run."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_STATUS).fetchone()

"""How long runs of each schedule take, by their history."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_LONGEST = """
SELECT schedule, ceil(extract(epoch FROM percentile_cont(0.95) WITHIN GROUP (
    ORDER BY finished_at - started_at)))::integer
FROM run
WHERE schedule IS NOT NULL AND finished_at IS NOT NULL AND outcome <> 'skipped'
    AND started_at > clock_timestamp() - interval '90 days'
GROUP BY schedule
"""


def longest_by_schedule(connection: "psycopg.Connection[Any]") -> dict[str, int]:
    """By schedule, the seconds that nineteen of twenty runs of 90 days took at most."""
    return dict(connection.execute(_LONGEST).fetchall())

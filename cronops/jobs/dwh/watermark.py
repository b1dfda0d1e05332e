"""How far the counters have come: the oldest transaction that may still bring hits.

A higher id says nothing: sequences are cached, and a transaction that took a low id may commit
hours later. What does not lie is which transactions had ended when hits were read.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import psycopg

_NOW = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xid,
    (SELECT system_identifier::text FROM pg_control_system()) AS system_id,
    statement_timestamp() AS read_at
"""
_LOAD = "SELECT xid, system_id, zone, read_at FROM counter_watermark"
_SAVE = """
INSERT INTO counter_watermark (xid, system_id, zone, run_id, read_at)
VALUES (%(xid)s, %(system_id)s, %(zone)s, %(run_id)s, %(read_at)s)
ON CONFLICT (one) DO UPDATE SET xid = excluded.xid, system_id = excluded.system_id,
    zone = excluded.zone, run_id = excluded.run_id, read_at = excluded.read_at,
    at = clock_timestamp()
"""
_ZONE = "UPDATE counter_watermark SET zone = %(zone)s, at = clock_timestamp()"
_BETWEEN = ", in part in "
# Beyond it, older transactions look like later ones.
_HALF_A_ROUND = 2**31 - 1_000_000


class Horizon(NamedTuple):
    """Every transaction before `xid` has ended, on the server `system_id`."""

    xid: int
    system_id: str
    read_at: datetime


class Watermark(NamedTuple):
    """What the last run that came to its end had before it."""

    xid: int
    system_id: str
    zone: str
    read_at: datetime

    @property
    def is_between_zones(self) -> bool:
        """Whether a rebuild in another zone has begun, and did not come to its end."""
        return _BETWEEN in self.zone

    def holds(self, horizon: Horizon) -> bool:
        """Whether transactions of then and of now can be told apart."""
        passed = horizon.xid - self.xid
        return self.system_id == horizon.system_id and 0 <= passed < _HALF_A_ROUND


def look(connection: "psycopg.Connection[Any]") -> Horizon:
    """The horizon now. Hits that are read afterwards are all of transactions before, and more."""
    row = connection.execute(_NOW).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    return Horizon(*row)


def load_watermark(connection: "psycopg.Connection[Any]") -> Watermark | None:
    """The watermark; None before the first run."""
    row = connection.execute(_LOAD).fetchone()
    return Watermark(*row) if row else None


def save_watermark(
    connection: "psycopg.Connection[Any]", horizon: Horizon, *, zone: str, run_id: str
) -> None:
    """Move it, in the open transaction."""
    connection.execute(_SAVE, {**horizon._asdict(), "zone": zone, "run_id": run_id})


def partly(zone: str, other: str) -> str:
    """What to note while counters of days in `zone` become ones in `other`: no zone's name."""
    return zone.partition(_BETWEEN)[0] + _BETWEEN + other


def move_to_zone(connection: "psycopg.Connection[Any]", zone: str) -> None:
    """Note which zone the counters are of now."""
    connection.execute(_ZONE, {"zone": zone})

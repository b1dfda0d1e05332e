"""What is recorded of exports: each write in a transaction of its own, fenced by the run's lease.

::

    generated ──> delivered       sent, and the other end has it
        └───────> failed          not sent, or nobody knows: it will be sent again
    unchanged                     the other end has this very content already
    failed                        refused, or not generated at all
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    from cronops.jobs.stock.setting import ExportSetting

# A run that died left them; whether the other end has the file is not known.
_CLOSE_LEFT = """
UPDATE export_run SET state = 'failed', reason = 'its run ended before the delivery was confirmed'
WHERE export_id = %(export)s AND state = 'generated'
"""
_INSERT = """
INSERT INTO export_run (export_id, run_id, state, destination, file_name, file, sha256, bytes, rows,
    counts, reason, started_at, generated_at, sending_at)
VALUES (%(export)s, %(run)s, %(state)s, %(destination)s, %(file_name)s, %(file)s, %(sha256)s,
    %(bytes)s, %(rows)s, %(counts)s, %(reason)s, coalesce(%(started_at)s, clock_timestamp()),
    %(generated_at)s, CASE WHEN %(state)s = 'generated' THEN clock_timestamp() END)
RETURNING id
"""
_CONFIRM = """
UPDATE export_run SET state = 'delivered', delivered_at = clock_timestamp() WHERE id = %(id)s
"""
_FAIL = "UPDATE export_run SET state = 'failed', reason = %(reason)s WHERE id = %(id)s"
# The last that was sent, confirmed or not: after one that was not, nobody knows what is there.
_LAST_SENT = """
SELECT state, sha256, destination FROM export_run
WHERE export_id = %(export)s AND sending_at IS NOT NULL ORDER BY id DESC LIMIT 1
"""
_LAST_ROWS = """
SELECT rows FROM export_run
WHERE export_id = %(export)s AND state IN ('delivered', 'unchanged') ORDER BY id DESC LIMIT 1
"""
_LAST_GOOD = """
SELECT file, sha256, bytes, rows, file_name, counts, generated_at FROM export_run
WHERE export_id = %(export)s AND generated_at IS NOT NULL ORDER BY id DESC LIMIT 1
"""
_FINISHED = """
SELECT export_id, state, rows, counts FROM export_run
WHERE run_id = %(run)s AND state IN ('delivered', 'unchanged')
"""
_GOOD_FILES = """
SELECT file FROM export_run WHERE export_id = %(export)s AND generated_at IS NOT NULL
GROUP BY file ORDER BY max(id) DESC LIMIT %(limit)s
"""
_FORGET = """
DELETE FROM export_run WHERE export_id = %(export)s
    AND started_at < clock_timestamp() - %(retention)s
    AND id < (
        SELECT min(id) FROM (
            SELECT max(id) AS id FROM export_run
            WHERE export_id = %(export)s AND generated_at IS NOT NULL
            UNION ALL
            SELECT max(id) FROM export_run
            WHERE export_id = %(export)s AND sending_at IS NOT NULL
            UNION ALL
            SELECT max(id) FROM export_run
            WHERE export_id = %(export)s AND state IN ('delivered', 'unchanged')
        ) AS needed
    )
"""
_CLOCK = "SELECT clock_timestamp(), (clock_timestamp() AT TIME ZONE %(zone)s)::date"


@dataclass(frozen=True, slots=True)
class GoodFile:
    """A file that was generated and passed the guards."""

    file: str
    sha256: str
    size: int
    rows: int
    file_name: str
    """What it is called at the other end."""
    counts: Mapping[str, int]
    generated_at: datetime


@dataclass(frozen=True, slots=True)
class Finished:
    """What this very run had done with an export before it was started again."""

    state: str
    rows: int
    counts: Mapping[str, int]


class Ledger:
    """The table ``export_run``, as one run writes it."""

    def __init__(
        self, connection: "psycopg.Connection[Any]", run_id: str, tokens: Sequence[int]
    ) -> None:
        self._connection = connection
        self._run_id = run_id
        self._tokens = tokens

    def clock(self, zone: str) -> tuple[datetime, Any]:
        """The database's time, and the date it is in that time zone."""
        row = self._connection.execute(_CLOCK, {"zone": zone}).fetchone()
        assert row is not None  # noqa: S101 - a SELECT without FROM has one row
        return row[0], row[1]

    def finished(self) -> dict[int, Finished]:
        """What an earlier attempt of this run has done, by the export's id."""
        rows = self._connection.execute(_FINISHED, {"run": self._run_id}).fetchall()
        return {row[0]: Finished(row[1], row[2], row[3]) for row in rows}

    def has(self, setting: "ExportSetting", sha256: str) -> bool:
        """Whether the other end has this content, as far as we know."""
        row = self._connection.execute(_LAST_SENT, {"export": setting.id}).fetchone()
        return row == ("delivered", sha256, setting.destination)

    def last_rows(self, setting: "ExportSetting") -> int | None:
        """How many rows the other end has now; None where nothing was delivered yet."""
        row = self._connection.execute(_LAST_ROWS, {"export": setting.id}).fetchone()
        return None if row is None else int(row[0])

    def last_good(self, setting: "ExportSetting") -> GoodFile | None:
        """The newest file that was generated and passed the guards."""
        row = self._connection.execute(_LAST_GOOD, {"export": setting.id}).fetchone()
        return None if row is None else GoodFile(*row)

    def record(
        self,
        setting: "ExportSetting",
        good: GoodFile,
        *,
        send: bool,
        started_at: datetime | None = None,
    ) -> int:
        """A file that is good: to be sent now, or unchanged; its number."""
        return self._insert(
            setting,
            state="generated" if send else "unchanged",
            file_name=good.file_name,
            file=good.file,
            sha256=good.sha256,
            bytes=good.size,
            rows=good.rows,
            counts=good.counts,
            generated_at=good.generated_at,
            started_at=started_at,
        )

    def refuse(
        self,
        setting: "ExportSetting",
        reason: str,
        *,
        started_at: datetime,
        rows: int | None = None,
        counts: Mapping[str, int] | None = None,
    ) -> None:
        """An export that came to nothing."""
        self._insert(
            setting, "failed", reason=reason, started_at=started_at, rows=rows, counts=counts or {}
        )

    def confirm(self, number: int) -> None:
        """The other end has it."""
        self._write(_CONFIRM, {"id": number})

    def fail(self, number: int, reason: str) -> None:
        """It could not be sent, or nobody knows."""
        from cronops.telemetry import redact

        # A server's reply may repeat what it was sent.
        reason = redact(reason)
        self._write(_FAIL, {"id": number, "reason": reason})

    def good_files(self, setting: "ExportSetting", limit: int) -> list[str]:
        """The newest files worth keeping."""
        values = {"export": setting.id, "limit": limit}
        return [row[0] for row in self._connection.execute(_GOOD_FILES, values).fetchall()]

    def forget(self, setting: "ExportSetting", retention: timedelta) -> None:
        """Delete what is old, but for what the next export has to know."""
        self._write(_FORGET, {"export": setting.id, "retention": retention})

    def _insert(self, setting: "ExportSetting", state: str, **values: Any) -> int:
        from psycopg.types.json import Jsonb

        row = {
            "export": setting.id,
            "run": self._run_id,
            "state": state,
            "destination": setting.destination,
            "file_name": setting.file_pattern,
            **dict.fromkeys(("file", "sha256", "bytes", "rows", "reason")),
            **dict.fromkeys(("started_at", "generated_at")),
            **values,
        }
        row["counts"] = Jsonb(dict(row["counts"]))
        return self._write(_INSERT, row, first=(_CLOSE_LEFT, row))

    def _write(
        self, statement: str, values: Mapping[str, Any], *, first: tuple[str, Any] | None = None
    ) -> int:
        from cronops.contract.lock import fence

        with self._connection.transaction():
            if first:
                self._connection.execute(*first)
            cursor = self._connection.execute(statement, values)
            row = cursor.fetchone() if cursor.description else None
            fence(self._connection, self._tokens)
        return int(row[0]) if row else 0

"""The sets that were sent to MAK, and how far each came."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    from cronops.contract.context import JobContext
    from cronops.jobs.simulator.files import FileSet

_LAST = """
SELECT sha256, state FROM mak_set WHERE destination = %(destination)s ORDER BY id DESC LIMIT 1
"""
_ROWS = """
SELECT files FROM mak_set WHERE destination = %(destination)s AND state = 'delivered'
ORDER BY id DESC LIMIT 1
"""
_BEGIN = """
INSERT INTO mak_set (run_id, destination, sha256, files, state, generated_at)
VALUES (%(run_id)s, %(destination)s, %(sha256)s, %(files)s, 'sending', %(generated_at)s)
RETURNING id
"""
_END = """
UPDATE mak_set SET state = %(state)s, problem = %(problem)s, at = clock_timestamp()
WHERE id = %(id)s
"""
_FORGET = """
DELETE FROM mak_set WHERE destination = %(destination)s AND id < (
    SELECT max(id) FROM mak_set WHERE destination = %(destination)s AND state = 'delivered'
) AND at < clock_timestamp() - %(older)s
"""


class Ledger:
    """The sets of one destination. Every write is fenced."""

    def __init__(
        self, ctx: "JobContext", connection: "psycopg.Connection[Any]", destination: str
    ) -> None:
        self._ctx = ctx
        self._connection = connection
        self._destination = destination

    def has(self, file_set: "FileSet") -> bool:
        """Whether MAK surely has this very set now."""
        row = self._connection.execute(_LAST, {"destination": self._destination}).fetchone()
        return row is not None and row == (file_set.sha256, "delivered")

    def delivered_rows(self) -> dict[str, int]:
        """Rows by file of the last set that was delivered; empty before the first."""
        row = self._connection.execute(_ROWS, {"destination": self._destination}).fetchone()
        return {file["name"]: file["rows"] for file in row[0]} if row else {}

    def begin(self, file_set: "FileSet") -> int:
        """Record that a set is about to be sent, before the other end changes; its number."""
        from psycopg.types.json import Jsonb

        values = {
            "run_id": self._ctx.run_id,
            "destination": self._destination,
            "sha256": file_set.sha256,
            "files": Jsonb([asdict(one) for one in file_set.files]),
            "generated_at": file_set.generated_at,
        }
        with self._ctx.fenced(self._connection):
            row = self._connection.execute(_BEGIN, values).fetchone()
        assert row is not None  # noqa: S101 - RETURNING
        return int(row[0])

    def end(self, number: int, *, problem: str | None = None) -> None:
        """Record how it ended; older records go once they are past their retention."""
        from cronops.telemetry import redact

        state = "delivered" if problem is None else "failed"
        if problem is not None:
            # A server's reply may repeat what it was sent.
            problem = redact(problem)
        with self._ctx.fenced(self._connection):
            self._connection.execute(_END, {"id": number, "state": state, "problem": problem})
            if problem is None:
                older = self._ctx.settings.retention.runs
                self._connection.execute(
                    _FORGET, {"destination": self._destination, "older": older}
                )

"""Shares the suppliers of a run out among its worker processes, each to one of them.

A row of `supplier_import_claim` says who does which, and what came of it. The first worker waits
for the others and speaks for all of them: of several that fail, a run tells of the first only.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cronops.contract.context import JobContext

if TYPE_CHECKING:
    import psycopg

_FORGET_OTHER_RUNS = "DELETE FROM supplier_import_claim WHERE token <> %(token)s"
# A worker's second attempt takes up again what its first one had not done.
_CLAIM = """
INSERT INTO supplier_import_claim AS claim (token, supplier_id, worker, pid)
VALUES (%(token)s, %(supplier)s, %(worker)s, %(pid)s)
ON CONFLICT (token, supplier_id) DO UPDATE SET pid = excluded.pid
    WHERE claim.worker = excluded.worker AND NOT claim.is_done
RETURNING supplier_id
"""
_SETTLE = """
UPDATE supplier_import_claim SET is_done = true, error = %(error)s
WHERE token = %(token)s AND supplier_id = %(supplier)s
"""
_AT_WORK = """
SELECT DISTINCT pid FROM supplier_import_claim WHERE token = %(token)s AND NOT is_done
"""
_FAILED = """
SELECT supplier_id, coalesce(error, 'its worker process ended before it was done')
FROM supplier_import_claim
WHERE token = %(token)s AND (error IS NOT NULL OR NOT is_done) ORDER BY supplier_id
"""
_POLL_SECONDS = 0.2


class Share:
    """One worker's share of a run."""

    def __init__(self, ctx: JobContext, connection: "psycopg.Connection[Any]") -> None:
        self._ctx, self._connection = ctx, connection
        self._values = {"token": ctx.facts.tokens[0], "worker": ctx.worker, "pid": os.getpid()}
        if ctx.worker == 0:
            self._write(_FORGET_OTHER_RUNS)

    def claimed(self, suppliers: Sequence[int]) -> Iterator[int]:
        """Those of the suppliers that no other worker of the run has taken, one by one."""
        for supplier in suppliers:
            if self._ctx.stopping:
                return
            if self._write(_CLAIM, supplier=supplier):
                yield supplier

    def settle(self, supplier: int, error: str | None) -> None:
        """A supplier is done, well or not."""
        self._write(_SETTLE, supplier=supplier, error=error)

    def wait_for_others(self) -> None:
        """Until no living worker has a supplier in hand; not longer where the run is to stop."""
        while not self._ctx.stopping:
            rows = self._connection.execute(_AT_WORK, self._values).fetchall()
            if not any(Path(f"/proc/{pid}").exists() for (pid,) in rows):
                return
            self._ctx.pause(_POLL_SECONDS)

    def failed(self) -> dict[int, str]:
        """What went wrong, by supplier, whichever worker had it; once nobody is at work."""
        return dict(self._connection.execute(_FAILED, self._values).fetchall())

    def _write(self, statement: str, **values: Any) -> int:
        from cronops.contract.lock import fence

        with self._connection.transaction():
            count = self._connection.execute(statement, self._values | values).rowcount
            fence(self._connection, self._ctx.tokens[:1])
        return count

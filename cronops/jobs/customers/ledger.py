"""What became of each reminder: claimed before it is sent, settled by the server's answer."""

from datetime import date
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import psycopg

    from cronops.contract.context import JobContext
    from cronops.jobs.customers.due import Due, Tenant

State = Literal["sent", "unknown", "refused", "deferred"]
RETRIED: tuple[State, ...] = ("refused", "deferred")
"""Surely not taken: the next run may try again."""

_DIED = "the run ended before the server's answer was recorded"
_SETTLE = """
UPDATE reminder SET state = %(state)s, answer = %(answer)s, at = clock_timestamp()
WHERE id = %(id)s
"""
_CLAIM = """
INSERT INTO reminder (license_id, valid_until, days_before, tenant, customer_id, state, run_id)
VALUES (%(license_id)s, %(valid_until)s, %(days_before)s, %(tenant)s, %(customer_id)s, 'sending',
    %(run_id)s)
ON CONFLICT (license_id, valid_until, days_before) DO UPDATE SET
    state = 'sending', answer = NULL, run_id = excluded.run_id, tries = reminder.tries + 1,
    claimed_at = clock_timestamp(), at = clock_timestamp()
    WHERE reminder.state = ANY(%(states)s)
        -- What became unknown in this run is not sent again by its next attempt.
        AND (reminder.state <> 'unknown' OR reminder.run_id <> excluded.run_id)
RETURNING id
"""
_ABANDONED = """
UPDATE reminder SET state = 'unknown', answer = %(answer)s, at = clock_timestamp()
WHERE state = 'sending' RETURNING license_id
"""
_UNKNOWN_OF_RUN = """
SELECT license_id FROM reminder WHERE state = 'unknown' AND run_id = %(run_id)s ORDER BY license_id
"""
_UNKNOWN = "SELECT count(*) FROM reminder WHERE state = 'unknown' AND valid_until >= %(today)s"


class _Answer(NamedTuple):
    id: int
    state: State
    answer: str


class Ledger:
    """The reminders of one run. Only the run that holds the job's lease writes.

    An answer is committed together with the claim of the next reminder: one commit a mail. A run
    that dies in between leaves ``sending``, which the next one finds and calls unknown.
    """

    def __init__(
        self, ctx: "JobContext", connection: "psycopg.Connection[Any]", states: tuple[str, ...]
    ) -> None:
        self._ctx = ctx
        self._connection = connection
        self._states = list(states)
        self._answer: _Answer | None = None

    def take_over(self) -> list[int]:
        """Call unknown what a run that died was sending; the licences."""
        with self._ctx.fenced(self._connection):
            rows = self._connection.execute(_ABANDONED, {"answer": _DIED}).fetchall()
        return [license_id for (license_id,) in rows]

    def claim(self, tenant: "Tenant", due: "Due") -> int | None:
        """Claim a reminder, durably; its id, or None where it was sent already."""
        values = {
            "license_id": due.license_id,
            "valid_until": due.valid_until,
            "days_before": due.days_before,
            "tenant": tenant.code,
            "customer_id": due.customer_id,
            "run_id": self._ctx.run_id,
            "states": self._states,
        }
        with self._ctx.fenced(self._connection):
            self._write_answer()
            row = self._connection.execute(_CLAIM, values).fetchone()
        self._answer = None
        return row[0] if row else None

    def answered(self, reminder: int, state: State, answer: str) -> None:
        """Note how it ended; durable with the next `claim` or `flush`."""
        from cronops.telemetry import redact

        self._answer = _Answer(reminder, state, redact(answer)[:1000])

    def flush(self) -> None:
        """Commit the last answer."""
        if self._answer is None:
            return
        with self._ctx.fenced(self._connection):
            self._write_answer()
        self._answer = None

    def unknown_of_run(self) -> list[int]:
        """The licences whose reminders became unknown in this run, in whichever attempt."""
        asked = {"run_id": self._ctx.run_id}
        rows = self._connection.execute(_UNKNOWN_OF_RUN, asked).fetchall()
        return [license_id for (license_id,) in rows]

    def count_unknown(self, today: date) -> int:
        """How many reminders of licences that have not ended yet are unknown."""
        row = self._connection.execute(_UNKNOWN, {"today": today}).fetchone()
        return int(row[0]) if row else 0

    def _write_answer(self) -> None:
        if self._answer is not None:
            self._connection.execute(_SETTLE, self._answer._asdict())

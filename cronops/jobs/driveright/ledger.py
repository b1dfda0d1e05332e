"""How far a sync has come: one row a sync, written with whatever it tells of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    from cronops.contract.context import JobContext
    from cronops.jobs.driveright.vehicles import Vehicle

_OPEN = """
SELECT id, stage, status, cursor, total, report, counts FROM driveright_run
WHERE status NOT IN ('done', 'abandoned')
"""
_BEGIN = "INSERT INTO driveright_run (run_id) VALUES (%(run_id)s)"
_SET = """
UPDATE driveright_run SET stage = %(stage)s, status = %(status)s, cursor = %(cursor)s,
    total = %(total)s, report = %(report)s, counts = %(counts)s, problem = %(problem)s,
    run_id = %(run_id)s, at = clock_timestamp()
WHERE id = %(id)s
"""
_CLEAR_STAGED = (
    "DELETE FROM driveright_fitment WHERE sync = %(sync)s",
    "DELETE FROM driveright_vehicle WHERE sync = %(sync)s",
)
_CLEAR_FOUND = (
    "DELETE FROM driveright_problem WHERE sync = %(sync)s",
    "DELETE FROM driveright_change WHERE sync = %(sync)s",
)
_FORGET = """
DELETE FROM driveright_run WHERE status IN ('done', 'abandoned')
    AND at < clock_timestamp() - %(older)s
"""
_STAGE_VEHICLE = """
INSERT INTO driveright_vehicle (sync, external_id, make, model, generation, variant, built_from,
    built_until, is_valid, is_partial)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_STAGE_FITMENTS = """
COPY driveright_fitment (sync, external_id, product_type, position, is_oe, tyre_width,
    tyre_aspect, tyre_diameter, wheel_diameter, wheel_width, pcd, centre_bore, offset_min,
    offset_max) FROM STDIN
"""
_PROBLEM = "INSERT INTO driveright_problem (sync, external_id, problem) VALUES (%s, %s, %s)"
_STAGED = "SELECT count(*) FROM driveright_vehicle WHERE sync = %(sync)s"


@dataclass
class Sync:
    """A sync that is on its way; its row follows by `Ledger.save`."""

    id: int
    stage: str
    """The one that is to be done, or done again."""
    status: str
    cursor: str | None
    total: int | None
    report: str
    counts: dict[str, int]


class Ledger:
    """Reads and writes syncs; every commit is fenced."""

    def __init__(self, ctx: "JobContext", connection: "psycopg.Connection[Any]") -> None:
        self._ctx = ctx
        self.connection = connection

    def open(self) -> Sync | None:
        """The sync that is on its way, if there is one."""
        row = self.connection.execute(_OPEN).fetchone()
        return Sync(*row) if row else None

    def begin(self) -> Sync:
        """Begin one."""
        with self._ctx.fenced(self.connection):
            self.connection.execute(_BEGIN, {"run_id": self._ctx.run_id})
            self.connection.execute(_FORGET, {"older": self._ctx.settings.retention.runs})
        found = self.open()
        assert found is not None  # noqa: S101 - just begun
        return found

    def save(self, sync: Sync, *, problem: str | None = None) -> None:
        """Write how it stands, in the open transaction or one of its own."""
        from psycopg.types.json import Jsonb

        from cronops.telemetry import redact

        with self._ctx.fenced(self.connection):
            self.connection.execute(
                _SET,
                {
                    **vars(sync),
                    "counts": Jsonb(sync.counts),
                    "problem": redact(problem)[:1000] if problem else None,
                    "run_id": self._ctx.run_id,
                },
            )

    def stage_page(self, sync: Sync, vehicles: Iterable["Vehicle"], unnamed: Iterable[str]) -> None:
        """Put a page's vehicles aside, in the open transaction."""
        read = list(vehicles)
        with self.connection.cursor() as cursor:
            cursor.executemany(_STAGE_VEHICLE, [_row(sync, one) for one in read])
            with cursor.copy(_STAGE_FITMENTS) as copy:
                for vehicle in read:
                    for fitment in vehicle.fitments:
                        copy.write_row((sync.id, vehicle.external_id, *fitment))
            problems = [
                (sync.id, one.external_id, problem) for one in read for problem in one.problems
            ]
            problems += [(sync.id, "", problem) for problem in unnamed]
            if problems:
                cursor.executemany(_PROBLEM, problems)

    def count_staged(self, sync: Sync) -> int:
        """How many different vehicles were put aside."""
        row = self.connection.execute(_STAGED, {"sync": sync.id}).fetchone()
        return int(row[0]) if row else 0

    def clear(self, sync: Sync, *, found_too: bool) -> None:
        """Drop what was put aside, in the open transaction; also what was found about it."""
        for statement in (*_CLEAR_STAGED, *(_CLEAR_FOUND if found_too else ())):
            self.connection.execute(statement, {"sync": sync.id})


def _row(sync: Sync, vehicle: "Vehicle") -> tuple[Any, ...]:
    of: Mapping[str, Any] = vars(vehicle)
    names = ("make", "model", "generation", "variant", "built_from", "built_until", "is_valid")
    return (sync.id, vehicle.external_id, *(of[name] for name in names), vehicle.is_partial)

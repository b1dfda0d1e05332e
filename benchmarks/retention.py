"""Deleting what is old: in ranges of blocks, against the one DELETE that people would write.

A writer works beside it, as the shop does: it inserts, and changes old rows. Its longest wait is
measured: each of its two statements by itself.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from benchmarks.database import ROOT, Database
from benchmarks.harness import Goal, Ratio, Result, Section, Series, Unmeasurable, alternate
from cronops.db.block_delete import Old, cutoff_before, delete, find
from cronops.db.shop import create_shop

OURS, PROCESS, PLAIN = "in block ranges", "cronops logs clean, a whole process", "one DELETE"
KEEP_DAYS = 30
FILL = """
    INSERT INTO shop.log_update (ts, entity, entity_id, old, new)
    SELECT now() - CASE WHEN n %% 10 = 0 THEN interval '1 day' ELSE interval '400 days' END,
        'article', n::text, jsonb_build_object('price', n), jsonb_build_object('price', n + 1)
    FROM generate_series(1, %(rows)s) AS n
"""
DELETE = "DELETE FROM shop.log_update WHERE ts < now() - interval '30 days'"
INSERT = "INSERT INTO shop.log_update (entity, entity_id) VALUES ('writer', '')"
CHANGE = "UPDATE shop.log_update SET \"user\" = 'seen' WHERE id = %s"


class Writer(threading.Thread):
    """The shop, which goes on; `longest` is its longest wait in milliseconds."""

    def __init__(self, database: Database, rows: int) -> None:
        super().__init__()
        self._database, self._rows = database, rows
        self._stop_asked = threading.Event()
        self.longest = 0.0

    def run(self) -> None:
        """Write until told to stop."""
        number = 0
        with self._database.connect() as connection:
            while not self._stop_asked.is_set():
                number = (number + 7_919) % self._rows
                for statement, values in ((INSERT, None), (CHANGE, (number,))):
                    began = time.perf_counter()
                    connection.execute(statement, values)
                    self.longest = max(self.longest, (time.perf_counter() - began) * 1000)
                time.sleep(0.002)

    def stop(self) -> float:
        """End it; its longest wait."""
        self._stop_asked.set()
        self.join()
        return self.longest


def run(database: Database, quick: bool) -> Sequence[Section]:
    """Nine rows out of ten are deleted: alone, and beside a writer."""
    rows, rounds = (100_000, 2) if quick else (1_000_000, 3)
    with database.connect() as connection:
        create_shop(connection, "shop")
    subjects: dict[str, Callable[[], object]] = {
        OURS: lambda: _in_ranges(database),
        PROCESS: lambda: _process(database),
        PLAIN: lambda: database.execute(DELETE),
    }
    return [_time(database, subjects, rows, rounds), _waits(database, subjects, rows, rounds)]


def _time(
    database: Database, subjects: dict[str, Callable[[], object]], rows: int, rounds: int
) -> Section:
    section = Section(
        f"Deleting {rows // 10 * 9:,} of {rows:,} rows",
        "s",
        "The shop's log_update, nine rows of ten older than the retention, all over the table; two "
        "indexes. The whole process includes its start, the lease, the books and the rests.",
        digits=2,
    )

    def measured(work: Callable[[], object]) -> Callable[[], float]:
        def measure() -> float:
            _prepare(database, rows)
            began = time.perf_counter()
            work()
            seconds = time.perf_counter() - began
            _check(database, rows)
            return seconds

        return measure

    section.add(alternate({name: measured(work) for name, work in subjects.items()}, rounds))
    section.compare("block ranges / one DELETE", OURS, PLAIN, Goal(1.5, at_most=True))
    section.compare("logs clean / one DELETE", PROCESS, PLAIN, Goal(1.5, at_most=True))
    return section


def _waits(
    database: Database, subjects: dict[str, Callable[[], object]], rows: int, rounds: int
) -> Section:
    section = Section(
        f"A writer beside the deletion of {rows // 10 * 9:,} rows",
        "ms",
        "The longest single statement of a program that inserts, and changes old rows, meanwhile. "
        "Alone is the same writer for two seconds with nothing beside it.",
        digits=1,
    )

    def measured(work: Callable[[], object]) -> Callable[[], float]:
        def measure() -> float:
            _prepare(database, rows)
            writer = Writer(database, rows)
            writer.start()
            try:
                work()
            finally:
                longest = writer.stop()
            return longest

        return measure

    waits = {"alone": lambda: time.sleep(2), **subjects}
    results: dict[str, Result] = alternate(
        {name: measured(work) for name, work in waits.items()}, rounds
    )
    section.add(results)
    for name in (OURS, PROCESS):
        found = results[name]
        section.ratios.append(
            Ratio(
                f"longest wait, {name}",
                found.median if isinstance(found, Series) else None,
                Goal(50, at_most=True),
                unit=" ms",
                spread=(found.lowest, found.highest) if isinstance(found, Series) else None,
            )
        )
    return section


def _prepare(database: Database, rows: int) -> None:
    with database.connect() as connection:
        connection.execute("TRUNCATE shop.log_update RESTART IDENTITY")
        connection.execute(FILL, {"rows": rows})
    database.settle("shop.log_update")


def _check(database: Database, rows: int) -> None:
    with database.connect() as connection:
        row = connection.execute("SELECT count(*) FROM shop.log_update").fetchone()
    if row != (rows // 10,):
        raise Unmeasurable(f"{row} rows are left of {rows}")


def _in_ranges(database: Database) -> None:
    with database.connect() as connection:
        cutoff = cutoff_before(connection, timedelta(days=KEEP_DAYS))
        found = find(connection, Old("shop.log_update", "ts < %(cutoff)s", {"cutoff": cutoff}))
        delete(
            connection,
            found,
            settle=lambda _: None,
            committed=lambda _: None,
            pause=lambda seconds: time.sleep(seconds) is None,
        )


def _process(database: Database) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cronops", "logs", "clean"],
        env={**database.env, "CRONOPS_LOGS__RETENTION": f"{KEEP_DAYS}d"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise Unmeasurable(done.stderr[-300:])

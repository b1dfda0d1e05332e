"""A thousand schedules run in the mind for ninety days."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.database import Database
from benchmarks.harness import Section, Unmeasurable, alternate
from benchmarks.manifests import write_schedules
from benchmarks.memory import peak_of
from benchmarks.workers import command_of

_FROM = "2026-11-30T00:00:00Z"


def run(database: Database, quick: bool) -> Sequence[Section]:
    """Whole processes, the file's reading included; their memory at two lengths of time."""
    count, days, rounds = (100, 7, 1) if quick else (1_000, 90, 5)
    with tempfile.TemporaryDirectory(prefix="cronops-simulations-") as directory:
        file = write_schedules(Path(directory), count)
        times = Section(
            f"Simulation: {count:,} schedules",
            "s",
            "`cronops schedules simulate --json`, a whole process: locks, stampedes, a proposed "
            "spread, and the load by hour.",
            digits=2,
        )
        subjects: dict[str, Callable[[], float]] = {
            f"{length} days": lambda length=length: _timed(database, file, length)  # type: ignore[misc]
            for length in (7, days)
        }
        times.add(alternate(subjects, rounds))
        memory = Section(f"Simulation: {count:,} schedules, memory", "MB", "Its peak.", digits=1)
        peaks: dict[str, Callable[[], float]] = {
            f"{length} days": lambda length=length: peak_of(_start(database, file, length))  # type: ignore[misc]
            for length in (7, days)
        }
        memory.add(alternate(peaks, 1 if quick else 2))
    return [times, memory]


def _timed(database: Database, file: Path, days: int) -> float:
    began = time.perf_counter()
    process = _start(database, file, days)
    if process.wait():
        raise Unmeasurable(f"exit {process.returncode}")
    return time.perf_counter() - began


def _start(database: Database, file: Path, days: int) -> "subprocess.Popen[bytes]":
    words = ["schedules", "simulate", "--file", str(file), "--from", _FROM, "--for", f"{days}d"]
    return subprocess.Popen(
        [command_of("cronops"), *words, "--json"],
        env=database.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

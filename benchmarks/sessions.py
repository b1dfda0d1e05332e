"""Purging session files, beside `find … -delete` on the same tree."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.database import Database
from benchmarks.harness import Goal, Ratio, Section, Unmeasurable, alternate
from benchmarks.memory import peak_of
from benchmarks.workers import command_of

YOUNG_EVERY = 10
"""One session in so many is in use, and stays."""
DAY = 86_400


def run(database: Database, quick: bool) -> Sequence[Section]:
    """Times at the larger size, memory at both."""
    few, many = (2_000, 20_000) if quick else (20_000, 200_000)
    return [_times(database, many, 2 if quick else 7), _memory(database, few, many)]


def _times(database: Database, count: int, rounds: int) -> Section:
    section = Section(
        f"Session purge, {count:,} files",
        "s",
        "Whole process against whole process, on the same tree made anew for each: one session in "
        f"{YOUNG_EVERY} is young and stays. `find DIR -type f -name 'sess_*' -mmin +1440 -delete` "
        "holds no lock, records nothing, and trusts this machine's clock.",
        digits=2,
    )
    subjects: dict[str, Callable[[], float]] = {
        "cronops sessions purge": lambda: _timed(database, count, _purge),
        "find -delete": lambda: _timed(database, count, _find),
    }
    section.add(alternate(subjects, rounds))
    section.compare("purge / find", *subjects, Goal(1.3, at_most=True))
    return section


def _memory(database: Database, few: int, many: int) -> Section:
    section = Section(
        "Session purge, memory", "MB", "Peak of supervisor and worker added up.", digits=1
    )
    small, large = f"{few:,} files", f"{many:,} files"

    def peak(count: int) -> float:
        root = _fill(database, count)
        found = peak_of(_purge(database, root))
        _check(root, count)
        return found

    section.add(alternate({small: lambda: peak(few), large: lambda: peak(many)}, 2))
    low, high = section.median(small), section.median(large)
    grown = high - low if low is not None and high is not None else None
    section.ratios.append(Ratio("growth", grown, Goal(5, at_most=True), unit=" MB"))
    return section


def _timed(
    database: Database, count: int, start: "Callable[[Database, Path], subprocess.Popen[bytes]]"
) -> float:
    root = _fill(database, count)
    began = time.perf_counter()
    process = start(database, root)
    if process.wait():
        raise Unmeasurable(f"exit {process.returncode}")
    seconds = time.perf_counter() - began
    _check(root, count)
    return seconds


def _fill(database: Database, count: int) -> Path:
    root = database.scratch / "sessions"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    directory = os.open(root, os.O_RDONLY)
    old = time.time() - 2 * DAY
    for number in range(count):
        name = f"sess_{number:026d}"
        file = os.open(name, os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=directory)
        os.write(file, b"user|i:1;")
        if number % YOUNG_EVERY:
            os.utime(file, (old, old))
        os.close(file)
    os.close(directory)
    # What is still to be written would be written while the first is measured.
    os.sync()
    return root


def _check(root: Path, count: int) -> None:
    left = sum(1 for _ in root.iterdir())
    if left != count // YOUNG_EVERY:
        raise Unmeasurable(f"{left:,} files are left of {count:,}")


def _purge(database: Database, root: Path) -> "subprocess.Popen[bytes]":
    settings = {
        "CRONOPS_SESSIONS__DIRECTORY": str(root),
        "CRONOPS_SESSIONS__ALLOWED": json.dumps([str(root)]),
        "CRONOPS_SESSIONS__MAX_AGE": "24h",
    }
    return subprocess.Popen(
        [command_of("cronops"), "sessions", "purge"],
        env={**database.env, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _find(_: Database, root: Path) -> "subprocess.Popen[bytes]":
    find = shutil.which("find")
    if find is None:
        raise Unmeasurable("find is not installed")
    return subprocess.Popen(
        [find, root, "-type", "f", "-name", "sess_*", "-mmin", "+1440", "-delete"]
    )

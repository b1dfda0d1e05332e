"""Peak memory of a worker's processes: flat, however many messages wait."""

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import ours
from benchmarks.database import Database
from benchmarks.harness import Goal, Ratio, Section, Unmeasurable, alternate

SAMPLE_SECONDS = 0.02
LIMIT_SECONDS = 900
MEGABYTE = 1024


def run(database: Database, quick: bool) -> Sequence[Section]:
    """Peak resident memory of the process tree at two sizes of queue."""
    few, many = (1_000, 20_000) if quick else (10_000, 1_000_000)
    section = Section(
        "Memory",
        "MB",
        "The highest resident memory (VmHWM) of `cronops queue process`, supervisor and worker "
        'added up, pages they share counted twice; no-op handler, `settle="batch"`, default '
        "settings, every message worked.",
        digits=1,
    )
    small, large = f"{few:,} messages", f"{many:,} messages"
    subjects: dict[str, Callable[[], float]] = {
        small: lambda: _peak(database, few),
        large: lambda: _peak(database, many),
    }
    section.add(alternate(subjects, 1 if quick else 2))
    low, high = section.median(small), section.median(large)
    grown = high - low if low is not None and high is not None else None
    section.ratios.append(Ratio("growth", grown, Goal(10, at_most=True), unit=" MB"))
    return [section]


def _peak(database: Database, count: int) -> float:
    ours.fill(database, "bench.batch", count)
    database.settle("queue_message")
    process = subprocess.Popen(
        ours.command(),
        env=ours.environment(database),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = peak_of(process)
    ours.all_processed_at(database, count)
    return peak


def peak_of(process: "subprocess.Popen[bytes]", *, ends_with: int = 0) -> float:
    """The highest resident memory of the process and all below it, in MB, at its end."""
    peaks: dict[int, int] = {}
    until = time.monotonic() + LIMIT_SECONDS
    while process.poll() is None:
        if time.monotonic() > until:
            process.terminate()
            raise Unmeasurable(f"not done after {LIMIT_SECONDS} s")
        for pid in process_tree(process.pid):
            peaks[pid] = max(peaks.get(pid, 0), high_water_mark(pid))
        time.sleep(SAMPLE_SECONDS)
    if process.returncode != ends_with:
        raise Unmeasurable(f"exit {process.returncode}")
    return sum(peaks.values()) / MEGABYTE


def process_tree(root: int) -> Sequence[int]:
    """A process and all below it."""
    found = [root]
    for pid in found:
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text(encoding="ascii").split())
        except OSError:
            continue  # it has just ended
    return found


def high_water_mark(pid: int) -> int:
    """Its peak resident memory in KiB; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)

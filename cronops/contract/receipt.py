"""A run's receipt: one JSON object for the termination log, one line for the terminal."""

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from cronops.config import Settings
from cronops.contract.identity import Identity
from cronops.contract.job import Job
from cronops.contract.result import RunOutcome, RunResult
from cronops.durations import format_duration

_TERMINATION_LOG = Path("/dev/termination-log")
_LONGEST = 4000  # Kubernetes keeps 4,096 bytes


def write_receipt(
    settings: Settings, job: Job, identity: Identity, result: RunResult, *, recorded: bool, log: Any
) -> None:
    """Write the receipt where Kubernetes shows it as the container's message."""
    path = settings.termination_log or (_TERMINATION_LOG if settings.in_cluster else None)
    if path is None:
        return
    receipt = {
        "job": job.name,
        "run_id": identity.run_id,
        "outcome": result.outcome.value,
        "exit_code": int(result.exit_code),
        "signal": result.signal,
        "recorded": recorded,
        "reason": result.reason,
        "counts": dict(result.counts),
    }
    text = json.dumps(receipt, ensure_ascii=False)
    if len(text.encode(errors="replace")) > _LONGEST:
        short = {"reason": (result.reason or "")[:500], "counts": {}}
        text = json.dumps(receipt | short, ensure_ascii=False)
    try:
        path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        log.warning(
            "could not write the receipt", path=str(path), error=os.strerror(error.errno or 0)
        )


def show_result(line: str) -> None:
    """Print the command's result; a reader that has left must not change how the run ended."""
    try:
        print(line, flush=True)  # noqa: T201 - stdout is for results
    except OSError:
        # Python flushes once more when it exits, and would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def summary_line(job: Job, result: RunResult, duration: timedelta, *, recorded: bool) -> str:
    """How the run ended, for the person at the terminal."""
    counts = ", ".join(
        f"{number} {name.replace('_', ' ')}" for name, number in result.counts.items()
    )
    parts = [f"{job.name}: {result.outcome.value.replace('_', ' ')}"]
    if result.outcome is not RunOutcome.SKIPPED:
        parts.append(f" in {format_duration(duration)}")
    if result.reason:
        parts.append(f": {result.reason}")
    if counts:
        parts.append(f" ({counts})")
    if not recorded:
        parts.append(" [unrecorded: the database did not take the outcome]")
    return "".join(parts)

"""From how each worker process ended, how the run ended; pure."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import Any

from cronops.contract.process import describe_end
from cronops.contract.result import RunOutcome, RunResult
from cronops.errors import ExitCode

_LEASE_LOST = (
    "the lock's lease could not be renewed in time or was taken over; the work was stopped, and "
    "nothing of it can be committed any more"
)


class StopCause(Enum):
    """Why a run is being ended before it is done."""

    SIGNAL = "signal"
    DEADLINE = "deadline"
    LEASE = "lease"


@dataclass(frozen=True)
class WorkerEnd:
    """How one worker process ended."""

    report: Mapping[str, Any] | None
    """What it said came of its work; None where it ended without a word."""
    status: int | None
    """Its wait status."""
    was_killed: bool
    """Whether the supervisor killed it."""


def verdict(
    ends: Sequence[WorkerEnd],
    cause: StopCause | None,
    *,
    timeout: timedelta,
    grace: timedelta,
    stop_signal: int | None,
    counts: Sequence[str] = (),
    counted: Sequence[Mapping[str, int]] = (),
) -> RunResult:
    """The run's result, with what all workers counted.

    Work that was reported as done is done, even if the run was to be stopped meanwhile.
    `counts` names what the job declares to count: 0 where nobody did, or a gauge would keep an
    earlier run's number. `counted` is what processes had counted that ended without a word.
    """
    reports = [end.report for end in ends if end.report is not None]
    silent = [end for end in ends if end.report is None]
    failures = [report["failed"] for report in reports if "failed" in report]
    if not silent and not failures:
        result = RunResult(RunOutcome.SUCCEEDED, ExitCode.OK)
    elif cause is StopCause.LEASE:
        # Silent ones were killed half-way: what they did outside the database is not known.
        number = signal.SIGKILL if silent else None
        result = RunResult(RunOutcome.FAILED, ExitCode.TEMPORARY, _LEASE_LOST, number)
    elif cause is StopCause.DEADLINE:
        result = _timed_out(ends, timeout)
    elif cause is StopCause.SIGNAL:
        result = _interrupted(ends, grace, stop_signal or signal.SIGTERM)
    elif failures:
        first = failures[0]
        outcome = RunOutcome.INTERRUPTED if first["interrupted"] else RunOutcome.FAILED
        result = RunResult(outcome, first["exit_code"], first["reason"])
    else:
        result = _crashed(silent[0])
    return _with_sums(result, reports, [dict.fromkeys(counts, 0), *counted])


def _timed_out(ends: Sequence[WorkerEnd], timeout: timedelta) -> RunResult:
    reason = f"timed out after {timeout.total_seconds():g} s, all attempts together"
    number = signal.SIGKILL if any(end.was_killed for end in ends) else None
    return RunResult(RunOutcome.TIMED_OUT, ExitCode.TIMED_OUT, reason, number)


def _interrupted(ends: Sequence[WorkerEnd], grace: timedelta, number: int) -> RunResult:
    reason = f"told to stop by {signal.Signals(number).name}"
    if any(end.was_killed for end in ends):
        reason += f"; did not stop within {grace.total_seconds():g} s and was killed"
    return RunResult.stopped(number, reason)


def _crashed(end: WorkerEnd) -> RunResult:
    detail, number = describe_end(end.status or 0)
    reason = f"the worker process was {detail}" if number else f"the worker process {detail}"
    return RunResult(RunOutcome.CRASHED, ExitCode.CRASHED, reason, number)


def _with_sums(
    result: RunResult,
    reports: Sequence[Mapping[str, Any]],
    counted: Sequence[Mapping[str, int]],
) -> RunResult:
    counts: dict[str, int] = {}
    for one in counted:
        _add(counts, one)
    warnings: list[str] = []
    attempts = 0
    for report in reports:
        inner = report.get("succeeded") or report["failed"]
        attempts = max(attempts, int(inner["attempts"]))
        warnings += inner.get("warnings", ())
        _add(counts, inner["counts"])
    return replace(result, counts=counts, warnings=warnings, attempts=attempts)


def _add(sums: dict[str, int], counts: Mapping[str, int]) -> None:
    for name, number in counts.items():
        sums[name] = sums.get(name, 0) + int(number)

"""From how each worker ended, how the run ended."""

import signal
from datetime import timedelta
from typing import Any

import pytest

from cronops.contract.result import RunOutcome
from cronops.contract.runs import slot_state
from cronops.contract.verdict import StopCause, WorkerEnd, verdict
from cronops.errors import ExitCode

DONE = {"succeeded": {"attempts": 1, "counts": {"rows": 2}, "warnings": ["look"]}}
FAILED = {
    "failed": {
        "attempts": 3,
        "counts": {"rows": 1},
        "reason": "no luck",
        "exit_code": 65,
        "interrupted": False,
    }
}
KILLED = WorkerEnd(None, signal.SIGKILL, was_killed=True)
DIED = WorkerEnd(None, signal.SIGSEGV, was_killed=False)
LEFT = WorkerEnd(None, 0, was_killed=False)


def said(report: dict[str, Any]) -> WorkerEnd:
    return WorkerEnd(report, 0, was_killed=False)


def judged(*ends: WorkerEnd, cause: StopCause | None = None, by: int | None = None) -> Any:
    return verdict(
        ends,
        cause,
        timeout=timedelta(seconds=5),
        grace=timedelta(seconds=1),
        stop_signal=by,
    )


@pytest.mark.parametrize("cause", [None, *StopCause])
def test_work_that_was_reported_as_done_is_done(cause: StopCause | None) -> None:
    result = judged(said(DONE), said(DONE), cause=cause, by=signal.SIGTERM)

    assert (result.outcome, result.exit_code) == (RunOutcome.SUCCEEDED, ExitCode.OK)
    assert (result.counts, result.warnings) == ({"rows": 4}, ["look", "look"])


@pytest.mark.parametrize(
    ("ends", "cause", "by", "outcome", "code"),
    [
        ([said(FAILED)], None, None, "failed", 65),
        ([said(DONE), said(FAILED)], None, None, "failed", 65),
        ([said(DONE), DIED], None, None, "crashed", 137),
        ([LEFT], None, None, "crashed", 137),
        ([KILLED], StopCause.DEADLINE, None, "timed_out", 124),
        ([said(FAILED)], StopCause.DEADLINE, None, "timed_out", 124),
        ([KILLED], StopCause.SIGNAL, signal.SIGTERM, "interrupted", 143),
        ([said(FAILED)], StopCause.SIGNAL, signal.SIGHUP, "interrupted", 143),
        ([KILLED], StopCause.SIGNAL, signal.SIGINT, "interrupted", 130),
        ([KILLED], StopCause.LEASE, None, "failed", 75),
        ([said(DONE), said(FAILED)], StopCause.LEASE, None, "failed", 75),
    ],
)
def test_what_was_not_done_is_told_by_its_cause(
    ends: list[WorkerEnd], cause: StopCause | None, by: int | None, outcome: str, code: int
) -> None:
    result = judged(*ends, cause=cause, by=by)

    assert (result.outcome.value, result.exit_code) == (outcome, code)
    assert result.reason


def test_the_signal_is_kept() -> None:
    assert judged(DIED).signal == signal.SIGSEGV
    assert judged(LEFT).signal is None
    assert judged(KILLED, cause=StopCause.SIGNAL, by=signal.SIGTERM).signal == signal.SIGTERM


@pytest.mark.parametrize(
    ("end", "cause", "state"),
    [
        (said(DONE), None, "succeeded"),
        (said(FAILED), None, "failed"),
        (DIED, None, "unknown"),
        (KILLED, StopCause.DEADLINE, "unknown"),
        (KILLED, StopCause.SIGNAL, "unknown"),
        (KILLED, StopCause.LEASE, "unknown"),
    ],
)
def test_a_slot_is_unknown_where_work_that_is_not_safe_to_repeat_was_cut_off(
    end: WorkerEnd, cause: StopCause | None, state: str
) -> None:
    result = judged(end, cause=cause)
    cut_off = result.signal is not None

    assert slot_state(result.outcome, retry_safe=False, was_cut_off=cut_off) == state
    safe = slot_state(result.outcome, retry_safe=True, was_cut_off=cut_off)
    assert safe == ("succeeded" if state == "succeeded" else "failed")

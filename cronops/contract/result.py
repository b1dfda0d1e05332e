"""How a run ended: its outcome, and everything that is recorded, logged and reported of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from signal import SIGINT

from cronops.errors import ExitCode


class RunOutcome(StrEnum):
    """The six ways a run can end."""

    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"
    CRASHED = "crashed"

    @property
    def is_failure(self) -> bool:
        """Whether somebody has to be told."""
        return self not in (RunOutcome.SUCCEEDED, RunOutcome.SKIPPED)


@dataclass(frozen=True)
class RunResult:
    """How a run ended."""

    outcome: RunOutcome
    exit_code: int
    reason: str | None = None
    """Why it was skipped, or did not succeed, in one line; free of secrets."""
    signal: int | None = None
    """The signal that ended its process, if one did."""
    attempts: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    @classmethod
    def stopped(cls, number: int, reason: str) -> "RunResult":
        """Ended by a signal from outside before its work was done."""
        code = ExitCode.INTERRUPTED if number == SIGINT else ExitCode.TERMINATED
        return cls(RunOutcome.INTERRUPTED, code, reason, number)

    def with_more(self, counts: Mapping[str, int]) -> "RunResult":
        """The same, with `counts` added to its own."""
        names = dict.fromkeys((*self.counts, *counts))
        sums = {name: self.counts.get(name, 0) + counts.get(name, 0) for name in names}
        return replace(self, counts=sums)

    @classmethod
    def skipped(cls, reason: str) -> "RunResult":
        """Nothing was done, and that is fine."""
        return cls(RunOutcome.SKIPPED, ExitCode.OK, reason)

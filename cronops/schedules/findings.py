"""What a check finds, and where in the file it stands."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

Path = tuple[str | int, ...]
"""Keys and indices from the top of the file: ``("schedules", 3, "timeZone")``."""


class Severity(StrEnum):
    """How much a finding weighs; only errors make the file invalid."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file; both numbers count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing."""

    rule: str
    """The rule's id: ``deadline-budget``."""
    severity: Severity
    message: str
    """What is wrong, in one sentence without its place."""
    instead: str = ""
    """What to write instead, or what to do."""
    path: Path = ()
    """Where it was found, or the nearest thing above that the file holds."""
    position: Position = Position(1, 1)
    schedule: str | None = None
    environments: tuple[str, ...] = ()
    """The environments it was found in; empty where it concerns the file itself."""
    waived: str | None = field(default=None, compare=False)
    """Why the file says it may stand."""


class InvalidSchedules(Exception):
    """The file cannot be read any further; `findings` says why, in the order of the file."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("; ".join(finding.message for finding in self.findings))

"""What schedules need to know of the jobs; handed in by the command line, which knows them.

Lock, timeout, retries and owners are declared once, above the job. A schedules file names only
the command, and these types carry what its declaration says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Access = Literal["read", "write", "connect", "secret"]


@dataclass(frozen=True)
class LockUse:
    """A lease the command takes."""

    key: str
    shared: bool = False


@dataclass(frozen=True)
class Resource:
    """Something a job cannot work without, and where its entry says how to get it.

    ``read`` and ``write`` want ``volumes.<name>`` around the path that `variable` gives,
    ``connect`` wants ``egress.<name>``, ``secret`` wants ``secrets.<name>`` whose file's path
    goes into ``<variable>_FILE``.
    """

    name: str
    variable: str
    """The setting's variable: ``CRONOPS_DATABASE_URL``."""
    access: Access


@dataclass(frozen=True)
class Declaration:
    """What the job behind one command line declares. Durations are seconds."""

    job: str
    """The command without its options: ``queue process``."""
    crs: tuple[str, ...]
    locks: tuple[LockUse, ...]
    """Empty where the key depends on a placeholder."""
    timeout: int | None
    """For all attempts in one process together; None where the command never ends."""
    lock_wait: int
    """Longest wait for a held lock before the run skips."""
    retry_safe: bool
    skips_when_locked: bool
    accountable: tuple[str, ...]
    responsible: str
    consulted: tuple[str, ...]
    options: frozenset[str]
    """Every long option the command takes: ``--queue``."""
    given: frozenset[str]
    """The long options this command line gives."""
    needs: tuple[Resource, ...]


class CommandProblem(Exception):
    """A command line that would not run; `rule` is the id of the rule it breaks."""

    def __init__(self, rule: str, message: str, instead: str = "") -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.instead = instead


class Declarations(Protocol):
    """The jobs of this installation, as far as schedules are concerned."""

    version: str
    """Of the program that reads the file: ``0.1.0``."""
    schema_revision: str
    """Of our tables, which the migration brings about."""
    jobs: Mapping[str, tuple[str, ...]]
    """Every built-in job's command, and its change requests."""

    def read(self, command: str) -> Declaration:
        """Parse a command line with the real parsers; ``{placeholders}`` stand for any value.

        Raises `CommandProblem` for a command, option or value that would be refused.
        """

    def stop_seconds(self, environment: Mapping[str, str]) -> int:
        """What a run with these variables may need after SIGTERM to end and to tell how."""

    def owners(self, environment: Mapping[str, str]) -> frozenset[str]:
        """Every team that may be named where pods have these variables."""

    def setting_problems(self, environment: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
        """Variables that our settings would refuse: name, what is wrong, what to write instead."""

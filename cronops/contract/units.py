"""Care, in the supervising process, for work that a job does in units, such as queue messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import psycopg


class DeathCause(Enum):
    """Why a worker process ended while a unit was in its hands."""

    DIED = "died"
    """It ended by itself: charged to the unit in hand."""
    UNIT_TIMEOUT = "unit timeout"
    """The supervisor killed it because the unit's own time was up."""
    STOPPED = "stopped"
    """The supervisor ended it for a reason that is not the unit's: nobody is charged."""


@dataclass(frozen=True)
class WorkerDeath:
    """One dead worker process."""

    unit: int | None
    """The unit in its hands, or None where it died between units."""
    cause: DeathCause
    detail: str
    """For people: ``killed by signal 11 (SIGSEGV)``, ``no answer for 30 s``."""
    worker_pid: int


class UnitSupervisor(Protocol):
    """Called by the supervisor with a connection (autocommit) and the run's fencing token."""

    @property
    def counts(self) -> Mapping[str, int]:
        """What became of charged units, to be added to the run's counts."""

    def heartbeat(self, connection: psycopg.Connection, token: int) -> None:
        """Keep the units this run has claimed from going stale."""

    def worker_died(
        self, connection: psycopg.Connection, token: int, worker: int, death: WorkerDeath
    ) -> None:
        """Charge the unit in hand, give back its neighbours; `worker` counts from 0."""

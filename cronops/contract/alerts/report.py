"""A run that did not succeed, as those who are told of it need to know it; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cronops.contract.alerts.keys import dedup_key

Role = Literal["runtime", "domain", "both"]
"""What an owner is told of: the running, the domain's loss, or both."""


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """A run that did not succeed, as far as is known; all texts free of secrets."""

    job: str
    cr: str
    environment: str
    run_id: str
    correlation_id: str
    outcome: str
    """failed, timed_out, interrupted or crashed; skipped for repeated skips."""
    reason: str | None
    exit_code: int | None
    holder: str
    accountable: tuple[str, ...]
    responsible: str
    schedule: str | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    last_success_at: datetime | None = None
    summary: str = ""
    """What the job does, in a line."""
    impact: str = ""
    """What its failure means to the domain, in the domain's words."""

    @property
    def dedup_key(self) -> str:
        """What ties a failure to its repeats and to its end; never the run."""
        return dedup_key(self.environment, self.schedule, self.job)


@dataclass(frozen=True)
class AlertText:
    """What one owner is sent."""

    title: str
    body: str


def roles_of(accountable: Sequence[str], responsible: str) -> dict[str, Role]:
    """Each owner once, with what concerns them; the responsible one first."""
    roles: dict[str, Role] = {responsible: "runtime"} if responsible else {}
    for owner in accountable:
        roles[owner] = "both" if owner == responsible else "domain"
    return roles

"""What a run's end writes in one transaction: record, slot, alerts, and the lease given back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from cronops.config import Settings
from cronops.contract import lock, run_history, runs
from cronops.contract.admission import Admitted, Refused
from cronops.contract.alerts.keys import dedup_key
from cronops.contract.alerts.pending import is_anything_told
from cronops.contract.identity import Identity
from cronops.contract.job import Job
from cronops.contract.result import RunOutcome, RunResult
from cronops.errors import ExitCode

if TYPE_CHECKING:
    from cronops.contract.alerts.report import RunReport

HELD_BACK = timedelta(minutes=15)
"""A pod that is to be tried again usually is within minutes; should it never come back, the
failure is told after this long all the same."""


@dataclass(frozen=True)
class Ledger:
    """The writing side of one run's end."""

    job: Job
    arguments: Mapping[str, Any]
    settings: Settings

    def close(
        self, connection: psycopg.Connection[Any], admitted: Admitted, result: RunResult
    ) -> datetime | None:
        """Record how the run ended and give its leases back; when, by the database's clock.

        None where the run was closed by somebody else, because its lease had been lost.
        """
        identity, token = admitted.identity, admitted.tokens[0]
        finished_at = runs.finish_run(
            connection, identity.run_id, token, result, retry_safe=self.job.retry_safe
        )
        if finished_at is None:
            return runs.finished_as(connection, identity.run_id, token, result.outcome)
        if result.exit_code == ExitCode.INTERRUPTED:
            pass  # whoever pressed Ctrl-C knows
        elif result.outcome.is_failure:
            again = ExitCode.of(result.exit_code).retried_by_pod(
                retry_safe=self.job.retry_safe
            ) and has_tries_left(self.settings.pod.backoff_limit, admitted.opened.starts)
            report = self.report_of(
                identity,
                result,
                started_at=admitted.opened.started_at,
                finished_at=finished_at,
                last_success_at=run_history.last_success(
                    connection, self.job.name, identity.schedule
                ),
            )
            from cronops.contract.alerts import outbox

            outbox.write_failure(connection, report, available_in=HELD_BACK if again else None)
        else:
            self._tell_recovery(connection, identity, finished_at)
        lock.release_all(connection, token)
        return finished_at

    def _tell_recovery(
        self, connection: psycopg.Connection[Any], identity: Identity, finished_at: datetime
    ) -> None:
        key = dedup_key(self.settings.environment, identity.schedule, self.job.name)
        if is_anything_told(connection, key):
            from cronops.contract.alerts import outbox

            outbox.write_recovery(connection, key, run_id=identity.run_id, finished_at=finished_at)

    def note_unopened(self, connection: psycopg.Connection[Any], refused: Refused) -> None:
        """Record a run that never began; a schedule skipped time and again is told."""
        identity, result = refused.identity, refused.result
        runs.record_unopened(
            connection,
            self.job,
            identity,
            self.job.dump(self.arguments),
            refused.lock_key,
            result,
        )
        if result.outcome is not RunOutcome.FAILED and not refused.is_locked:
            return
        from cronops.contract.alerts import outbox

        if result.outcome is RunOutcome.FAILED:
            outbox.write_failure(connection, self.report_of(identity, result), available_in=None)
        elif refused.is_locked and identity.schedule is not None:
            skips = run_history.skips_in_a_row(connection, identity.schedule)
            if skips >= self.settings.alerts.repeated_skips:
                outbox.write_skipping(connection, self.report_of(identity, result), skips=skips)

    def report_of(
        self,
        identity: Identity,
        result: RunResult,
        *,
        started_at: datetime | None = None,
        finished_at: datetime | None = None,
        last_success_at: datetime | None = None,
    ) -> "RunReport":
        """The run as alerts tell it."""
        from cronops.contract.alerts.report import RunReport

        return RunReport(
            job=self.job.name,
            cr=self.job.cr_for(self.arguments),
            environment=self.settings.environment,
            run_id=identity.run_id,
            correlation_id=identity.correlation_id,
            outcome=result.outcome.value,
            reason=result.reason,
            exit_code=int(result.exit_code),
            holder=identity.holder,
            accountable=self.job.accountable,
            responsible=self.job.responsible,
            schedule=identity.schedule,
            scheduled_at=identity.scheduled_at,
            started_at=started_at,
            finished_at=finished_at,
            last_success_at=last_success_at,
            summary=self.job.summary,
            impact=self.job.impact,
        )


def has_tries_left(backoff_limit: int | None, starts: int) -> bool:
    """Whether Kubernetes will start another pod for this run; by hand there is never one."""
    return backoff_limit is not None and starts <= backoff_limit

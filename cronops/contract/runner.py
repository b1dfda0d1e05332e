"""One run of one job: the whole operating contract, in its order."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from signal import Signals
from typing import Any

import psycopg

from cronops.config import Settings
from cronops.contract.admission import Admitted, Refused, admit
from cronops.contract.alerts.pending import is_anything_due
from cronops.contract.channel import now
from cronops.contract.identity import Identity, RunOptions, identify
from cronops.contract.job import Job
from cronops.contract.lease_keeper import LeaseKeeper
from cronops.contract.ledger import Ledger
from cronops.contract.link import Link
from cronops.contract.result import RunOutcome, RunResult
from cronops.contract.supervisor import Supervisor
from cronops.contract.sweep import close_dead_runs
from cronops.contract.telling import Ended, tell
from cronops.contract.units import UnitSupervisor, WorkerDeath
from cronops.contract.wiring import Wiring
from cronops.contract.worker import Go
from cronops.db.connect import check_schema, connect, first_line
from cronops.db.embedded import postmaster_pid
from cronops.errors import CronopsError, ExitCode, LeaseLost
from cronops.owners import check_owners
from cronops.telemetry import bind_run, configure_logging, get_logger, redact

# Told to whoever called; nobody else has to act.
_CALLERS_FAULT = (ExitCode.USAGE, ExitCode.USAGE_SENSE, ExitCode.INTERRUPTED)


def execute(
    job: Job,
    arguments: Mapping[str, Any],
    options: RunOptions,
    settings: Settings,
    wiring: Wiring,
) -> int:
    """Run `job` once under the contract; the exit code for the process.

    Must be called from the main thread of a process that has neither connections nor threads.
    Raises `UsageError` or `ConfigurationError` where the call itself makes no sense.
    """
    configure_logging(settings)
    check_owners((*job.accountable, job.responsible), of=job.name, configured=settings.owners)
    identity = identify(job.name, job.dump(arguments), options, settings)
    run = _Run(job, arguments, options, settings, wiring, identity)
    try:
        run.open_database()
        run.sweep()
        admission = run.admit()
        result = run.work(admission) if isinstance(admission, Admitted) else admission.result
    except (CronopsError, psycopg.Error) as error:
        result = run.give_up(error)
    result = run.record(result)
    run.report(result)
    return int(result.exit_code)


class _Run:
    """The steps of `execute`, and what they share."""

    def __init__(
        self,
        job: Job,
        arguments: Mapping[str, Any],
        options: RunOptions,
        settings: Settings,
        wiring: Wiring,
        identity: Identity,
    ) -> None:
        self._job = job
        self._arguments = arguments
        self._options = options
        self._settings = settings
        self._identity = identity
        self._supervisor = Supervisor(job, arguments, settings, wiring)
        self._began = time.monotonic()
        self._link = Link(settings)
        self._ledger = Ledger(job, arguments, settings)
        self._log = self._bound_log()
        self._admission: Admitted | Refused | None = None
        self._finished_at: datetime | None = None
        self._recorded = False
        self._units_made: UnitSupervisor | None = None

    def _bound_log(self) -> Any:
        return bind_run(
            get_logger(),
            job=self._job.name,
            cr=self._job.cr_for(self._arguments),
            run_id=self._identity.run_id,
            correlation_id=self._identity.correlation_id,
            schedule=self._identity.schedule,
            scheduled_at=self._identity.scheduled_at,
        )

    def open_database(self) -> None:
        """Connect, and refuse to work on tables of another version."""
        check_schema(self._link.connection(), self._settings)

    def sweep(self) -> None:
        """Close runs that died without a word: after the loss of a whole pod nobody else would."""
        run_id = self._identity.run_id
        try:
            closed = self._link.transact(
                lambda connection: close_dead_runs(connection, self._settings, except_run=run_id)
            )
        except psycopg.Error as error:
            # Another run's business: it must not keep this one from its own.
            self._log.warning("could not close dead runs", error=redact(first_line(error)))
            return
        if closed:
            self._log.warning("closed runs that had died", count=len(closed))

    def admit(self) -> Admitted | Refused:
        """Switch, lock, slot and record; a run that is not admitted lets its workers go."""
        self._admission = admission = admit(
            self._link.connection,
            self._job,
            self._arguments,
            self._identity,
            self._options,
            self._settings,
            stop_signal=lambda: self._supervisor.signals.stop_signal,
        )
        self._identity = admission.identity
        self._log = self._bound_log()
        if isinstance(admission, Refused):
            self._supervisor.dismiss()
        return admission

    def work(self, admitted: Admitted) -> RunResult:
        """Let the workers work, under deadline and lease."""
        identity, settings = self._identity, self._settings
        self._log.info("run started", lock=self._job.locks_for(self._arguments)[0].key)
        limit = self._job.deadline_for(self._arguments)
        units = self._units if self._job.units else None
        keeper = LeaseKeeper(
            settings,
            admitted.tokens,
            acquired_at=admitted.sure_since,
            units=units,
            log=self._log,
            wake=self._supervisor.signals.wake,
        )

        def settle_death(worker: int, death: WorkerDeath) -> None:
            connection = self._link.connection()
            self._units().worker_died(connection, admitted.tokens[0], worker, death)

        server = None if settings.database_url else postmaster_pid(settings.data_dir)
        keeper.start()
        try:
            result = self._supervisor.run(
                Go(
                    run_id=identity.run_id,
                    correlation_id=identity.correlation_id,
                    schedule=identity.schedule,
                    scheduled_at=identity.scheduled_at.isoformat()
                    if identity.scheduled_at
                    else None,
                    tokens=admitted.tokens,
                    holder=identity.holder,
                    arguments=self._job.dump(self._arguments),
                ),
                keeper,
                deadline=now() + limit.total_seconds() if limit else None,
                settle_death=settle_death if units else None,
                spare=(server,) if server else (),
                log=self._log,
            )
        finally:
            keeper.stop()
        return result.with_more(self._units_made.counts) if self._units_made else result

    def _units(self) -> UnitSupervisor:
        # Made when first needed: most runs are over before the first heartbeat.
        if self._units_made is None:
            assert self._job.units is not None  # noqa: S101 - only called for jobs with units
            self._units_made = self._job.units(self._arguments, self._settings)
        return self._units_made

    def give_up(self, error: Exception) -> RunResult:
        """What kept the run from beginning at all."""
        self._supervisor.dismiss()
        if isinstance(error, CronopsError):
            code, reason = error.exit_code, str(error)
        else:
            # A grant that is missing will be missing next time, too.
            is_lasting = isinstance(error, psycopg.errors.InsufficientPrivilege)
            code = ExitCode.CONFIGURATION if is_lasting else ExitCode.TEMPORARY
            reason = f"{type(error).__name__}: {first_line(error)}"
        number = self._supervisor.signals.stop_signal
        if number is not None:
            name = Signals(number).name
            return RunResult.stopped(number, redact(f"told to stop by {name}, and: {reason}"))
        return RunResult(RunOutcome.FAILED, code, redact(reason))

    def record(self, result: RunResult) -> RunResult:
        """Store the outcome with its alerts, again and again for the grace if need be.

        Good work whose outcome cannot be stored must not be told as done where doing it once
        more is safe: another run would be refused its slot, or nobody would know.
        """
        admission = self._admission
        if admission is None:
            return result
        try:
            grace = self._settings.supervisor.grace.total_seconds()
            if isinstance(admission, Refused):
                self._link.transact_within(
                    lambda connection: self._ledger.note_unopened(connection, admission), grace
                )
            else:
                self._finished_at = self._link.transact_within(
                    lambda connection: self._ledger.close(connection, admission, result), grace
                )
                if self._finished_at is None:
                    raise LeaseLost("the run was closed by somebody else: its lease had been lost")
            self._recorded = True
        except (CronopsError, psycopg.Error) as error:
            self._log.error("the outcome could not be stored", error=redact(str(error)))
            if result.outcome is RunOutcome.SUCCEEDED and self._job.retry_safe:
                reason = redact(f"the work was done, but not its record: {error}")
                return RunResult(
                    RunOutcome.FAILED,
                    ExitCode.TEMPORARY,
                    reason,
                    attempts=result.attempts,
                    counts=result.counts,
                    warnings=result.warnings,
                )
        return result

    def report(self, result: RunResult) -> None:
        """Tell everybody: the log, the terminal, Kubernetes, the metrics, the owners."""
        tell(
            Ended(
                self._job,
                self._identity,
                result,
                self._duration(),
                self._finished_at or datetime.now(UTC),
                self._recorded,
            ),
            self._settings,
            self._log,
        )
        try:
            self._deliver_alerts(result)
        except (CronopsError, psycopg.Error) as error:
            # What is in the outbox is delivered by a later run; the work counts as it is.
            self._log.warning("alerts not delivered", error=redact(first_line(error)))
        self._link.close()

    def _duration(self) -> timedelta:
        if isinstance(self._admission, Admitted) and self._finished_at is not None:
            return self._finished_at - self._admission.opened.started_at
        return timedelta(seconds=time.monotonic() - self._began)

    def _deliver_alerts(self, result: RunResult) -> None:
        # After SIGTERM the time belongs to ending in order; a later run delivers.
        within = self._settings.alerts.delivery_timeout
        if self._supervisor.signals.stop_signal is not None:
            return
        if self._recorded:
            if not is_anything_due(self._link.connection()):
                return
            from cronops.contract.alerts import deliver

            deliver.deliver_due(
                self._settings,
                lambda: connect(self._settings, "alerts", statement_timeout=within),
                self._log,
                within,
            )
        elif result.outcome.is_failure and result.exit_code not in _CALLERS_FAULT:
            from cronops.contract.alerts import deliver

            report = self._ledger.report_of(self._identity, result)
            deliver.deliver_directly(self._settings, report, self._log, within)


__all__ = ["RunOptions", "execute"]

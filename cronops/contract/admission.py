"""Everything between "may this run start?" and "it has started": the switch, lock, slot, record."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import psycopg

from cronops.config import Settings
from cronops.contract import lock, runs, slot
from cronops.contract.channel import now
from cronops.contract.identity import Identity, RunOptions, scheduled_time_of
from cronops.contract.job import Job, Wait
from cronops.contract.result import RunOutcome, RunResult
from cronops.contract.switch import held_back
from cronops.db.connect import is_connection_lost
from cronops.durations import format_duration
from cronops.errors import ExitCode, NeedsAPerson

_POLL = 0.25
_MOST_FAILURES = 5


@dataclass(frozen=True)
class Admitted:
    """The run has begun: its leases are held, its slot and record are written."""

    identity: Identity
    tokens: tuple[int, ...]
    opened: runs.Opened
    sure_since: float
    """When the leases were asked for, on the clock of `channel.now`."""


@dataclass(frozen=True)
class Refused:
    """The run does not begin."""

    identity: Identity
    lock_key: str
    result: RunResult
    is_locked: bool = False


def admit(
    connect: Callable[[], psycopg.Connection[Any]],
    job: Job,
    arguments: Mapping[str, Any],
    identity: Identity,
    options: RunOptions,
    settings: Settings,
    *,
    stop_signal: Callable[[], int | None],
) -> Admitted | Refused:
    """Admit the run, or say why not.

    `connect` gives the connection, made anew where it was cut while the run waited for its lock.
    Raises `UsageError` for a run id that belongs to other work.
    """
    connection = connect()
    database_now = _database_clock(connection)
    if identity.scheduled_at is None:
        job_name = options.run_id or settings.run_id
        cronjob = settings.pod.cronjob or identity.schedule
        decoded = scheduled_time_of(job_name, cronjob, database_now)
        identity = replace(identity, scheduled_at=decoded)
    wanted = job.locks_for(arguments)
    key = wanted[0].key

    def refused(result: RunResult, *, is_locked: bool = False) -> Refused:
        return Refused(identity, key, result, is_locked)

    reason = held_back(
        connection,
        job.name,
        settings,
        now=database_now,
        honours_clean_window=job.honours_clean_window,
    )
    if reason is not None:
        return refused(RunResult.skipped(reason))

    patience = job.when_locked.longest if isinstance(job.when_locked, Wait) else timedelta(0)
    if options.wait is not None:
        patience = options.wait
    give_up = time.monotonic() + patience.total_seconds()
    failures = 0
    while True:
        # Asked before each attempt: work that is to be stopped at once must not begin.
        if (number := stop_signal()) is not None:
            return refused(RunResult.stopped(number, "told to stop before its work began"))
        asked = now()
        try:
            connection = connect()
            attempt = _try(connection, job, arguments, identity, settings, asked)
        except psycopg.Error as error:
            # An answer may have been lost after the commit: then the lease is this run's own,
            # and falls to it as a dead forerunner's would.
            failures += 1
            if failures > _MOST_FAILURES or not _passes(error, connection):
                raise
            time.sleep(_POLL)
            continue
        if isinstance(attempt, Admitted):
            return attempt
        if isinstance(attempt, RunResult):
            return refused(attempt)
        # The same run: a pod that died and was started again. It never skips, for a skip ends
        # the Job with the work undone; the dead one's lease falls to it shortly.
        if attempt.run_id != identity.run_id and time.monotonic() >= give_up:
            return refused(_locked(connection, job, identity, options, attempt), is_locked=True)
        time.sleep(_POLL)


def _try(
    connection: psycopg.Connection[Any],
    job: Job,
    arguments: Mapping[str, Any],
    identity: Identity,
    settings: Settings,
    asked: float,
) -> Admitted | RunResult | lock.Busy:
    """One attempt, whole or not at all: lock, then slot and record in the same transaction."""
    claimant = lock.Claimant(identity.run_id, job.name, identity.holder, settings.lock.ttl)
    answer: Admitted | RunResult | lock.Busy
    with connection.transaction():
        held: list[lock.Held] = []
        for wanted in job.locks_for(arguments):
            owner = held[0].token if held else None
            got = lock.acquire(connection, wanted, replace(claimant, owner_token=owner))
            if isinstance(got, lock.Busy):
                answer = got
                raise psycopg.Rollback
            held.append(got)
        earlier = runs.earlier_start(connection, job, identity)
        if earlier is not None and earlier.outcome is RunOutcome.SUCCEEDED:
            answer = _done_already(identity)
            raise psycopg.Rollback
        if identity.scheduled_at is not None:
            try:
                taken = slot.take(
                    connection,
                    job.name,
                    identity,
                    identity.scheduled_at,
                    held[0].token,
                    retry_safe=job.retry_safe,
                )
            except NeedsAPerson as error:
                answer = RunResult(RunOutcome.FAILED, error.exit_code, str(error))
                raise psycopg.Rollback from None
            if taken is not None:
                answer = RunResult.skipped(taken)
                raise psycopg.Rollback
        opened = runs.open_run(
            connection,
            job,
            identity,
            job.dump(arguments),
            held[0],
            backoff_limit=settings.pod.backoff_limit,
        )
        if opened.starts > 1:
            from cronops.contract.alerts import outbox

            outbox.cancel_pending(connection, identity.run_id)
        answer = Admitted(identity, tuple(one.token for one in held), opened, asked)
    return answer


def _passes(error: psycopg.Error, connection: psycopg.Connection[Any]) -> bool:
    """Whether the next attempt may get through: a cut connection, or a sweep in the way."""
    return isinstance(error, psycopg.errors.DeadlockDetected) or is_connection_lost(
        error, connection
    )


def _locked(
    connection: psycopg.Connection[Any],
    job: Job,
    identity: Identity,
    options: RunOptions,
    busy: lock.Busy,
) -> RunResult:
    """What a held lock means for this run; names the holder and how long it has held it."""
    reason = (
        f"locked by run {busy.run_id} of {busy.job} on {busy.holder} "
        f"for {format_duration(busy.age)} (last sign of life {format_duration(busy.silent)} ago; "
        f"lock {busy.key})"
    )
    earlier = runs.earlier_start(connection, job, identity)
    if earlier is not None and earlier.outcome is RunOutcome.SUCCEEDED:
        return _done_already(identity)
    if options.fail_if_locked:
        return RunResult(RunOutcome.SKIPPED, ExitCode.TEMPORARY, reason)
    if earlier is not None:
        # Exit 0 would tell Kubernetes that what an earlier start left undone is done.
        return RunResult(RunOutcome.SKIPPED, ExitCode.TEMPORARY, f"{reason}; to be tried again")
    return RunResult.skipped(reason)


def _done_already(identity: Identity) -> RunResult:
    return RunResult.skipped(f"run {identity.run_id} has already succeeded")


def _database_clock(connection: psycopg.Connection[Any]) -> datetime:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None  # noqa: S101 - SELECT of one row
    at: datetime = row[0]
    return at

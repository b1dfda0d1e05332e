"""The worker process: waits for the word to go, runs the job, reports what came of it."""

import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import import_module
from typing import Any, NoReturn

import psycopg

from cronops.config import Settings
from cronops.contract.channel import Ends, Receiver, SharedPage, send
from cronops.contract.context import JobContext, RunFacts
from cronops.contract.job import Job, Outcome
from cronops.contract.lock import fence
from cronops.contract.process import die_with
from cronops.contract.retry import call_with_retry
from cronops.contract.stop import StopRequest
from cronops.contract.wiring import Wiring
from cronops.db.connect import first_line, is_connection_lost
from cronops.errors import (
    CronopsError,
    DatabaseUnavailable,
    ExitCode,
    Interrupted,
    LeaseLost,
    TransientError,
)
from cronops.telemetry import bind_run, get_logger, redact

_LONGEST_REASON = 2000
_MOST_WARNINGS = 50


def run_worker(
    job: Job,
    settings: Settings,
    wiring: Wiring,
    *,
    ends: Ends,
    page: SharedPage,
    parent: int,
    worker: int,
    arguments: Mapping[str, Any] | None = None,
) -> NoReturn:
    """Everything a worker process does; never returns into the code it was forked from.

    A forked worker has the `arguments`; a replacement is sent them with the word to go.
    """
    code, me = 1, os.getpid()
    try:
        die_with(parent)
        stop = StopRequest()
        _reset_signals(stop)
        for name in job.preload:
            import_module(name)
        # What the imports made stays: looking at it again and again cost a sixth of a worker.
        gc.freeze()
        order = Receiver(ends.read).wait_one()
        if order is not None and "go" in order:
            facts = _facts(order["go"], job, arguments)
            ctx = JobContext(
                job,
                facts,
                settings,
                wiring,
                page=page,
                stop=stop,
                log=_logger(job, facts),
                worker=worker,
                show_progress=_progress_display(job.name) if worker == 0 else None,
            )
            report = _work(ctx)
            # A job may fork, and the copy come back here: it has not done the work.
            if os.getpid() == me:
                send(ends.write, report)
        code = 0
    except BaseException:
        sys.stderr.write(redact(traceback.format_exc()))
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                continue
        # Not sys.exit: the parent's atexit handlers and buffers are not ours.
        os._exit(code)


def _work(ctx: JobContext) -> dict[str, Any]:
    """Run all attempts; the report for the supervisor."""
    job = ctx.job

    def attempt(number: int) -> Outcome:
        ctx.begin_attempt(number)
        try:
            outcome = job.function(ctx, **ctx.arguments)
        except Exception as error:
            is_known = isinstance(error, (CronopsError, job.retry.on))
            if is_known or not _means_connection_lost(error):
                raise
            raise _why_connection_lost(ctx, error) from error
        if outcome is None:
            outcome = Outcome()
        if not isinstance(outcome, Outcome):
            raise CronopsError(
                f"job {job.name!r} returned {type(outcome).__name__}; return an Outcome or nothing"
            )
        if ctx.was_told_to_stop and not job.drains:
            raise Interrupted("left off because it was told to stop; the rest is still to do")
        return outcome

    def on_retry(number: int, error: BaseException, wait: float) -> None:
        ctx.log.warning(
            "attempt failed, trying again",
            error=redact(_describe(error)),
            wait_seconds=round(wait, 3),
            next_attempt=number + 1,
        )

    try:
        outcome = call_with_retry(job.retry, attempt, pause=ctx.pause, on_retry=on_retry)
    except BaseException as error:
        return _failure(ctx, error)
    finally:
        ctx.end_unit()
        ctx.close()
    counts = {**ctx.counts, **outcome.counts}
    return {
        "succeeded": {
            "attempts": ctx.attempt,
            "counts": counts,
            "warnings": [
                redact(str(text))[:_LONGEST_REASON] for text in outcome.warnings[:_MOST_WARNINGS]
            ],
        }
    }


def _failure(ctx: JobContext, error: BaseException) -> dict[str, Any]:
    if ctx.was_told_to_stop and not isinstance(error, Interrupted):
        ctx.log.info("stopped while at work", error=redact(_describe(error)))
    expected = isinstance(error, CronopsError)
    ctx.log.error(
        "attempt failed",
        error=redact(_describe(error)),
        **({} if expected else {"traceback": redact(_trace(error))}),
    )
    return {
        "failed": {
            "attempts": ctx.attempt,
            "counts": ctx.counts,
            "reason": redact(_describe(error))[:_LONGEST_REASON],
            "exit_code": int(exit_code_of(error, ctx.job)),
            "interrupted": isinstance(error, Interrupted),
        }
    }


def exit_code_of(error: BaseException, job: Job) -> ExitCode:
    """The exit code for a run that ended with `error`.

    An error the job retries itself is not handed to Kubernetes to be retried once more.
    """
    if isinstance(error, CronopsError):
        owned_here = (
            job.retry.attempts > 1
            and isinstance(error, job.retry.on)
            and not isinstance(error, LeaseLost)
        )
        return ExitCode.FAILED if owned_here else error.exit_code
    return ExitCode.FAILED


def _means_connection_lost(error: Exception) -> bool:
    # SQLAlchemy wraps the driver's error; asking for the wrapper would mean importing it.
    original = getattr(error, "orig", None)
    return is_connection_lost(original if isinstance(original, Exception) else error)


def _why_connection_lost(ctx: JobContext, error: Exception) -> TransientError:
    """A takeover ends the sessions of the run that was late: that one must not try again."""
    try:
        with ctx.connect("lease check") as connection:
            fence(connection, ctx.tokens)
    except LeaseLost as lost:
        return lost
    except (CronopsError, psycopg.Error):
        pass
    return DatabaseUnavailable(f"the connection to the database was lost: {first_line(error)}")


def _describe(error: BaseException) -> str:
    if isinstance(error, CronopsError):
        return str(error) or type(error).__name__
    if isinstance(error, SystemExit):
        return f"the job called sys.exit({error.code!r}) instead of returning an Outcome"
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error, limit=-12))


def _facts(order: Mapping[str, Any], job: Job, arguments: Mapping[str, Any] | None) -> RunFacts:
    scheduled_at = order["scheduled_at"]
    return RunFacts(
        run_id=order["run_id"],
        correlation_id=order["correlation_id"],
        schedule=order["schedule"],
        scheduled_at=datetime.fromisoformat(scheduled_at) if scheduled_at else None,
        tokens=tuple(order["tokens"]),
        holder=order["holder"],
        arguments=job.restore(order["arguments"]) if arguments is None else arguments,
    )


def _logger(job: Job, facts: RunFacts) -> Any:
    return bind_run(
        get_logger(),
        job=job.name,
        cr=job.cr_for(facts.arguments),
        run_id=facts.run_id,
        correlation_id=facts.correlation_id,
        schedule=facts.schedule,
        scheduled_at=facts.scheduled_at,
        attempt=1,
    )


def _reset_signals(stop: StopRequest) -> None:
    """The supervisor alone decides: it hears Ctrl-C and passes SIGTERM on."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, stop.handle)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _progress_display(title: str) -> Callable[[int, int | None], None] | None:
    if not sys.stderr.isatty():
        return None
    from cronops.telemetry.progress import ProgressBar

    return ProgressBar(title).show

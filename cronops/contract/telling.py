"""A run is over: tell the log, the terminal, Kubernetes and the metrics."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cronops.config import Settings
from cronops.contract.identity import Identity
from cronops.contract.job import Job
from cronops.contract.receipt import show_result, summary_line, write_receipt
from cronops.contract.result import RunOutcome, RunResult


@dataclass(frozen=True)
class Ended:
    """A run that is over."""

    job: Job
    identity: Identity
    result: RunResult
    duration: timedelta
    finished_at: datetime
    recorded: bool
    """Whether the database took the outcome."""


def tell(ended: Ended, settings: Settings, log: Any) -> None:
    """Tell everybody but the owners, whose alerts are delivered from the outbox. Never raises."""
    result = ended.result
    say = log.error if result.outcome.is_failure else log.info
    say(
        f"run {result.outcome.value}",
        reason=result.reason,
        exit_code=int(result.exit_code),
        signal=result.signal,
        duration_seconds=round(ended.duration.total_seconds(), 3),
        counts=dict(result.counts),
        warnings=list(result.warnings),
        recorded=ended.recorded,
    )
    show_result(summary_line(ended.job, result, ended.duration, recorded=ended.recorded))
    write_receipt(settings, ended.job, ended.identity, result, recorded=ended.recorded, log=log)
    _report_metrics(ended, settings, log)


def _report_metrics(ended: Ended, settings: Settings, log: Any) -> None:
    if settings.pushgateway_url is None and settings.metrics_textfile is None:
        return
    from cronops.contract import metrics

    result = ended.result
    metrics.report(
        settings,
        job=ended.job.name,
        cr=ended.job.cr,
        schedule=ended.identity.schedule,
        environment=settings.environment,
        succeeded=result.outcome is RunOutcome.SUCCEEDED,
        skipped=result.outcome is RunOutcome.SKIPPED,
        duration_seconds=ended.duration.total_seconds(),
        exit_code=int(result.exit_code),
        counts=result.counts,
        finished_at=ended.finished_at,
        log=log,
    )

"""An alert: one thing that one owner is to be told; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from cronops.contract.alerts import texts
from cronops.contract.alerts.keys import dedup_key, handler_dedup_key
from cronops.contract.alerts.report import AlertText, Role, RunReport, roles_of
from cronops.telemetry.redact import redact

Kind = Literal["failed", "skipping", "crashed-messages", "test", "resolved"]
State = Literal["firing", "resolved"]

_SEVERITY: Mapping[Role, str] = {"runtime": "critical", "both": "critical", "domain": "warning"}


@dataclass(frozen=True, kw_only=True)
class Alert:
    """What one owner is to be told, and what it is told apart by.

    The labels are the same for everything under one deduplication key: an Alertmanager takes
    two alerts for one only where all labels agree, and a resolved one must meet its failure.
    """

    kind: Kind
    owner: str
    role: Role
    state: State
    severity: str
    dedup_key: str
    labels: Mapping[str, str]
    title: str
    body: str
    run_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class StoredAlert(Alert):
    """An alert in the outbox."""

    id: int
    created_at: datetime
    attempts: int
    delivered_channels: frozenset[str] = field(default_factory=frozenset)
    claimed_until: datetime | None = None


def failure_alerts(report: RunReport) -> list[Alert]:
    """The page to the runtime owner and the notices to the accountable ones."""
    return [
        _of_run(report, "failed", owner, role, texts.failure_text(report, role))
        for owner, role in roles_of(report.accountable, report.responsible).items()
    ]


def skipping_alerts(report: RunReport, skips: int) -> list[Alert]:
    """What the owners are told of a schedule that was skipped `skips` times in a row."""
    return [
        _of_run(report, "skipping", owner, role, texts.skipping_text(report, role, skips))
        for owner, role in roles_of(report.accountable, report.responsible).items()
    ]


def crashed_messages_alerts(
    environment: str,
    handler: str,
    owners: Iterable[str],
    *,
    message_id: int,
    error: str,
    run_id: str | None,
    impact: str,
) -> list[Alert]:
    """What a handler's owners are told of its first message in CRASH."""
    text = texts.crashed_messages_text(
        environment, handler, message_id=message_id, error=error, run_id=run_id, impact=impact
    )
    key = handler_dedup_key(environment, handler)
    labels = {"alertname": "CronopsMessagesCrashed", "environment": environment, "handler": handler}
    # Not tied to the run: another handler of the same owner may crash in it too.
    return [_alert("crashed-messages", owner, "both", key, labels, text) for owner in owners]


def trial_alerts(
    environment: str,
    *,
    job: str,
    cr: str,
    accountable: Iterable[str],
    responsible: str,
    actor: str,
) -> list[Alert]:
    """What every owner of `job` is sent to try the routes, under a key of its own."""
    labels = {"alertname": "CronopsTest", "environment": environment, "job": job, "cr": cr}
    key = dedup_key(environment, None, f"test:{job}")
    return [
        _alert(
            "test", owner, role, key, labels, texts.trial_text(environment, job, owner, role, actor)
        )
        for owner, role in roles_of(tuple(accountable), responsible).items()
    ]


def resolved_alert(firing: Alert, text: AlertText, *, run_id: str | None) -> Alert:
    """The end of `firing`, for the same owner, with the same labels."""
    return Alert(
        kind="resolved",
        owner=firing.owner,
        role=firing.role,
        state="resolved",
        severity=firing.severity,
        dedup_key=firing.dedup_key,
        labels=firing.labels,
        title=redact(text.title),
        body=redact(text.body),
        run_id=run_id,
    )


def _of_run(report: RunReport, kind: Kind, owner: str, role: Role, text: AlertText) -> Alert:
    labels = {
        # One name for failed and skipped runs: both end with the next success.
        "alertname": "CronopsJobFailing",
        "environment": report.environment,
        "schedule": report.schedule or "",
        "job": report.job,
        "cr": report.cr,
    }
    return _alert(kind, owner, role, report.dedup_key, labels, text, run_id=report.run_id)


def _alert(
    kind: Kind,
    owner: str,
    role: Role,
    dedup_key: str,
    labels: Mapping[str, Any],
    text: AlertText,
    *,
    run_id: str | None = None,
) -> Alert:
    severity = "info" if kind == "test" else _SEVERITY[role]
    return Alert(
        kind=kind,
        owner=owner,
        role=role,
        state="firing",
        severity=severity,
        dedup_key=dedup_key,
        labels={**labels, "owner": owner, "role": role, "severity": severity},
        title=redact(text.title),
        body=redact(text.body),
        run_id=run_id,
    )

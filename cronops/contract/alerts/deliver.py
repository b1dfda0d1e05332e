"""Brings alerts to people, within a bound, and never fails: a run's result does not hang on it.

Each sending is a daemon thread that is left behind when its time is up. So a target that did
take an alert, but said so too late, gets it again: delivery is at least once, under the same
deduplication key.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import psycopg

from cronops.config import Settings
from cronops.contract.alerts import claims, routes
from cronops.contract.alerts.alert import Alert, StoredAlert, failure_alerts
from cronops.contract.alerts.channels import AppriseChannel, Channel, import_apprise
from cronops.contract.alerts.report import RunReport
from cronops.contract.bounded import Bounded, run_bounded
from cronops.telemetry import Logger
from cronops.telemetry.redact import redact

Connect = Callable[[], psycopg.Connection[Any]]

LOG_CHANNEL = "log"
"""In ``delivered_channels``: nothing was configured, so the log was all there was."""

_BATCH = 10
# One silent target must not use up the time of all others.
_SHARE_OF_A_ROUND = 0.7
_LONGEST_ROUND_SECONDS = 10.0
# What the database may take beyond the sending itself.
_GRACE_SECONDS = 2.0


@dataclass(frozen=True)
class DeliveryResult:
    """How a delivery went, in alerts."""

    delivered: int = 0
    failed: int = 0
    """Tried, and not taken by everybody."""
    pending: int = 0
    """Still in the outbox afterwards, the failed ones included."""


@dataclass
class _Sending:
    """An alert on its way through its channels."""

    alert: Alert
    calls: dict[str, Bounded[None]] = field(default_factory=dict)
    reached: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class _Sender:
    """Sends alerts through their owners' channels, all at once, until a moment in time."""

    def __init__(self, settings: Settings, until: float) -> None:
        self._settings = settings
        self._until = until
        # Channels that did not answer in time are not asked again in this delivery.
        self._silent: set[str] = set()

    @property
    def has_time(self) -> bool:
        return time.monotonic() < self._until

    def send(self, alerts: Iterable[Alert]) -> list[_Sending]:
        sendings = [self._start(alert) for alert in alerts]
        now = time.monotonic()
        round_ends = now + min((self._until - now) * _SHARE_OF_A_ROUND, _LONGEST_ROUND_SECONDS)
        for sending in sendings:
            for name, call in sending.calls.items():
                call.wait(round_ends)
                if not call.is_over:
                    self._silent.add(name)
                    sending.errors.append(f"{name}: no answer within {round_ends - now:.1f} s")
                elif call.error is not None:
                    sending.errors.append(str(call.error) or type(call.error).__name__)
                else:
                    sending.reached.append(name)
        return sendings

    def _start(self, alert: Alert) -> _Sending:
        sending = _Sending(alert)
        if not routes.is_configured(self._settings):
            sending.reached.append(LOG_CHANNEL)
            return sending
        channels = routes.channels_for(self._settings, alert.owner)
        if not channels:
            sending.errors.append(routes.no_route(alert.owner))
        had = alert.delivered_channels if isinstance(alert, StoredAlert) else frozenset()
        for channel in channels:
            if channel.name in had:
                continue
            if channel.name in self._silent:
                sending.errors.append(f"{channel.name}: did not answer a moment ago")
            else:
                sending.calls[channel.name] = _start(channel, alert)
        return sending


def deliver_due(
    settings: Settings,
    connect: Connect,
    log: Logger,
    within: timedelta,
    *,
    eager: bool = False,
) -> DeliveryResult:
    """Deliver what is due in the outbox, this run's alerts and earlier ones alike.

    `connect` opens a connection in autocommit mode, which is closed again. `eager` also tries
    what waits after a failed delivery, as an operator who says "now" means it. Never raises,
    and takes no longer than `within` and two seconds.
    """
    tally = [DeliveryResult()]
    try:
        (flush,) = run_bounded(
            [lambda: _flush(settings, connect, log, within, eager, tally)],
            within.total_seconds() + _GRACE_SECONDS,
        )
        if not flush.is_over:
            log.warning("alerts not all delivered", error="out of time; they stay in the outbox")
        elif flush.error is not None:
            log.warning("alerts not all delivered", error=redact(str(flush.error)))
    except Exception as error:  # the run's result must not hang on its alerts
        log.warning("alerts not all delivered", error=redact(str(error)))
    return tally[0]


def deliver_directly(
    settings: Settings, report: RunReport, log: Logger, within: timedelta
) -> DeliveryResult:
    """Deliver a failed run's alerts without the outbox: for a database out of reach.

    Texts and deduplication key are the outbox's, so that the alert which a later sweep writes
    joins this one. Never raises.
    """
    result = DeliveryResult()
    try:
        alerts = failure_alerts(report)
        _import_heavy(settings, alerts)
        sender = _Sender(settings, time.monotonic() + within.total_seconds())
        for sending in sender.send(alerts):
            _log(log, sending)
            failed = bool(sending.errors)
            result = replace(
                result,
                delivered=result.delivered + (not failed),
                failed=result.failed + failed,
            )
    except Exception as error:  # the run's result must not hang on its alerts
        log.warning("alerts not all delivered", error=redact(str(error)))
    return result


def _flush(
    settings: Settings,
    connect: Connect,
    log: Logger,
    within: timedelta,
    eager: bool,
    tally: list[DeliveryResult],
) -> None:
    tried: set[int] = set()
    with connect() as connection:
        connection.autocommit = True
        sender = _Sender(settings, time.monotonic() + within.total_seconds())
        while sender.has_time:
            alerts = claims.claim_due(
                connection,
                _BATCH,
                eager=eager,
                claimed_for=claims.CLAIMED_FOR + within,
                but_not=tried,
            )
            if not alerts:
                break
            tried.update(alert.id for alert in alerts)
            _import_heavy(settings, alerts)
            for alert, sending in zip(alerts, sender.send(alerts), strict=True):
                _record(connection, alert, sending)
                _log(log, sending)
                tally[0] = replace(
                    tally[0],
                    delivered=tally[0].delivered + (not sending.errors),
                    failed=tally[0].failed + bool(sending.errors),
                )
        tally[0] = replace(tally[0], pending=claims.count_pending(connection))


def _record(connection: psycopg.Connection[Any], alert: StoredAlert, sending: _Sending) -> None:
    if sending.errors:
        claims.mark_failed(connection, alert, sending.reached, "; ".join(sending.errors))
    else:
        claims.mark_delivered(connection, alert, sending.reached)


def _log(log: Logger, sending: _Sending) -> None:
    alert = sending.alert
    about = {"owner": alert.owner, "kind": alert.kind, "title": alert.title}
    if sending.errors:
        log.warning("alert not delivered", **about, error=redact("; ".join(sending.errors)))
    elif LOG_CHANNEL in sending.reached:
        log.warning("alert, with no route to send it by", **about, body=alert.body)
    else:
        log.info("alert delivered", **about, channels=sending.reached)


def _start(channel: Channel, alert: Alert) -> Bounded[None]:
    return Bounded(lambda: channel.send(alert))


def _import_heavy(settings: Settings, alerts: Iterable[Alert]) -> None:
    # Here and not in the threads: they would wait for each other's half-done import.
    channels = [c for alert in alerts for c in routes.channels_for(settings, alert.owner)]
    if any(isinstance(channel, AppriseChannel) for channel in channels):
        import_apprise()

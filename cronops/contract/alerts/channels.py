"""The ways an alert takes: any service Apprise knows, and an Alertmanager.

A channel's name is what the outbox remembers of it: an alert that reached two of three is sent
to the third only. Apprise and httpx are imported when there is something to send.
"""

import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode

from cronops.contract.alerts.alert import Alert, StoredAlert
from cronops.telemetry.redact import redact

_HTTP_TIMEOUT_SECONDS = 8.0
# An Alertmanager takes an alert without an end for resolved after five minutes. A failure
# lasts until its run succeeds again, which for a monthly one may take a month.
_FIRES_FOR = timedelta(days=32)
_TEST_FIRES_FOR = timedelta(minutes=5)


class DeliveryError(Exception):
    """A channel did not take an alert; the text says why, free of secrets."""


class Channel(Protocol):
    """One way to somebody."""

    @property
    def name(self) -> str:
        """What is remembered in ``delivered_channels``; tells no secret."""

    def send(self, alert: Alert) -> None:
        """Deliver `alert`; raises `DeliveryError`. May hang: the caller bounds it."""


@dataclass(frozen=True)
class AppriseChannel:
    """One Apprise URL."""

    url: str

    @property
    def name(self) -> str:
        """``apprise:`` and a digest: the URL itself is a secret."""
        return f"apprise:{sha256(self.url.encode()).hexdigest()[:12]}"

    @property
    def scheme(self) -> str:
        """The service's kind, such as ``mailto``: all of the URL that may be shown."""
        return self.url.partition("://")[0]

    def send(self, alert: Alert) -> None:
        """Deliver through Apprise, which answers no more than yes or no: its log says why."""
        apprise = import_apprise()
        with _WarningsOfThisThread() as warnings:
            service = apprise.Apprise(asset=_asset(apprise))
            sent = service.add(with_dedup_key(self.url, alert.dedup_key)) and service.notify(
                title=alert.title,
                body=alert.body,
                notify_type=_notify_type(apprise, alert),
                body_format=apprise.NotifyFormat.TEXT,
            )
        if not sent:
            reason = "; ".join(warnings.texts) or "Apprise gave no reason"
            raise DeliveryError(f"{self.scheme}://…: {redact(reason)}")


@dataclass(frozen=True)
class AlertmanagerChannel:
    """An Alertmanager, by its API v2."""

    url: str
    name: str = "alertmanager"

    def send(self, alert: Alert) -> None:
        """Post the alert; an end in the past tells the Alertmanager that it is over."""
        import httpx

        try:
            response = httpx.post(
                f"{self.url.rstrip('/')}/api/v2/alerts",
                json=[alertmanager_alert(alert, datetime.now(UTC))],
                timeout=_HTTP_TIMEOUT_SECONDS,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise DeliveryError(f"Alertmanager: {redact(reason)}") from None
        if not response.is_success:
            answer = redact(response.text.strip())[:200]
            raise DeliveryError(
                f"Alertmanager answered {response.status_code}: {answer}".rstrip(": ")
            )


def alertmanager_alert(alert: Alert, now: datetime) -> dict[str, Any]:
    """The alert as the Alertmanager's API v2 takes it."""
    at = alert.created_at if isinstance(alert, StoredAlert) else now
    annotations = {
        "summary": alert.title,
        "description": alert.body,
        "kind": alert.kind,
        "run_id": alert.run_id,
        "dedup_key": alert.dedup_key,
    }
    if alert.state == "resolved":
        times = {"endsAt": at.isoformat()}
    else:
        lasts = _TEST_FIRES_FOR if alert.kind == "test" else _FIRES_FOR
        times = {"startsAt": at.isoformat(), "endsAt": (at + lasts).isoformat()}
    return {
        # To an Alertmanager an empty label is none.
        "labels": {name: value for name, value in alert.labels.items() if value},
        "annotations": {name: value for name, value in annotations.items() if value},
        **times,
    }


def with_dedup_key(url: str, dedup_key: str) -> str:
    """A PagerDuty URL that names the incident and resolves it on success; others as they are."""
    if not url.lower().startswith("pagerduty://"):
        return url
    location, _, query = url.partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    return (
        f"{location}?{urlencode({'action': 'map', 'dedup': dedup_key, **given}, quote_via=quote)}"
    )


def import_apprise() -> Any:
    """The apprise module, its log lines kept from the root logger: they become our errors."""
    import apprise

    logger = logging.getLogger("apprise")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return apprise


def _asset(apprise: Any) -> Any:
    # Without a time limit of its own Apprise works in the calling thread. With one it uses a
    # pool, whose threads Python waits for at exit however long a target hangs.
    return apprise.AppriseAsset(
        app_id="cronops", app_desc="cronops", async_mode=False, service_timeout=0
    )


def _notify_type(apprise: Any, alert: Alert) -> Any:
    if alert.state == "resolved":
        return apprise.NotifyType.SUCCESS
    by_severity = {
        "critical": apprise.NotifyType.FAILURE,
        "warning": apprise.NotifyType.WARNING,
    }
    return by_severity.get(alert.severity, apprise.NotifyType.INFO)


class _WarningsOfThisThread(logging.Handler):
    """Collects what Apprise warns of while this thread uses it; other threads use it too."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []
        self._thread_id = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread_id:
            self.texts.append(record.getMessage().strip())

    def __enter__(self) -> "_WarningsOfThisThread":
        logging.getLogger("apprise").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self)

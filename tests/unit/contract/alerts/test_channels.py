from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from cronops.contract.alerts.alert import Alert, StoredAlert, resolved_alert
from cronops.contract.alerts.channels import AppriseChannel, alertmanager_alert, with_dedup_key
from cronops.contract.alerts.report import AlertText

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
FIRING = Alert(
    kind="failed",
    owner="Shared Ops",
    role="runtime",
    state="firing",
    severity="critical",
    dedup_key="test:stock-export",
    labels={"alertname": "CronopsJobFailing", "schedule": ""},
    title="it failed",
    body="why",
    run_id="r1",
)


def test_a_firing_alert_outlasts_the_alertmanagers_five_minutes():
    made = alertmanager_alert(FIRING, NOW)
    assert datetime.fromisoformat(made["startsAt"]) == NOW
    assert datetime.fromisoformat(made["endsAt"]) - NOW >= timedelta(days=31)
    assert made["annotations"]["summary"] == "it failed"
    assert made["annotations"]["run_id"] == "r1"


def test_empty_labels_are_left_out():
    assert alertmanager_alert(FIRING, NOW)["labels"] == {"alertname": "CronopsJobFailing"}


def test_a_resolved_alert_has_its_failures_labels_and_an_end():
    resolved = resolved_alert(FIRING, AlertText("over", "it is over"), run_id="r2")
    made = alertmanager_alert(resolved, NOW)
    assert made["labels"] == alertmanager_alert(FIRING, NOW)["labels"]
    assert datetime.fromisoformat(made["endsAt"]) == NOW
    assert "startsAt" not in made


def test_a_stored_alerts_time_is_when_it_was_written():
    written = NOW - timedelta(hours=3)
    stored = StoredAlert(**vars(FIRING), id=1, created_at=written, attempts=1)
    assert datetime.fromisoformat(alertmanager_alert(stored, NOW)["startsAt"]) == written


def test_a_test_alert_ends_by_itself():
    made = alertmanager_alert(replace(FIRING, kind="test"), NOW)
    assert datetime.fromisoformat(made["endsAt"]) - NOW <= timedelta(minutes=5)


def test_a_pagerduty_incident_is_named_by_the_dedup_key_and_resolved_on_success():
    made = with_dedup_key("pagerduty://key@api?region=eu", "test:stock export")
    assert parse_qs(urlsplit(made).query) == {
        "action": ["map"],
        "dedup": ["test:stock export"],
        "region": ["eu"],
    }


def test_what_a_pagerduty_url_says_itself_counts():
    made = with_dedup_key("pagerduty://key@api?action=trigger&dedup=mine", "key")
    assert parse_qs(urlsplit(made).query) == {"action": ["trigger"], "dedup": ["mine"]}


@pytest.mark.parametrize("url", ["mailto://u:p@example.org?to=x", "slack://a/b/c"])
def test_other_urls_stay_as_they_are(url):
    assert with_dedup_key(url, "key") == url


def test_a_channels_name_tells_no_secret_and_tells_urls_apart():
    one, other = AppriseChannel("slack://tokenA/b/c"), AppriseChannel("slack://tokenB/b/c")
    assert one.name != other.name
    assert one.name == AppriseChannel("slack://tokenA/b/c").name
    assert "token" not in one.name

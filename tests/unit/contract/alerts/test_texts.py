from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cronops.contract.alerts import texts
from cronops.contract.alerts.alert import failure_alerts, skipping_alerts, trial_alerts
from cronops.contract.alerts.report import RunReport, roles_of
from cronops.errors import ExitCode

REPORT = RunReport(
    job="stock export",
    cr="CR-002",
    environment="production",
    run_id="stock-export-29400000",
    correlation_id="c-1",
    outcome="failed",
    reason="FTP answered 530",
    exit_code=1,
    holder="node-1/pod-7",
    accountable=("Platform Export",),
    responsible="Shared Ops",
    schedule="stock-export",
    scheduled_at=datetime(2026, 11, 23, 4, tzinfo=UTC),
    started_at=datetime(2026, 11, 23, 4, 0, 1, tzinfo=UTC),
    finished_at=datetime(2026, 11, 23, 4, 1, 3, tzinfo=UTC),
    last_success_at=datetime(2026, 11, 23, 3, 1, 3, tzinfo=UTC),
    summary="Export stock levels and prices to the sales platforms.",
    impact="the platforms show yesterday's prices.",
)


def test_the_page_says_what_happened_where_and_what_to_type_next():
    page = texts.failure_text(REPORT, "runtime")
    assert page.title == "[production] stock-export: failed"
    for fact in (
        "FTP answered 530",
        "node-1/pod-7",
        "CR-002",
        "cronops runs show stock-export-29400000",
        "2026-11-23 04:00:00 UTC",
        "1m 2s",
        "Last success: 2026-11-23 03:01:03 UTC (1h before)",
        "c-1",
    ):
        assert fact in page.body


def test_the_notice_speaks_of_the_domain_and_not_of_machines():
    notice = texts.failure_text(REPORT, "domain")
    assert "the platforms show yesterday's prices." in notice.body
    assert "What still stands" in notice.body
    assert "Shared Ops has been paged" in notice.body
    for machinery in ("node-1", "cronops runs", "exit", "Exit code", "FTP answered 530"):
        assert machinery not in notice.body


def test_a_notices_title_stays_short_enough_for_a_phone():
    assert "Export stock levels" in texts.failure_text(REPORT, "domain").title
    long = replace(REPORT, summary="Export everything, " * 10)
    assert (
        texts.failure_text(long, "domain").title == "[production] stock export: could not be done"
    )


def test_one_team_that_is_both_gets_both_texts_in_one():
    report = replace(REPORT, accountable=("Shared Ops", "Webshop"))
    alerts = failure_alerts(report)
    assert [(alert.owner, alert.role) for alert in alerts] == [
        ("Shared Ops", "both"),
        ("Webshop", "domain"),
    ]
    page = texts.failure_text(report, "runtime")
    notice = texts.failure_text(report, "domain")
    assert page.body in alerts[0].body
    assert notice.body in alerts[0].body
    assert alerts[1].body == notice.body


def test_every_accountable_owner_is_told_once():
    roles = roles_of(("Webshop Admin", "Stock Import", "Webshop Admin"), "Shared Ops")
    assert roles == {"Shared Ops": "runtime", "Webshop Admin": "domain", "Stock Import": "domain"}


@pytest.mark.parametrize("outcome", ["failed", "timed_out", "interrupted", "crashed"])
def test_each_outcome_has_words_of_its_own(outcome):
    others = {"failed", "timed_out", "interrupted", "crashed"} - {outcome}
    report = replace(REPORT, outcome=outcome)
    for role in ("runtime", "domain"):
        text = texts.failure_text(report, role)
        assert "_" not in text.title
    titles = {texts.failure_text(replace(REPORT, outcome=o), "runtime").title for o in others}
    assert texts.failure_text(report, "runtime").title not in titles


@pytest.mark.parametrize(
    ("code", "command"),
    [
        (ExitCode.CONFIGURATION, "cronops doctor"),
        (ExitCode.BAD_INPUT, "cronops jobs show 'stock export'"),
        (ExitCode.TIMED_OUT, "cronops locks list"),
        (ExitCode.TEMPORARY, "cronops doctor"),
        (ExitCode.FAILED, "cronops runs list --job 'stock export'"),
    ],
)
def test_the_next_command_fits_the_exit_code(code, command):
    assert command in texts.failure_text(replace(REPORT, exit_code=code), "runtime").body


def test_little_is_known_of_a_run_that_died():
    bare = RunReport(
        job="probe hang",
        cr="X-001",
        environment="test",
        run_id="r",
        correlation_id="c",
        outcome="crashed",
        reason=None,
        exit_code=None,
        holder="h",
        accountable=("Vehicle Data",),
        responsible="Shared Ops",
    )
    page = texts.failure_text(bare, "runtime")
    assert page.title == "[test] probe hang: crashed"
    assert "None" not in page.body
    assert "Last success: none on record" in page.body
    assert "None" not in texts.failure_text(bare, "domain").body


def test_a_long_error_is_cut():
    body = texts.failure_text(replace(REPORT, reason="x" * 100_000), "runtime").body
    assert len(body) < 4000


def test_the_dedup_key_is_the_schedules_or_the_jobs_never_the_runs():
    assert REPORT.dedup_key == "production:stock-export"
    assert replace(REPORT, schedule=None).dedup_key == "production:stock export"
    assert replace(REPORT, run_id="another").dedup_key == REPORT.dedup_key


def test_repeated_skips_point_to_the_holder_of_the_lock():
    page, notice = skipping_alerts(replace(REPORT, outcome="skipped"), 5)
    assert "skipped 5 times in a row" in page.title
    assert "cronops locks list" in page.body
    assert "cronops" not in notice.body
    assert page.labels["alertname"] == failure_alerts(REPORT)[0].labels["alertname"]


def test_a_crashed_message_names_the_way_back():
    text = texts.crashed_messages_text(
        "test", "orders.process", message_id=42, error="bad EAN", run_id="r", impact="order lost"
    )
    for fact in ("cronops queue retry 42", "bad EAN", "order lost", "cronops runs show r"):
        assert fact in text.body


def test_a_test_alert_says_that_it_is_one_and_meets_no_real_alert():
    alerts = trial_alerts(
        "test",
        job="stock export",
        cr="CR-002",
        accountable=("Platform Export",),
        responsible="Shared Ops",
        actor="ann",
    )
    assert [alert.owner for alert in alerts] == ["Shared Ops", "Platform Export"]
    for alert in alerts:
        assert "TEST" in alert.title
        assert "ann" in alert.body
        assert alert.severity == "info"
        assert alert.dedup_key != "test:stock export"


def test_secrets_are_masked_in_titles_and_bodies():
    report = replace(REPORT, reason="cannot open ftp://mak:hunter22@ftp.example/in")
    for alert in failure_alerts(report):
        assert "hunter22" not in alert.body

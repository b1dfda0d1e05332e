import json
import logging
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller

from cronops.contract.alerts import deliver, outbox
from cronops.contract.alerts.deliver import DeliveryResult, deliver_directly, deliver_due
from cronops.contract.alerts.report import RunReport
from tests.servers import DRIP, HANG, refusing_port, web_server

SOON = timedelta(seconds=1)
AMPLE = timedelta(seconds=20)
REPORT = RunReport(
    job="stock export",
    cr="CR-002",
    environment="test",
    run_id="run-1",
    correlation_id="c-1",
    outcome="failed",
    reason="no answer",
    exit_code=1,
    holder="here",
    accountable=("Platform Export",),
    responsible="Shared Ops",
    schedule="stock-export",
    impact="prices are old.",
)
ONE_OWNER = replace(REPORT, accountable=("Shared Ops",))


class RecordingLog:
    def __init__(self):
        self.lines = []

    def _write(self, event, **fields):
        self.lines.append((event, fields))

    info = warning = error = _write


@pytest.fixture
def log():
    return RecordingLog()


@pytest.fixture
def outbox_of(database):
    """Write to the outbox: ``outbox_of(outbox.write_failure, REPORT)``."""
    with database.connect() as connection:
        yield lambda write, *args, **kwargs: write(connection, *args, **kwargs)


def settings_for(database, *, alertmanager=None, **routes):
    """Settings whose routes are ``owner_name=[urls]``."""
    named = {owner.replace("_", " "): urls for owner, urls in routes.items()}
    return database.settings(alertmanager_url=alertmanager, alerts={"routes": named})


def flush(database, settings, log, within=AMPLE, **options):
    return deliver_due(settings, database.connect, log, within, **options)


def apprise_url(server, path="hook"):
    return f"json://{server.address}/{path}"


def posted(server):
    return [json.loads(request.body) for request in server.requests]


def rows(database, columns="owner, delivered_at IS NOT NULL"):
    return database.query(f"SELECT {columns} FROM alert ORDER BY id")


def test_each_owner_gets_their_own_words(database, outbox_of, log):
    outbox_of(outbox.write_failure, REPORT)
    with web_server() as ops, web_server() as export:
        settings = settings_for(
            database, Shared_Ops=[apprise_url(ops)], Platform_Export=[apprise_url(export)]
        )
        assert flush(database, settings, log) == DeliveryResult(delivered=2)
    ((page,), (notice,)) = posted(ops), posted(export)
    assert page["type"] == "failure"
    assert notice["type"] == "warning"
    assert "cronops runs show run-1" in page["message"]
    assert "cronops runs" not in notice["message"]
    assert "prices are old." in notice["message"]
    assert rows(database) == [("Shared Ops", True), ("Platform Export", True)]


def test_the_end_is_told_after_the_failure(database, outbox_of, log):
    outbox_of(outbox.write_failure, ONE_OWNER)
    outbox_of(outbox.write_recovery, REPORT.dedup_key, run_id="run-2")
    with web_server() as ops:
        settings = settings_for(database, Shared_Ops=[apprise_url(ops)])
        assert flush(database, settings, log) == DeliveryResult(delivered=2)
    assert [body["type"] for body in posted(ops)] == ["failure", "success"]


def test_an_alertmanager_is_told_of_failure_and_end_under_the_same_labels(database, outbox_of, log):
    outbox_of(outbox.write_failure, REPORT)
    with web_server() as manager:
        settings = settings_for(database, alertmanager=f"http://u:pw@{manager.address}/am/")
        assert flush(database, settings, log).delivered == 2
        outbox_of(outbox.write_recovery, REPORT.dedup_key, run_id="run-2")
        assert flush(database, settings, log).delivered == 2
    assert {request.path for request in manager.requests} == {"/am/api/v2/alerts"}
    assert all("Authorization" in request.headers for request in manager.requests)
    alerts = [alert for (alert,) in posted(manager)]
    firing = {alert["labels"]["owner"]: alert for alert in alerts[:2]}
    ended = {alert["labels"]["owner"]: alert for alert in alerts[2:]}
    assert set(firing) == set(ended) == {"Shared Ops", "Platform Export"}
    for owner, alert in firing.items():
        assert alert["labels"] == ended[owner]["labels"]
        assert datetime.fromisoformat(alert["endsAt"]) > datetime.now(UTC)
        assert datetime.fromisoformat(ended[owner]["endsAt"]) <= datetime.now(UTC)
    assert firing["Shared Ops"]["labels"] == {
        "alertname": "CronopsJobFailing",
        "environment": "test",
        "schedule": "stock-export",
        "job": "stock export",
        "cr": "CR-002",
        "owner": "Shared Ops",
        "role": "runtime",
        "severity": "critical",
    }


def test_a_mail_arrives(database, outbox_of, log):
    mails = []

    class Inbox:
        async def handle_DATA(self, _server, _session, envelope):
            mails.append(message_from_bytes(envelope.content, policy=policy.default))
            return "250 taken"

    controller = Controller(Inbox(), hostname="127.0.0.1", port=0)
    # The controller tries its own port once started; with port 0 it must learn the real one.
    controller.port = refusing_port()
    controller.start()
    try:
        url = (
            f"mailto://127.0.0.1:{controller.port}?from=cron@example.org&to=ops@example.org"
            "&mode=insecure&format=text"
        )
        outbox_of(outbox.write_failure, ONE_OWNER)
        settings = settings_for(database, Shared_Ops=[url])
        assert flush(database, settings, log) == DeliveryResult(delivered=1), log.lines
    finally:
        controller.stop()
    (mail,) = mails
    assert "stock-export: failed" in mail["Subject"]
    assert "cronops runs show run-1" in mail.get_body().get_content()


@pytest.mark.parametrize("kind", ["apprise", "alertmanager"])
def test_a_target_that_answers_500_is_an_error_with_the_reason(database, outbox_of, log, kind):
    outbox_of(outbox.write_failure, ONE_OWNER)
    with web_server(status=500) as target:
        if kind == "apprise":
            settings = settings_for(database, Shared_Ops=[apprise_url(target)])
        else:
            settings = settings_for(database, alertmanager=target.url)
        assert flush(database, settings, log) == DeliveryResult(failed=1, pending=1)
        target.status = 200
        assert flush(database, settings, log, eager=True) == DeliveryResult(delivered=1)
    ((_, fields), *_) = log.lines
    assert "500" in fields["error"]


@pytest.mark.parametrize("kind", ["apprise", "alertmanager"])
def test_a_target_that_refuses_is_an_error_with_the_reason(database, outbox_of, log, kind):
    outbox_of(outbox.write_failure, ONE_OWNER)
    port = refusing_port()
    if kind == "apprise":
        settings = settings_for(database, Shared_Ops=[f"json://127.0.0.1:{port}/"])
    else:
        settings = settings_for(database, alertmanager=f"http://127.0.0.1:{port}")
    assert flush(database, settings, log) == DeliveryResult(failed=1, pending=1)
    ((error, attempts),) = rows(database, "last_error, attempts")
    assert "onnection" in error
    assert attempts == 1


@pytest.mark.parametrize("kind", ["apprise", "alertmanager"])
@pytest.mark.parametrize("mode", [HANG, DRIP])
def test_a_target_that_hangs_is_left_behind(database, outbox_of, log, kind, mode):
    outbox_of(outbox.write_failure, ONE_OWNER)
    with web_server(mode=mode) as target:
        if kind == "apprise":
            settings = settings_for(database, Shared_Ops=[apprise_url(target)])
        else:
            settings = settings_for(database, alertmanager=target.url)
        began = time.monotonic()
        assert flush(database, settings, log, SOON) == DeliveryResult(failed=1, pending=1)
        assert time.monotonic() - began < 30, "the server would hold it for a minute"
    assert "no answer within" in rows(database, "last_error")[0][0]


def test_a_silent_target_does_not_keep_others_from_theirs(database, outbox_of, log):
    for number in range(15):
        report = replace(REPORT, run_id=f"run-{number}", schedule=f"s{number}")
        outbox_of(outbox.write_failure, report)
    with web_server(mode=HANG) as silent, web_server() as export:
        settings = settings_for(
            database, Shared_Ops=[apprise_url(silent)], Platform_Export=[apprise_url(export)]
        )
        result = flush(database, settings, log, timedelta(seconds=8))
        assert result.delivered == 15
        assert result.pending == 15
        assert len(export.requests) == 15
        assert len(silent.requests) < 15, "asked once to no avail, it is not asked again"


def test_who_has_got_it_does_not_get_it_again(database, outbox_of, log):
    outbox_of(outbox.write_failure, ONE_OWNER)
    with web_server() as manager, web_server() as one, web_server(status=503) as other:
        settings = settings_for(
            database,
            alertmanager=manager.url,
            Shared_Ops=[apprise_url(one), apprise_url(other)],
        )
        assert flush(database, settings, log) == DeliveryResult(failed=1, pending=1)
        other.status = 200
        assert flush(database, settings, log, eager=True) == DeliveryResult(delivered=1)
        assert [len(target.requests) for target in (manager, one, other)] == [1, 1, 2]
    ((channels,),) = rows(database, "delivered_channels")
    assert len(channels) == 3
    assert "127.0.0.1" not in "".join(channels)


def test_two_flushers_at_the_same_time_deliver_once(database, outbox_of, log):
    for number in range(30):
        report = replace(ONE_OWNER, run_id=f"run-{number}", schedule=f"s{number}")
        outbox_of(outbox.write_failure, report)
    with web_server() as ops:
        settings = settings_for(database, Shared_Ops=[apprise_url(ops)])
        barrier = threading.Barrier(2)
        results = []

        def work():
            barrier.wait(30)
            results.append(flush(database, settings, log, timedelta(seconds=60)))

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        titles = [body["title"] for body in posted(ops)]
    assert len(titles) == len(set(titles)) == 30
    assert sum(result.delivered for result in results) == 30


def test_an_owner_without_a_route_is_said_so_and_nobody_else_gets_theirs(database, outbox_of, log):
    outbox_of(outbox.write_failure, REPORT)
    with web_server() as ops:
        settings = settings_for(database, Shared_Ops=[apprise_url(ops)])
        assert flush(database, settings, log) == DeliveryResult(delivered=1, failed=1, pending=1)
        assert len(ops.requests) == 1
    errors = dict(rows(database, "owner, last_error"))
    assert "no alert route leads to 'Platform Export'" in errors["Platform Export"]


def test_with_nothing_configured_the_log_is_the_route(database, outbox_of, log):
    outbox_of(outbox.write_failure, ONE_OWNER)
    assert flush(database, settings_for(database), log) == DeliveryResult(delivered=1)
    assert rows(database, "delivered_channels") == [(["log"],)]
    ((event, fields),) = log.lines
    assert event == "alert, with no route to send it by"
    assert "cronops runs show run-1" in fields["body"]


def test_a_url_apprise_does_not_know_is_an_error_without_the_url(database, outbox_of, log):
    outbox_of(outbox.write_failure, ONE_OWNER)
    settings = settings_for(database, Shared_Ops=["nonsense://hunter22hunter22"])
    assert flush(database, settings, log) == DeliveryResult(failed=1, pending=1)
    assert "hunter22" not in rows(database, "last_error")[0][0].replace("nonsense", "")


def test_apprise_does_not_speak_for_itself(database, outbox_of, log):
    heard = []

    class Ear(logging.Handler):
        def emit(self, record):
            heard.append(record.name)

    # Not caplog: it listens at loggers that keep their lines to themselves, too.
    ear = Ear()
    logging.getLogger().addHandler(ear)
    try:
        outbox_of(outbox.write_failure, ONE_OWNER)
        with web_server(status=500) as target:
            flush(database, settings_for(database, Shared_Ops=[apprise_url(target)]), log)
    finally:
        logging.getLogger().removeHandler(ear)
    assert "apprise" not in heard


@pytest.mark.parametrize("kind", ["apprise", "alertmanager"])
def test_a_target_that_hangs_does_not_keep_the_process_from_ending(database, outbox_of, kind):
    outbox_of(outbox.write_failure, ONE_OWNER)
    code = """
import json
import sys
from datetime import timedelta
from cronops.config import Settings
from cronops.contract.alerts.deliver import deliver_due
from cronops.db.connect import connect
from cronops.telemetry import get_logger

settings = Settings(**json.load(sys.stdin))
print(deliver_due(settings, lambda: connect(settings, "test"), get_logger(), timedelta(seconds=2)))
"""
    with web_server(mode=HANG) as target:
        values = {"database_url": database.url, "environment": "test"}
        if kind == "apprise":
            values["alerts"] = {"routes": {"Shared Ops": [apprise_url(target)]}}
        else:
            values["alertmanager_url"] = target.url
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=json.dumps(values),
            capture_output=True,
            text=True,
            timeout=40,  # the server would hold it for a minute
        )
    assert done.returncode == 0, done.stderr
    assert "failed=1" in done.stdout
    assert len(target.requests) == 1


def test_a_database_out_of_reach_does_not_raise(database, log):
    def no_connection():
        raise OSError("no route to postgresql://cron:hunter22@db")

    assert deliver_due(database.settings(), no_connection, log, SOON) == DeliveryResult()
    ((_, fields),) = log.lines
    assert "no route" in fields["error"]
    assert "hunter22" not in fields["error"]


def test_a_database_that_hangs_is_left_behind(database, log, monkeypatch):
    monkeypatch.setattr(deliver, "_GRACE_SECONDS", 0.1)
    release = threading.Event()
    began = time.monotonic()

    def hang():
        release.wait(60)
        raise OSError

    deliver_due(database.settings(), hang, log, timedelta(seconds=0.1))
    release.set()
    assert time.monotonic() - began < 30
    assert "out of time" in log.lines[0][1]["error"]


def test_without_the_database_the_same_is_sent_directly(database, outbox_of, log):
    outbox_of(outbox.write_failure, REPORT)
    with web_server() as manager, web_server() as ops:
        settings = settings_for(database, alertmanager=manager.url, Shared_Ops=[apprise_url(ops)])
        assert deliver_directly(settings, REPORT, log, AMPLE) == DeliveryResult(delivered=2)
        assert flush(database, settings, log).delivered == 2
        direct, stored = posted(ops)
        assert direct == stored
        labels = [sorted(alert["labels"].items()) for (alert,) in posted(manager)]
        assert sorted(labels[:2]) == sorted(labels[2:])


def test_directly_too_a_silent_target_is_left_behind(database, log):
    with web_server(mode=HANG) as ops:
        settings = settings_for(database, Shared_Ops=[apprise_url(ops)])
        began = time.monotonic()
        assert deliver_directly(settings, ONE_OWNER, log, SOON) == DeliveryResult(failed=1)
        assert time.monotonic() - began < 30

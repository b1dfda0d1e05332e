"""Outcome, alerts, metrics and receipt: told once, to the right people, and never in the way."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.integration.contract.conftest import Stage, end_of
from tests.servers import HANG, WebServer, refusing_port, wait_until, web_server

FAILING = ("probe", "raise", "--kind=PermanentError")
BOTH_OWNERS = {"Shared Ops", "Vehicle Data"}


def received(server: WebServer) -> list[dict[str, Any]]:
    """The alerts an Alertmanager was sent."""
    return [alert for request in server.requests for alert in json.loads(request.body)]


def test_the_outcome_and_its_alerts_are_stored_together_or_not_at_all(stage: Stage) -> None:
    stage.query(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the outbox is full'; END $$"
    )
    stage.query("CREATE TRIGGER refuse BEFORE INSERT ON alert EXECUTE FUNCTION refuse()")
    with web_server() as alertmanager:
        ended = stage(*FAILING, CRONOPS_ALERTMANAGER_URL=alertmanager.url)
        told = {alert["labels"]["owner"] for alert in received(alertmanager)}

    assert ended.code == 1, ended.text
    assert stage.run("probe raise")["outcome"] is None
    assert stage.receipt()["recorded"] is False
    assert told == BOTH_OWNERS, "told directly instead"


def test_a_failure_is_told_and_its_end_too(stage: Stage) -> None:
    with web_server() as alertmanager:
        environment = {"CRONOPS_ALERTMANAGER_URL": alertmanager.url}
        assert stage("probe", "fail", **environment).code == 1
        fired = received(alertmanager)
        alertmanager.requests.clear()
        assert stage("probe", "fail", "--times=0", **environment).code == 0
        resolved = received(alertmanager)

    assert {alert["labels"]["owner"] for alert in fired} == BOTH_OWNERS
    now = datetime.now(UTC)
    assert all(datetime.fromisoformat(alert["endsAt"]) > now for alert in fired)
    assert all(datetime.fromisoformat(alert["endsAt"]) <= now for alert in resolved)
    by_owner = {alert["labels"]["owner"]: alert["labels"] for alert in fired}
    assert by_owner == {alert["labels"]["owner"]: alert["labels"] for alert in resolved}
    assert stage.query("SELECT count(*) FROM alert WHERE delivered_at IS NULL") == [(0,)]


def test_with_several_pods_the_page_comes_on_the_last(stage: Stage) -> None:
    with web_server() as alertmanager:
        pod = {
            "CRONOPS_ALERTMANAGER_URL": alertmanager.url,
            "CRONOPS_POD__BACKOFF_LIMIT": "2",
            "CRONOPS_RUN_ID": "nightly-1",
        }
        for start in (1, 2):
            assert stage(*FAILING, **pod).code == 1
            assert stage.run("probe raise")["starts"] == start
            assert [row["delivered_at"] for row in stage.alerts()] == [None, None]
            assert alertmanager.requests == []
        assert stage(*FAILING, **pod).code == 1
        told = {alert["labels"]["owner"] for alert in received(alertmanager)}

    assert told == BOTH_OWNERS
    assert len(stage.alerts()) == len(BOTH_OWNERS)


def test_a_later_pod_that_succeeds_takes_the_page_back(stage: Stage) -> None:
    gate = stage.gate()
    with web_server() as alertmanager:
        pod = {
            "CRONOPS_ALERTMANAGER_URL": alertmanager.url,
            "CRONOPS_POD__BACKOFF_LIMIT": "2",
            "CRONOPS_RUN_ID": "nightly-1",
        }
        first = stage.start("probe", "gate", *gate.arguments, **pod)
        stage.kill(gate.pid)
        assert end_of(first).code == 137
        assert len(stage.alerts()) == len(BOTH_OWNERS)
        gate.open()

        assert stage("probe", "gate", *gate.arguments, **pod).code == 0
        assert alertmanager.requests == []
    assert all(row["cancelled_at"] is not None for row in stage.alerts())
    assert stage.run("probe gate")["outcome"] == "succeeded"


def test_a_configuration_error_is_final_however_many_pods_are_left(stage: Stage) -> None:
    pod = {"CRONOPS_POD__BACKOFF_LIMIT": "2", "CRONOPS_RUN_ID": "nightly-1"}
    assert stage("probe", "raise", "--kind=ConfigurationError", **pod).code == 78

    due = stage.query("SELECT count(*) FROM alert WHERE available_at <= clock_timestamp()")
    assert due == [(2,)]


@pytest.mark.parametrize("trouble", ["hangs", "refuses", "answers 500"])
def test_an_alert_target_in_trouble_changes_nothing_and_gets_it_later(
    stage: Stage, trouble: str
) -> None:
    with web_server() as alertmanager:
        if trouble == "hangs":
            alertmanager.mode = HANG
        elif trouble == "answers 500":
            alertmanager.status = 500
        target = f"http://127.0.0.1:{refusing_port()}" if trouble == "refuses" else alertmanager.url
        environment = {
            "CRONOPS_ALERTMANAGER_URL": target,
            "CRONOPS_ALERTS__DELIVERY_TIMEOUT": "1",
        }
        assert stage("probe", "raise", "--kind=BadInput", **environment).code == 65
        assert stage.run("probe raise")["outcome"] == "failed"
        assert [row["delivered_at"] for row in stage.alerts()] == [None, None]
        assert all(row["last_error"] for row in stage.alerts())

    with web_server() as alertmanager:
        flushed = stage("alerts", "flush", CRONOPS_ALERTMANAGER_URL=alertmanager.url)
        told = {alert["labels"]["owner"] for alert in received(alertmanager)}
    assert flushed.code == 0, flushed.text
    assert told == BOTH_OWNERS
    assert all(row["delivered_at"] is not None for row in stage.alerts())


def test_a_later_run_of_another_job_delivers_what_was_left(stage: Stage) -> None:
    environment = {"CRONOPS_ALERTMANAGER_URL": f"http://127.0.0.1:{refusing_port()}"}
    assert stage(*FAILING, **environment).code == 1
    stage.query("UPDATE alert SET available_at = clock_timestamp()")

    with web_server() as alertmanager:
        ended = stage("probe", "ok", CRONOPS_ALERTMANAGER_URL=alertmanager.url)
        told = {alert["labels"]["job"] for alert in received(alertmanager)}
    assert ended.code == 0
    assert told == {"probe raise"}


def test_a_stopped_run_leaves_its_page_to_a_later_one(stage: Stage) -> None:
    gate = stage.gate()
    with web_server() as alertmanager:
        process = stage.start(
            *("probe", "gate", *gate.arguments, "--heeds"),
            CRONOPS_ALERTMANAGER_URL=alertmanager.url,
        )
        assert gate.pid
        process.terminate()
        assert end_of(process).code == 143
        assert alertmanager.requests == []
        assert len(stage.alerts()) == len(BOTH_OWNERS)


@pytest.mark.parametrize("trouble", ["hangs", "refuses", "answers 500"])
def test_a_gateway_in_trouble_changes_nothing(stage: Stage, trouble: str) -> None:
    with web_server(status=500) as gateway:
        if trouble == "hangs":
            gateway.mode = HANG
        target = f"http://127.0.0.1:{refusing_port()}" if trouble == "refuses" else gateway.url
        process = stage.start("probe", "ok", CRONOPS_PUSHGATEWAY_URL=target)
        if trouble == "hangs":
            wait_until(lambda: bool(gateway.requests))
        ended = end_of(process)

    assert ended.code == 0, ended.text
    assert "metrics not reported" in ended.err
    assert stage.run("probe ok")["outcome"] == "succeeded"
    assert stage.alerts() == []


def test_a_disk_that_takes_no_more_changes_nothing(
    stage: Stage, at_start: Callable[[str], None], tmp_path: Path
) -> None:
    at_start("import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))")
    textfile = tmp_path / "cronops.prom"
    before = "".join(f'other{{n="{number}"}} 1\n' for number in range(1000))
    textfile.write_text(before)

    ended = stage("probe", "ok", CRONOPS_METRICS_TEXTFILE=str(textfile))

    assert ended.code == 0, ended.text
    assert "metrics not reported" in ended.err
    assert textfile.read_text() == before, "neither cut off nor lost"
    assert stage.run("probe ok")["outcome"] == "succeeded"
    assert stage.receipt()["outcome"] == "succeeded"


def test_a_termination_log_that_cannot_be_written_changes_nothing(stage: Stage) -> None:
    ended = stage("probe", "ok", CRONOPS_TERMINATION_LOG="/nowhere/at/all")
    assert ended.code == 0, ended.text
    assert "could not write the receipt" in ended.err


@pytest.mark.parametrize("letter", ["x", "é", "\N{WHEEL}", '"'])
def test_the_receipt_is_whole_and_fits_what_kubernetes_keeps(stage: Stage, letter: str) -> None:
    stage("probe", "raise", "--kind=BadInput", f"--text=line 7: {letter * 3000}")

    assert stage.receipt_path.stat().st_size <= 4096
    receipt = stage.receipt()
    assert receipt.pop("reason").startswith(f"line 7: {letter * 100}")
    assert receipt == {
        "job": "probe raise",
        "run_id": stage.run("probe raise")["id"],
        "outcome": "failed",
        "exit_code": 65,
        "signal": None,
        "recorded": True,
        "counts": {},
    }

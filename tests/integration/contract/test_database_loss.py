"""The database is down, goes down, or cuts connections while a run is at work."""

import json

import pytest

from tests.databases import OwnServer
from tests.integration.contract.conftest import AMPLE_SECONDS, Stage, end_of, wait_until_gone
from tests.servers import HANG, WebServer, refusing_port, wait_until, web_server


def alerts_in(server: WebServer) -> list[dict[str, str]]:
    """Labels of the alerts an Alertmanager was sent."""
    return [alert["labels"] for request in server.requests for alert in json.loads(request.body)]


def test_down_at_start_the_page_goes_out_all_the_same(stage: Stage) -> None:
    url = f"postgresql://somebody:hushhush@127.0.0.1:{refusing_port()}/nothing"
    with web_server() as alertmanager:
        ended = stage(
            *("probe", "ok"),
            CRONOPS_DATABASE_URL=url,
            CRONOPS_ALERTMANAGER_URL=alertmanager.url,
            CRONOPS_SCHEDULE="nightly",
        )
        told = alerts_in(alertmanager)

    assert ended.code == 75, ended.text
    assert sorted(labels["owner"] for labels in told) == ["Shared Ops", "Vehicle Data"]
    assert {labels["schedule"] for labels in told} == {"nightly"}
    assert "unrecorded" in ended.out
    receipt = stage.receipt()
    assert (receipt["recorded"], receipt["exit_code"]) == (False, 75)
    assert "hushhush" not in ended.text + stage.receipt_path.read_text()
    assert b"hushhush" not in b"".join(request.body for request in alertmanager.requests)


def test_a_cut_supervisor_connects_again(stage: Stage) -> None:
    gate = stage.gate()
    process = stage.start("probe", "gate", *gate.arguments, "--write=row")
    assert gate.pid
    stage.cut("supervisor")
    gate.open()

    ended = end_of(process)
    assert ended.code == 0, ended.text
    assert stage.run("probe gate")["outcome"] == "succeeded"
    assert stage.query("SELECT * FROM lease") == []


def test_a_cut_heartbeat_connects_again(stage: Stage) -> None:
    gate = stage.gate()
    process = stage.start("probe", "gate", *gate.arguments, CRONOPS_LOCK__TTL="6")
    assert gate.pid
    stage.cut("heartbeat")
    cut_at = stage.query("SELECT clock_timestamp()")[0][0]
    wait_until(
        lambda: bool(stage.query("SELECT 1 FROM lease WHERE renewed_at > %s", (cut_at,))),
        AMPLE_SECONDS,
    )
    gate.open()

    ended = end_of(process)
    assert ended.code == 0, ended.text
    assert "could not renew the lease, trying again" in ended.err


def test_a_job_whose_connection_is_cut_tries_again_where_it_declares_so(stage: Stage) -> None:
    gate = stage.gate()
    process = stage.start("probe", "gate", *gate.arguments, "--write=row")
    assert gate.pid
    stage.cut("run ")
    gate.open()

    ended = end_of(process)
    assert ended.code == 0, ended.text
    assert stage.run("probe gate")["attempts"] == 2
    assert stage.effects() == 1


def test_a_job_whose_connection_is_cut_fails_as_temporary_where_it_does_not(stage: Stage) -> None:
    process = stage.start("probe", "write", "--rows=1", "--seconds=1")
    stage.cut("run ")

    ended = end_of(process)
    assert ended.code == 75, ended.text
    run = stage.run("probe write")
    assert (run["outcome"], run["attempts"]) == ("failed", 1)
    assert "the connection to the database was lost" in run["reason"]
    assert stage.effects() == 0


def test_a_cut_connection_does_not_end_the_wait_for_a_lock(stage: Stage) -> None:
    stage.hold("probe.ok")
    process = stage.start("probe", "ok", "--wait=5m")
    stage.wait_for_refusal()
    stage.cut("supervisor")
    stage.wait_for_session("supervisor")
    stage.query("DELETE FROM lease")

    ended = end_of(process)
    assert ended.code == 0, ended.text
    assert stage.run("probe ok")["outcome"] == "succeeded"


def test_a_connection_cut_between_recording_and_telling_changes_nothing(stage: Stage) -> None:
    with web_server(mode=HANG) as gateway:
        process = stage.start("probe", "ok", CRONOPS_PUSHGATEWAY_URL=gateway.url)
        wait_until(lambda: bool(gateway.requests), AMPLE_SECONDS)
        stage.cut("supervisor")
        gateway.stopped.set()
        ended = end_of(process)

    assert ended.code == 0, ended.text
    assert stage.run("probe ok")["outcome"] == "succeeded"


@pytest.mark.parametrize(("job", "code"), [("gate", 75), ("gate-unsafe", 0)])
def test_down_at_the_end(own_stage: Stage, own_server: OwnServer, job: str, code: int) -> None:
    gate = own_stage.gate()
    with web_server() as alertmanager:
        process = own_stage.start(
            "probe", job, *gate.arguments, CRONOPS_ALERTMANAGER_URL=alertmanager.url
        )
        worker = gate.pid
        own_server.stop()
        gate.open()
        ended = end_of(process)
        told = alerts_in(alertmanager)

    assert ended.code == code, ended.text
    assert "unrecorded" in ended.out
    assert own_stage.receipt()["recorded"] is False
    # Where the work is not to be done again, it has succeeded: nobody is to be paged.
    expected = ["Shared Ops", "Vehicle Data"] if code else []
    assert sorted(labels["owner"] for labels in told) == expected
    wait_until_gone(worker)

    own_server.start()
    own_stage.database.close()
    own_stage.expire_leases()
    assert own_stage("probe", "ok").code == 0
    assert own_stage.run(f"probe {job}")["outcome"] == "crashed", "nobody could say more"


def test_restarted_in_the_middle_and_away_at_the_end(
    own_stage: Stage, own_server: OwnServer
) -> None:
    gate = own_stage.gate()
    process = own_stage.start("probe", "gate", *gate.arguments, CRONOPS_SUPERVISOR__GRACE="60")
    worker = gate.pid
    own_server.restart()
    own_server.stop()
    gate.open()
    wait_until_gone(worker)
    own_server.start()

    ended = end_of(process)
    assert ended.code == 0, ended.text
    own_stage.database.close()
    assert own_stage.run("probe gate")["outcome"] == "succeeded"
    assert own_stage.receipt()["recorded"] is True

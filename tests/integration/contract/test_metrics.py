import base64
import fcntl
import os
import time
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cronops.config import Settings
from cronops.contract import metrics
from tests.servers import DRIP, HANG, refusing_port, web_server

FINISHED = datetime(2026, 11, 23, 4, 0, 5, tzinfo=UTC)


class RecordingLog:
    def __init__(self):
        self.warnings = []

    def warning(self, event, **fields):
        self.warnings.append((event, fields))


@pytest.fixture
def log():
    return RecordingLog()


def report(settings, log, **changes):
    values = {
        "job": "stock export",
        "cr": "CR-002",
        "schedule": "stock-export",
        "environment": "test",
        "succeeded": True,
        "skipped": False,
        "duration_seconds": 1.5,
        "exit_code": 0,
        "counts": {"rows": 10},
        "finished_at": FINISHED,
    }
    metrics.report(settings, **{**values, **changes}, log=log)


def samples_of(text):
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def named(samples, name):
    return [value for (found, _), value in samples.items() if found == name]


def gateway_settings(url):
    return Settings(pushgateway_url=url)


def test_a_success_is_pushed_grouped_by_job_and_schedule(log):
    with web_server() as gateway:
        report(gateway_settings(gateway.url), log)
    assert log.warnings == []
    (request,) = gateway.requests
    assert request.method == "POST", "PUT would erase the last failure"
    encoded = base64.urlsafe_b64encode(b"stock export").decode()
    assert request.path == (f"/metrics/job@base64/{encoded}/environment/test/schedule/stock-export")
    samples = samples_of(request.body.decode())
    assert named(samples, metrics.LAST_SUCCESS) == [FINISHED.timestamp()]
    assert named(samples, metrics.LAST_FAILURE) == []
    assert named(samples, metrics.DURATION) == [1.5]
    assert named(samples, metrics.EXIT_CODE) == [0]
    ((_, labels),) = [key for key in samples if key[0] == metrics.COUNT]
    assert dict(labels)["count"] == "rows"


def test_a_failure_says_nothing_of_the_last_success(log):
    with web_server() as gateway:
        report(gateway_settings(gateway.url), log, succeeded=False, exit_code=124)
    samples = samples_of(gateway.requests[0].body.decode())
    assert named(samples, metrics.LAST_SUCCESS) == []
    assert named(samples, metrics.LAST_FAILURE) == [FINISHED.timestamp()]
    assert named(samples, metrics.EXIT_CODE) == [124]


def test_a_skipped_run_changes_nothing(log, tmp_path):
    textfile = tmp_path / "cronops.prom"
    with web_server() as gateway:
        settings = Settings(pushgateway_url=gateway.url, metrics_textfile=textfile)
        report(settings, log, skipped=True)
    assert gateway.requests == []
    assert not textfile.exists()


def test_the_password_in_the_url_becomes_basic_authorisation(log):
    with web_server() as gateway:
        report(gateway_settings(f"http://us%40r:p%2Fss@{gateway.address}/base/"), log)
    (request,) = gateway.requests
    assert request.path.startswith("/base/metrics/job")
    expected = base64.b64encode(b"us@r:p/ss").decode()
    assert request.headers["Authorization"] == f"Basic {expected}"


def test_a_run_by_hand_has_an_empty_schedule(log):
    with web_server() as gateway:
        report(gateway_settings(gateway.url), log, schedule=None)
    assert gateway.requests[0].path.endswith("/schedule@base64/=")


@pytest.mark.parametrize("mode", [HANG, DRIP])
def test_a_gateway_that_never_ends_its_answer_is_left_behind(log, mode, monkeypatch):
    monkeypatch.setattr(metrics, "LONGEST_SECONDS", 0.5)
    with web_server(mode=mode) as gateway:
        began = time.monotonic()
        report(gateway_settings(gateway.url), log)
        assert time.monotonic() - began < 30, "the server would hold it for a minute"
    ((event, fields),) = log.warnings
    assert event == "metrics not reported"
    assert fields["target"] == "pushgateway"


def test_a_gateway_that_refuses_or_answers_500_is_a_warning(log):
    report(gateway_settings(f"http://127.0.0.1:{refusing_port()}"), log)
    with web_server(status=500, answer=b"odd labels") as gateway:
        report(gateway_settings(gateway.url), log)
    assert [event for event, _ in log.warnings] == ["metrics not reported"] * 2
    assert "refused" in log.warnings[0][1]["error"]
    assert "500" in log.warnings[1][1]["error"]
    assert "odd labels" in log.warnings[1][1]["error"]


def test_an_impossible_gateway_url_is_a_warning(log):
    report(gateway_settings("http://[broken"), log)
    assert [event for event, _ in log.warnings] == ["metrics not reported"]


def test_the_textfile_keeps_other_series_and_the_last_success(log, tmp_path):
    textfile = tmp_path / "cronops.prom"
    textfile.write_text("# HELP other Something else.\n# TYPE other counter\nother_total 3\n")
    settings = Settings(metrics_textfile=textfile)
    report(settings, log, job="a", schedule="a", counts={"rows": 1, "files": 2})
    report(settings, log, job="b", schedule="b")
    report(settings, log, job="a", schedule="a", succeeded=False, exit_code=1, counts={"rows": 5})
    assert log.warnings == []
    samples = samples_of(textfile.read_text())
    of_a = {key: value for key, value in samples.items() if ("job", "a") in key[1]}
    assert named(of_a, metrics.LAST_SUCCESS) == [FINISHED.timestamp()]
    assert named(of_a, metrics.LAST_FAILURE) == [FINISHED.timestamp()]
    assert named(of_a, metrics.EXIT_CODE) == [1]
    assert named(of_a, metrics.COUNT) == [5], "the count of files is gone"
    assert len(named(samples, metrics.LAST_SUCCESS)) == 2
    assert named(samples, "other_total") == [3]
    assert textfile.read_text().count(f"# TYPE {metrics.DURATION} gauge") == 1


def test_the_textfile_can_be_read_by_the_collector_and_leaves_nothing_behind(log, tmp_path):
    textfile = tmp_path / "cronops.prom"
    report(Settings(metrics_textfile=textfile), log)
    assert textfile.stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cronops.prom", "cronops.prom.lock"]


def test_a_broken_textfile_is_started_anew(log, tmp_path):
    textfile = tmp_path / "cronops.prom"
    textfile.write_bytes(b'x{a="b" 1 \xff\n')
    report(Settings(metrics_textfile=textfile), log)
    assert named(samples_of(textfile.read_text()), metrics.EXIT_CODE) == [0]
    ((_, fields),) = log.warnings
    assert "started anew" in fields["error"]


def test_a_textfile_that_cannot_be_written_is_a_warning(log, tmp_path):
    report(Settings(metrics_textfile=tmp_path / "missing" / "cronops.prom"), log)
    ((_, fields),) = log.warnings
    assert fields["target"] == "textfile"


def test_a_textfile_whose_lock_is_held_is_left_as_it_is(log, tmp_path, monkeypatch):
    monkeypatch.setattr(metrics, "LONGEST_SECONDS", 0.3)
    textfile = tmp_path / "cronops.prom"
    held = os.open(tmp_path / "cronops.prom.lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        report(Settings(metrics_textfile=textfile), log)
    finally:
        os.close(held)
    assert len(log.warnings) == 1


def test_writers_at_the_same_time_lose_nothing_of_each_other(log, tmp_path):
    textfile = tmp_path / "cronops.prom"
    settings = Settings(metrics_textfile=textfile)
    children = []
    for number in range(4):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                for turn in range(5):
                    report(settings, log, job=f"j{number}", schedule=f"s{number}", exit_code=turn)
                status = len(log.warnings)
            finally:
                os._exit(status)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    assert named(samples_of(textfile.read_text()), metrics.EXIT_CODE) == [4] * 4

"""A process whose clock is wrong: the database's clock decides."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.integration.contract.conftest import Stage, end_of

SHIFTED = """
import datetime, time

SHIFT = {seconds}
_time, _time_ns, _real = time.time, time.time_ns, datetime.datetime
time.time = lambda: _time() + SHIFT
time.time_ns = lambda: _time_ns() + SHIFT * 10**9


class _AsReal(type):
    def __instancecheck__(cls, thing):
        return isinstance(thing, _real)


class _Shifted(_real, metaclass=_AsReal):
    def __new__(cls, *args, **kwargs):
        return _real(*args, **kwargs)

    @classmethod
    def now(cls, tz=None):
        return _real.now(tz) + datetime.timedelta(seconds=SHIFT)


_Shifted.__name__ = _Shifted.__qualname__ = "datetime"
datetime.datetime = _Shifted
"""
DAYS = [-400, 400]


@pytest.fixture(params=DAYS, ids=["behind", "ahead"])
def shifted(request: pytest.FixtureRequest, at_start: Callable[[str], None]) -> timedelta:
    shift = timedelta(days=request.param)
    at_start(SHIFTED.format(seconds=int(shift.total_seconds())))
    return shift


def database_now(stage: Stage) -> datetime:
    now: datetime = stage.query("SELECT clock_timestamp()")[0][0]
    return now


def test_slots_and_times_follow_the_database(stage: Stage, shifted: timedelta) -> None:
    before = database_now(stage)
    due = before.replace(second=0, microsecond=0)
    its_own = due + shifted
    for at, run_id in ((due, f"nightly-{int(due.timestamp()) // 60}"),):
        pod = {"CRONOPS_SCHEDULE": "nightly", "CRONOPS_RUN_ID": run_id}
        ended = stage("probe", "ok", **pod)
        assert ended.code == 0, ended.text
        assert stage.run("probe ok")["scheduled_at"] == at
    wrong = f"nightly-{int(its_own.timestamp()) // 60}"
    assert stage("probe", "ok", CRONOPS_SCHEDULE="nightly", CRONOPS_RUN_ID=wrong).code == 0

    by_id = {run["id"]: run for run in stage.runs("probe ok")}
    assert by_id[wrong]["scheduled_at"] is None, "plausible by its own clock only"
    for run in by_id.values():
        assert before <= run["started_at"] <= run["finished_at"] <= database_now(stage)
    # The process did have another clock.
    assert str(its_own.year) in ended.err.split('"timestamp": "')[1][:4]


def test_leases_follow_the_database(stage: Stage, shifted: timedelta) -> None:
    gate = stage.gate()
    first = stage.start("probe", "gate", *gate.arguments, "--run-id=first", "--write=row")
    assert gate.pid
    expires_in = stage.query("SELECT expires_at - clock_timestamp() FROM lease")[0][0]
    assert timedelta(0) < expires_in <= timedelta(seconds=60)

    # Neither is the lease taken for dead by another wrong clock, nor the run swept.
    assert "locked by run first" in stage("probe", "gate", *gate.arguments).out
    assert stage.rows("SELECT outcome FROM run WHERE id = 'first'") == [{"outcome": None}]
    gate.open()
    assert end_of(first).code == 0
    assert stage.effects() == 1


@pytest.mark.parametrize(("opens", "ran"), [(-1, True), (1, False)], ids=["open", "closed"])
def test_the_clean_window_follows_the_database(
    stage: Stage, at_start: Callable[[str], None], opens: int, ran: bool
) -> None:
    at_start(SHIFTED.format(seconds=opens * 2 * 3600))
    now = database_now(stage)
    start, end = now + timedelta(hours=opens), now + timedelta(hours=opens + 2)

    ended = stage(
        *("queue", "clean"),
        CRONOPS_CLEAN_WINDOW__START=f"{start:%H:%M}",
        CRONOPS_CLEAN_WINDOW__END=f"{end:%H:%M}",
        CRONOPS_CLEAN_WINDOW__ZONE="UTC",
    )

    assert ended.code == 0, ended.text
    run = stage.run("queue clean")
    assert run["outcome"] == ("succeeded" if ran else "skipped")
    assert ran or "outside the clean window" in run["reason"]

"""Who a run is: ids, slots read off names, arguments as one text."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.config import Settings
from cronops.contract.identity import RunOptions, canonical, identify, scheduled_time_of
from cronops.errors import UsageError

NOW = datetime(2026, 11, 23, 4, 0, 30, tzinfo=UTC)
NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?", fullmatch=True)
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(second=0, microsecond=0)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(st.text(min_size=1), JSON, max_size=5)


def name_of(schedule: str, at: datetime) -> str:
    return f"{schedule}-{int(at.timestamp()) // 60}"


@given(NAMES, INSTANTS, st.timedeltas(timedelta(minutes=-2), timedelta(days=7)))
def test_a_job_name_of_the_cluster_tells_its_time(
    schedule: str, at: datetime, late: timedelta
) -> None:
    assert scheduled_time_of(name_of(schedule, at), schedule, at + late) == at


@given(NAMES, NAMES, INSTANTS)
def test_another_schedules_name_tells_nothing(schedule: str, other: str, at: datetime) -> None:
    found = scheduled_time_of(name_of(other, at), schedule, at)
    assert found == (at if schedule == other else None)


@given(NAMES, INSTANTS, st.timedeltas(timedelta(days=7, seconds=1), timedelta(days=30_000)))
def test_a_time_far_from_now_tells_nothing(schedule: str, at: datetime, off: timedelta) -> None:
    for now in (at + off, at - off):
        assert scheduled_time_of(name_of(schedule, at), schedule, now) is None


@given(st.text(), st.text() | st.none())
def test_no_name_whatever_breaks_it(name: str, schedule: str | None) -> None:
    found = scheduled_time_of(name, schedule, NOW)
    assert found is None or abs(found - NOW) <= timedelta(days=7)


@pytest.mark.parametrize(
    ("name", "schedule"),
    [("x-20261123", "x"), ("x", "x"), ("-29640240", ""), (None, "x"), (None, None), ("", None)],
)
def test_what_only_looks_alike_tells_nothing(name: str | None, schedule: str | None) -> None:
    assert scheduled_time_of(name, schedule, NOW) is None


@given(ARGUMENTS)
def test_the_order_of_arguments_does_not_matter(arguments: dict[str, object]) -> None:
    backwards = dict(reversed(arguments.items()))
    assert canonical(backwards) == canonical(arguments)


@given(ARGUMENTS, ARGUMENTS)
def test_only_equal_arguments_read_the_same(
    one: dict[str, object], other: dict[str, object]
) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (canonical(one) == canonical(other)) is same


def test_options_outweigh_the_environment() -> None:
    settings = Settings(run_id="pod-1", correlation_id="c-1", completion_index=3)

    by_pod = identify("probe ok", {}, RunOptions(), settings)
    assert (by_pod.run_id, by_pod.correlation_id, by_pod.shard) == ("pod-1-3", "c-1", "3")
    by_option = identify("probe ok", {}, RunOptions(run_id="mine", correlation_id="c-2"), settings)
    assert (by_option.run_id, by_option.correlation_id) == ("mine", "c-2")


def test_a_run_by_hand_has_a_name_of_its_own_and_no_slot() -> None:
    first, second = (identify("probe ok", {}, RunOptions(), Settings()) for _ in range(2))

    assert first.run_id != second.run_id
    assert first.correlation_id == first.run_id
    assert (first.scheduled_at, first.shard) == (None, "")
    assert scheduled_time_of(first.run_id, "probe-ok", datetime.now(UTC)) is None


def test_a_scheduled_time_needs_a_zone_and_is_kept_in_utc() -> None:
    local = datetime.fromisoformat("2026-11-23T05:00:00+01:00")
    options = RunOptions(scheduled_at=local)
    kept = identify("probe ok", {}, options, Settings()).scheduled_at
    assert kept is not None
    assert kept.isoformat() == "2026-11-23T04:00:00+00:00"

    with pytest.raises(UsageError, match="needs a zone"):
        identify("probe ok", {}, RunOptions(scheduled_at=local.replace(tzinfo=None)), Settings())

"""The clean window: its borders, over midnight, and when the clocks change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cronops.config.model import CleanWindowSettings
from cronops.contract.switch import is_open

TIMES = st.times().map(lambda at: at.replace(microsecond=0))
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
ZONES = st.sampled_from(["UTC", "Europe/Brussels", "America/New_York", "Asia/Kathmandu"])


def window(start: time, end: time, zone: str = "UTC") -> CleanWindowSettings:
    return CleanWindowSettings(start=start.isoformat(), end=end.isoformat(), zone=zone)


@given(INSTANTS)
def test_without_a_window_it_is_always_open(at: datetime) -> None:
    assert is_open(CleanWindowSettings(), at)


@given(TIMES, TIMES, ZONES, INSTANTS)
def test_a_window_and_the_rest_of_the_day_are_never_open_together(
    start: time, end: time, zone: str, at: datetime
) -> None:
    assume(start != end)
    assert is_open(window(start, end, zone), at) is not is_open(window(end, start, zone), at)


@given(TIMES, TIMES, ZONES, INSTANTS)
def test_its_start_belongs_to_it_and_its_end_does_not(
    start: time, end: time, zone: str, day: datetime
) -> None:
    assume(start != end)
    here = window(start, end, zone)
    for at, expected in ((start, True), (end, False)):
        local = datetime.combine(day.date(), at, ZoneInfo(zone))
        # An hour that a change of clocks leaves out is no time of that day.
        assume(local.astimezone(UTC).astimezone(ZoneInfo(zone)).time() == at)
        assert is_open(here, local.astimezone(UTC)) is expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [("21:59:59", False), ("22:00:00", True), ("02:30:00", True), ("04:00:00", False)],
)
def test_a_window_over_midnight(at: str, expected: bool) -> None:
    overnight = window(time(22), time(4), "Europe/Brussels")
    local = datetime.combine(
        datetime(2026, 7, 1).date(), time.fromisoformat(at), ZoneInfo("Europe/Brussels")
    )
    assert is_open(overnight, local.astimezone(UTC)) is expected


def test_the_hour_that_comes_twice_is_open_twice() -> None:
    night = window(time(2), time(3), "Europe/Brussels")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    assert is_open(night, first)
    assert is_open(night, first + timedelta(hours=1))
    assert not is_open(night, first + timedelta(hours=2))


@pytest.mark.parametrize(
    "values",
    [{"start": "22:00"}, {"end": "04:00"}, {"start": "22:00", "end": "22:00"}, {"zone": "Mars/A"}],
)
def test_a_window_that_makes_no_sense_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"clean window|time zone"):
        CleanWindowSettings(**values)

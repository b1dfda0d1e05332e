"""Lengths of time as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.durations import format_duration, parse_duration

LENGTHS = st.timedeltas(timedelta(0), timedelta(days=400))
WHOLE = LENGTHS.map(lambda length: timedelta(seconds=int(length.total_seconds())))


@given(WHOLE)
def test_seconds_iso_8601_and_short_mean_the_same(length: timedelta) -> None:
    seconds = int(length.total_seconds())
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)

    for written in (
        seconds,
        float(seconds),
        str(seconds),
        f" {seconds}s ",
        f"PT{seconds}S",
        f"PT{hours}H{minutes}M{left}S",
        f"{hours}h{minutes}m{left}s",
        f"{hours}H{minutes}M{left}S",
        length,
    ):
        assert parse_duration(written) == length


@given(WHOLE)
def test_what_is_shown_is_its_largest_two_units(length: timedelta) -> None:
    shown = format_duration(length)
    read = parse_duration(shown.replace(" ", ""))

    assert read <= length
    units = shown.split(" ")
    assert len(units) <= 2
    size = {"d": 86400, "h": 3600, "m": 60, "s": 1}[units[-1][-1]]
    biggest = {"d": 86400, "h": 3600, "m": 60, "s": 1}[units[0][-1]]
    assert length - read < timedelta(seconds=max(size, biggest / 24))


@given(st.text() | st.none() | st.booleans() | st.binary() | st.floats())
def test_anything_else_is_refused_with_a_reason(written: object) -> None:
    length, reason = timedelta(0), "it was taken"
    try:
        length = parse_duration(written)
    except ValueError as error:
        reason = str(error)
    assert length >= timedelta(0)
    assert reason


@pytest.mark.parametrize(
    "written", ["-1", "1y", "P1Y", "P1M", "P", "PT", "1h 30", "", "nan", "inf"]
)
def test_what_has_no_fixed_length_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (0.25, "0.25s"), (9.999, "10s"), (59.6, "1m"), (250, "4m 10s"), (183_600, "2d 3h")],
)
def test_it_is_shown_for_people(seconds: float, shown: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == shown

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.schedules.quantity import InvalidQuantity, parse_quantity


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("1", 1),
        ("0.5", Fraction(1, 2)),
        (".5", Fraction(1, 2)),
        ("1.", 1),
        ("+2", 2),
        ("-1", -1),
        ("100m", Fraction(1, 10)),
        ("5u", Fraction(5, 10**6)),
        ("5n", Fraction(5, 10**9)),
        ("1k", 1000),
        ("1M", 10**6),
        ("1.5G", 1_500_000_000),
        ("1T", 10**12),
        ("1P", 10**15),
        ("1E", 10**18),
        ("1Ki", 1024),
        ("1Mi", 2**20),
        ("1Gi", 2**30),
        ("0.5Gi", 2**29),
        ("1Ti", 2**40),
        ("1Pi", 2**50),
        ("1Ei", 2**60),
        ("1e3", 1000),
        ("1E3", 1000),
        ("12e-1", Fraction(12, 10)),
        ("1e+2", 100),
    ],
)
def test_amounts_are_exact(text: str, amount: Fraction) -> None:
    assert parse_quantity(text) == amount


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1GB", "1Gi"),
        ("512MB", "512Mi"),
        ("512mb", "512Mi"),
        ("512 MiB", "512Mi"),
        ("1K", "1Ki"),
        ("100M i", "100Mi"),
        ("100 m", "100m"),
        ("0,5", "0.5"),
        ("64 megabytes", ""),
        ("1ki", "1Ki"),
        ("", ""),
        (".", ""),
        ("+", ""),
        ("1e", ""),
        ("1ee3", ""),
        ("--1", ""),
        ("1m5", ""),
        ("0x10", ""),
        ("1Zi", ""),
        ("NaN", ""),
        ("\u0661", ""),
        ("1\n", "1"),
    ],
)
def test_other_text_is_refused_with_what_was_meant(text: str, meant: str) -> None:
    with pytest.raises(InvalidQuantity) as refused:
        parse_quantity(text)

    assert refused.value.instead == (f"{meant}" if meant else "")
    assert "quantity" in refused.value.message


@pytest.mark.parametrize("text", ["1e19", "1e-999999999", "9" * 41])
def test_what_only_costs_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuantity):
        parse_quantity(text)


@given(st.integers(0, 10**9), st.sampled_from(["", "m", "k", "Ki", "Mi", "G", "e3"]))
def test_a_larger_number_is_a_larger_amount(number: int, suffix: str) -> None:
    assert parse_quantity(f"{number}{suffix}") < parse_quantity(f"{number + 1}{suffix}")


@given(st.text(max_size=50))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        parse_quantity(text)
    except InvalidQuantity as refused:
        meant = refused.instead
    else:
        meant = text

    assert not meant or isinstance(parse_quantity(meant), Fraction)

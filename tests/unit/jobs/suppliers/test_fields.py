"""What a field of a supplier's file means."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronops.jobs.suppliers import fields
from cronops.jobs.suppliers.fields import Numbers, Refused
from cronops.samples.articles import ean_of

POINT, COMMA = Numbers(".", ""), Numbers(",", "")
GERMAN, ENGLISH = Numbers(",", "."), Numbers(".", ",")


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("0", 0),
        ("12", 12),
        (" 12 ", 12),
        ("007", 7),
        (">20", 20),
        ("> 20", 20),
        ("20+", 20),
        ("20 +", 20),
        ("20.00", 20),
        ("Y", 4),
        ("yes", 4),
        ("J", 4),
        ("N", 0),
        ("nein", 0),
        ("-0", 0),
        ("9999999", 9_999_999),
    ],
)
def test_quantities(text: str, pieces: int) -> None:
    assert fields.quantity(text, POINT, yes=4) == (pieces, None)


def test_less_than_nothing_is_nothing_and_noted() -> None:
    assert fields.quantity("-3", POINT, yes=1) == (0, "negative_qty")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "x",
        "<5",
        "1.5",
        "1,000",
        "1e3",
        "20++",
        ">>20",
        "--1",
        "10000000",
        "٣",
        "1 2",
        "nan",
    ],
)
def test_no_quantity(text: str) -> None:
    with pytest.raises(Refused, match=r"^qty$"):
        fields.quantity(text, POINT, yes=1)


@pytest.mark.parametrize(
    ("text", "numbers", "amount"),
    [
        ("12.5", POINT, "12.5000"),
        ("12,5", COMMA, "12.5000"),
        ("1.234,56", GERMAN, "1234.5600"),
        ("1,234.56", ENGLISH, "1234.5600"),
        ("1.234", GERMAN, "1234.0000"),
        ("1234567,89", GERMAN, "1234567.8900"),
        ("0.00005", POINT, "0.0001"),  # half up, not to even
        ("0.00015", POINT, "0.0002"),
        ("€ 12,50", COMMA, "12.5000"),
        ("12,50 EUR", COMMA, "12.5000"),
    ],
)
def test_prices(text: str, numbers: Numbers, amount: str) -> None:
    assert fields.price(text, numbers) == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1.234,56", POINT),
        ("1.234,56", COMMA),
        ("12.50", GERMAN),  # would be 1,250 to somebody in a hurry
        ("1.23.456", GERMAN),
        ("-1", POINT),
        ("1e2", POINT),
        ("NaN", POINT),
        ("Infinity", POINT),
        ("on request", POINT),
        ("100000000", POINT),
        ("1" * 50, POINT),
        ("12 $", POINT),
    ],
)
def test_no_price(text: str, numbers: Numbers) -> None:
    with pytest.raises(Refused, match=r"^price$"):
        fields.price(text, numbers)


def test_no_price_is_not_a_price_of_nothing() -> None:
    assert fields.price(" ", POINT) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4006381333931", ("4006381333931", None)),
        (" 4006381-333931 ", ("4006381333931", None)),
        ('="4006381333931"', ("4006381333931", None)),
        ("'4006381333931", ("4006381333931", None)),
        ("4006381333931.0", ("4006381333931", None)),
        ("04006381333931", ("4006381333931", None)),  # a GTIN-14
        ("036000291452", ("0036000291452", "ean_zeros_restored")),  # UPC-A
        ("36000291452", ("0036000291452", "ean_zeros_restored")),
        ("96385074", ("0000096385074", "ean_zeros_restored")),  # EAN-8
        ("", (None, None)),
        ("4006381333932", (None, "ean_check_digit")),
        ("400638133393", (None, "ean_check_digit")),
        ("4.00638E+12", (None, "ean_scientific")),
        ("4,00638e+12", (None, "ean_scientific")),
        ("0000000000000", (None, "ean_placeholder")),
        ("1234567", (None, "ean_length")),
        ("14006381333931", (None, "ean_length")),
        ("400638133393X", (None, "ean_malformed")),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", (None, "ean_malformed")),
    ],
)
def test_eans(text: str, expected: tuple[str | None, str | None]) -> None:
    assert fields.ean(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (None, None)),
        ("3", (3, None)),
        ("2-4", (4, None)),
        ("soon", (None, "delivery_days")),
        ("1000", (None, "delivery_days")),
    ],
)
def test_delivery_days(text: str, expected: tuple[int | None, str | None]) -> None:
    assert fields.delivery_days(text) == expected


@given(st.lists(st.integers(0, 10**12 - 1), max_size=30), st.integers(0, 9), st.integers(0, 29))
@settings(max_examples=100)
def test_many_eans_at_once_are_judged_as_one_by_one(
    numbers: list[int], digit: int, place: int
) -> None:
    eans = [f"{number:012d}" for number in numbers]
    eans = [
        ean + str(next(d for d in range(10) if fields.fits_check_digit(f"{ean}{d}")))
        for ean in eans
    ]
    if eans:
        spoilt = eans[place % len(eans)]
        eans[place % len(eans)] = spoilt[:-1] + str(digit)

    together = fields.all_fit_check_digit("".join(eans).encode())

    assert together == all(map(fields.fits_check_digit, eans))


@given(st.integers(1, 10**9))
@settings(max_examples=50)
def test_an_ean_that_lost_its_zeros_is_found_again(number: int) -> None:
    whole = ean_of(number)
    short = whole.lstrip("0")

    found, note = fields.ean(short)

    if len(short) >= 8:
        assert found == whole
        assert note == (None if short == whole else "ean_zeros_restored")


@pytest.mark.timeout(5)
@pytest.mark.parametrize("text", ["1" + " " * 500_000 + "x", "." * 500_000, ".0" * 250_000])
def test_a_cell_of_a_million_letters_is_not_looked_at_for_long(text: str) -> None:
    for read in (fields.quantity, fields.price):
        with pytest.raises(Refused):
            read(text, GERMAN, **({"yes": 1} if read is fields.quantity else {}))  # type: ignore[operator]
    assert fields.ean(text)[0] is None
    assert fields.delivery_days(text)[0] is None

"""What DriveRight says of a vehicle: read, checked, and named where it is malformed."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.errors import BadInput
from cronops.jobs.driveright.provider import read_page
from cronops.jobs.driveright.vehicles import read_fitment, read_vehicle
from tests.partners import driveright

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals()
    | st.text(max_size=5)
    | st.sampled_from(["5x112", "tyre", "wheel", "front"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def wheel(**facts: Any) -> dict[str, Any]:
    """A wheel, with numbers as they are read from JSON."""
    raw = driveright.wheel()
    return {
        name: Decimal(str(value)) if isinstance(value, float) else value
        for name, value in {**raw, **facts}.items()
    }


def tyre() -> dict[str, Any]:
    return driveright.tyre()


def vehicle(number: int, **facts: Any) -> dict[str, Any]:
    return driveright.vehicle(number, **{"fitments": [tyre(), wheel()], **facts})


FIELDS = (*vehicle(1), *tyre(), *wheel())


def test_a_vehicle_with_all_there_is():
    read = read_vehicle(vehicle(7, id=7, model=" Model\n 7 "))
    assert (read.external_id, read.model, read.problems) == ("7", "Model 7", ())
    first, second = read.fitments
    assert first[:6] == ("tyre", "both", True, 205, 55, Decimal("16.0"))
    assert second[6:] == tuple(
        Decimal(one) if one != "5x112" else one
        for one in ("16.0", "6.5", "5x112", "57.1", "35.0", "50.0")
    )


@pytest.mark.parametrize(
    ("pcd", "read"),
    [
        ("5x112", "5x112"),
        ("5X112.0", "5x112"),
        ("5 \N{MULTIPLICATION SIGN} 114.30", "5x114.3"),
        ("10x112", "10x112"),
        ("", None),
        (None, None),
    ],
)
def test_pcds(pcd: str | None, read: str | None):
    assert read_fitment(wheel(pcd=pcd)).pcd == read


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"pcd": "5/112"}, "pcd"),
        ({"pcd": "112x5"}, "pcd"),
        ({"pcd": "0x112"}, "pcd"),
        ({"pcd": 5}, "pcd"),
        ({"offsetMin": 51}, "which is less"),
        ({"offsetMin": 2000}, "out of all reason"),
        ({"centreBore": 0}, "out of all reason"),
        ({"centreBore": Decimal("0.04")}, "out of all reason"),
        ({"centreBore": Decimal("NaN")}, "out of all reason"),
        ({"centreBore": "57.1"}, "no number"),
        ({"wheelWidth": True}, "no number"),
        ({"wheelWidth": None}, "no wheelWidth"),
        ({"wheelWidth": Decimal("999.99")}, "out of all reason"),
        ({"productType": "cap"}, "neither tyre nor wheel"),
        ({"position": "left"}, "none of front, rear, both"),
        ({"oe": 1}, "neither true nor false"),
    ],
)
def test_malformed_fitments(facts: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=said):
        read_fitment(wheel(**facts))
    read = read_vehicle(vehicle(1, fitments=[tyre(), wheel(**facts)]))
    assert len(read.fitments) == 1
    assert read.is_valid
    assert read.is_partial
    assert read.problems[0].startswith("fitment 2: ")


@pytest.mark.parametrize(
    "facts",
    [
        {"make": None},
        {"model": 5},
        {"model": "x" * 201},
        {"variant": "a\x00b"},
        {"builtFrom": "2010"},
        {"builtFrom": 99},
        {"builtUntil": 2009},
        {"fitments": None},
        {"fitments": {}},
    ],
)
def test_a_malformed_vehicle_is_known_by_its_id(facts: dict[str, Any]):
    read = read_vehicle(vehicle(3, **facts))
    assert (read.external_id, read.is_valid, len(read.problems)) == ("V3", False, 1)


@pytest.mark.parametrize("raw", [None, 5, [], {}, {"id": ""}, {"id": None}, {"id": True}])
def test_without_an_id_it_is_nobodys(raw: Any):
    with pytest.raises(ValueError, match="it"):
        read_vehicle(raw)


@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON), st.dictionaries(st.sampled_from(FIELDS), JSON)
)
def test_whatever_comes_is_read_or_named(of_vehicle: dict[str, Any], of_fitment: dict[str, Any]):
    raw = vehicle(1, **{"fitments": [wheel(**of_fitment)], **of_vehicle})
    try:
        read = read_vehicle(raw)
    except ValueError:
        return
    assert read.is_valid or read.problems
    for fitment in read.fitments:
        numbers = [one for one in fitment if isinstance(one, int | Decimal)]
        assert all(abs(one) < 1000 for one in numbers)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b'{"vehicles": {}}',
        b'{"vehicles": [], "total": "10"}',
        b'{"vehicles": [], "total": -1}',
        b'{"vehicles": [], "total": true}',
        b'{"vehicles": [], "total": 1, "next": 5}',
        b'{"vehicles": [], "total": 1, "next": ""}',
        b'{"vehicles": [], "total": 1, "next": "a\\u0000b"}',
        b'{"vehicles": [], "total": 1, "next": "a\\ud800"}',
        b'{"vehicles": [], "total": 2147483648}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_page(content: bytes):
    with pytest.raises(BadInput):
        read_page(content, "https://driveright.example/vehicles")

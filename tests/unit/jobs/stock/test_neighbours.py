"""Which exports would replace each other's files."""

from dataclasses import replace
from pathlib import Path

import pytest

from cronops.errors import BadInput, ConfigurationError
from cronops.jobs.stock.neighbours import check_is_alone, check_is_first
from cronops.jobs.stock.setting import ExportSetting

ROOT = Path("/srv/exports")
FIRST = ExportSetting(
    id=1,
    name="first",
    platform="p",
    column_map=[("n", "ean")],
    transport="sftp://files.example.com/in/",
    credential="partner",
    file_pattern="stock_{date}.csv",
    active=True,
)
SECOND = replace(FIRST, id=2, name="second")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({}, {"transport": "SFTP://Files.example.com/in"}),
        ({"transport": "out"}, {"transport": "/srv/exports/out/"}),
        ({"transport": "out", "credential": "a"}, {"transport": "file:///srv/exports/x/../out"}),
        ({"file_pattern": "1_p.csv"}, {"file_pattern": "1_{platform}.csv"}),
        ({"file_pattern": "{nope}.csv"}, {"file_pattern": "{nope}.csv"}),
    ],
)
def test_the_same_file_is_the_first_ones(ours: dict[str, str], theirs: dict[str, str]) -> None:
    first, second = replace(FIRST, **ours), replace(SECOND, **theirs)  # type: ignore[arg-type]
    every = [first, second]

    check_is_first(first, every, root=ROOT)
    with pytest.raises(ConfigurationError, match="export 2 'second' would replace"):
        check_is_first(second, every, root=ROOT)
    for one in every:
        with pytest.raises(BadInput, match="nothing was changed"):
            check_is_alone(one, every, root=ROOT)


@pytest.mark.parametrize(
    "theirs",
    [
        {"active": False},
        {"credential": "another"},
        {"transport": "sftp://files.example.com/IN/"},
        {"transport": "sftp://files.example.com:2222/in/"},
        {"transport": "in"},
        {"file_pattern": "stock_{id}.csv"},
        {"file_pattern": "{nope}.csv"},
    ],
)
def test_another_file_is_nobodys_business(theirs: dict[str, object]) -> None:
    other = replace(FIRST, **theirs)  # type: ignore[arg-type]

    check_is_first(SECOND, [other, SECOND], root=ROOT)
    check_is_alone(SECOND, [other, SECOND], root=ROOT)

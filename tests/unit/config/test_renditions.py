import json
from typing import Any

import pytest

from cronops.config import Settings
from cronops.config.setting import InvalidSettings


def images(value: Any) -> Any:
    return Settings(images={"renditions": value}).images.renditions


def test_what_is_left_out_has_a_default() -> None:
    (one,) = images([{"name": "small", "width": "10", "height": 20}])
    assert (one.width, one.height, one.fit, one.format, one.quality) == (
        10, 20, "contain", "jpeg", 85,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([], "must be a list such as"),
        ({"name": "a"}, "must be a list such as"),
        (["a"], "must be a list such as"),
        ([{"width": 1, "height": 1}], "name is missing"),
        ([{"name": "a", "width": 1}], "height is missing"),
        ([{"name": "../a", "width": 1, "height": 1}], "lower-case letters"),
        ([{"name": "a", "width": 0, "height": 1}], "at least 1"),
        ([{"name": "a", "width": 1, "height": 1, "format": "tiff"}], "jpeg, png or webp"),
        ([{"name": "a", "width": 1, "height": 1, "fit": "squeeze"}], "contain or cover"),
        ([{"name": "a", "width": 1, "height": 1, "quality": 101}], "at most 100"),
        ([{"name": "a", "width": 1, "height": 1, "widht": 1}], "did you mean 'width'"),
        ([{"name": "a", "width": 16384, "height": 1, "format": "webp"}], "webp has at most 16,383"),
        ([{"name": "a", "width": 1, "height": 1}] * 2, "two renditions are called 'a'"),
    ],
)
def test_what_does_not_fit_is_refused(value: Any, says: str) -> None:
    with pytest.raises(InvalidSettings, match=says):
        images(value)


def test_the_default_can_be_written_down_and_read_again() -> None:
    default = Settings().images.renditions
    written = json.loads(json.dumps([dict(one) for one in default]))
    assert images(written) == default

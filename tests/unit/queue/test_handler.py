from datetime import timedelta
from typing import Any

import pytest

from cronops.errors import DeclarationError
from cronops.queue.handler import handler

GOOD: dict[str, Any] = {"timeout": timedelta(seconds=1), "accountable": "Vehicle Data"}


def work(ctx: Any, message: Any) -> None:
    """Do the work.

    At length.
    """


def test_a_declaration_keeps_what_it_is_told() -> None:
    made = handler("orders.process", **GOOD)(work)
    assert made.name == "orders.process"
    assert made.settle == "each"
    assert made.accountable == ("Vehicle Data",)
    assert made.summary == "Do the work."
    assert made.function is work


@pytest.mark.parametrize(
    ("name", "changed", "says"),
    [
        ("Orders Process", {}, "lower-case words joined by dots"),
        ("", {}, "lower-case words joined by dots"),
        ("work", {"timeout": timedelta(0)}, "longer than 0"),
        ("work", {"timeout": 5}, "timedelta"),
        ("work", {"accountable": ()}, "names nobody"),
        ("work", {"accountable": " "}, "owners' names"),
        ("work", {"max_attempts": 0}, "at least 1"),
        ("work", {"settle": "sometimes"}, "'each' or 'batch'"),
        ("work", {"payload": dict}, "pydantic model"),
    ],
)
def test_a_declaration_that_lacks_something_says_what(
    name: str, changed: dict[str, Any], says: str
) -> None:
    with pytest.raises(DeclarationError, match=says) as refused:
        handler(name, **(GOOD | changed))(work)
    assert f"handler {name!r}" in str(refused.value)


def test_the_function_takes_a_context_and_a_message() -> None:
    with pytest.raises(DeclarationError, match="two parameters"):
        handler("work", **GOOD)(lambda message: None)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize("missing", ["timeout", "accountable"])
def test_timeout_and_owner_have_no_default(missing: str) -> None:
    with pytest.raises(TypeError, match=missing):
        handler("work", **{name: value for name, value in GOOD.items() if name != missing})

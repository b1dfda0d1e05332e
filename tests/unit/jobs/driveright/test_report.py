"""The report of changes."""

from types import SimpleNamespace
from typing import Any

import pytest

from cronops.jobs.driveright.report import report


@pytest.mark.parametrize(
    ("environment", "told"),
    [("production", "production"), ("shop 2 <é>", "shop%202%20%3C%C3%A9%3E")],
)
def test_an_environment_of_any_name_makes_a_message_id(environment: str, told: str) -> None:
    counts = dict.fromkeys(("pulled", "added", "changed", "retired", "malformed"), 0)
    sync: Any = SimpleNamespace(id=7, counts=counts)
    nothing: Any = SimpleNamespace(execute=lambda *_: SimpleNamespace(fetchall=list))
    mail = report(nothing, sync, sender="a@b.c", to="d@e.f", environment=environment, domain="b.c")
    assert mail.message_id == f"<driveright.{told}.7@b.c>"
    assert mail.message_id.isascii()

"""What a run says of the exports that failed."""

from types import SimpleNamespace
from typing import Any

import pytest

from cronops.errors import (
    BadInput,
    ConfigurationError,
    CronopsError,
    DatabaseUnavailable,
    Interrupted,
    LeaseLost,
    PermanentError,
    TransientError,
)
from cronops.jobs.stock.failures import Failures
from cronops.jobs.stock.setting import ExportSetting


def setting(number: int) -> ExportSetting:
    return ExportSetting(
        id=number, name="n", platform="p", column_map=[], transport="t", file_pattern="f"
    )


def failed(*errors: Exception) -> CronopsError:
    told: list[str] = []
    counted: list[str] = []
    log = SimpleNamespace(error=lambda event, **_: told.append(event))
    context: Any = SimpleNamespace(count=counted.append, log=log)
    connection: Any = SimpleNamespace(closed=False, broken=False)
    failures = Failures(of=20)
    for number, error in enumerate(errors, 1):
        with failures.of_one(context, connection, setting(number)):
            raise error
    assert counted == ["failed"] * len(errors)
    assert told.count("export failed") == len(errors)
    with pytest.raises(CronopsError) as raised:
        failures.raise_if_any()
    return raised.value


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ([BadInput("a")], BadInput),
        ([BadInput("a"), BadInput("b")], BadInput),
        ([ConfigurationError("a")], ConfigurationError),
        ([BadInput("a"), ConfigurationError("b")], PermanentError),
        ([BadInput("a"), TransientError("b")], TransientError),
        ([ZeroDivisionError("a")], PermanentError),
    ],
)
def test_the_kind_is_what_they_share_or_what_can_be_helped(
    errors: list[Exception], kind: type[Exception]
) -> None:
    raised = failed(*errors)

    assert type(raised) is kind
    assert str(raised).startswith(f"{len(errors)} of 20 exports failed: export 1 'n': ")


def test_many_are_named_and_the_first_explained() -> None:
    said = str(failed(*(BadInput(f"reason {number}") for number in range(1, 13))))

    assert "export 10 'n': reason 10; and 11 'n', 12 'n'; why: cronops stock runs --failed" in said
    assert "reason 11" not in said


@pytest.mark.parametrize("error", [LeaseLost("x"), DatabaseUnavailable("x"), Interrupted("x")])
def test_what_would_befall_all_of_them_ends_the_run(error: Exception) -> None:
    with pytest.raises(type(error)):
        failed(error)


def test_nothing_is_raised_where_nothing_failed() -> None:
    Failures(of=1).raise_if_any()

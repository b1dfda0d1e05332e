"""Attempts within a run, and the exit code each kind of failure ends with."""

import pytest

from tests.integration.contract.conftest import Stage


@pytest.mark.parametrize(
    ("arguments", "code", "attempts"),
    [
        (("--times=2",), 0, 3),
        ((), 1, 3),
        (("--kind=permanent",), 1, 1),
        (("--kind=undeclared",), 1, 1),
    ],
    ids=["third attempt succeeds", "declared error exhausted", "permanent", "undeclared"],
)
def test_only_declared_errors_are_tried_again(
    stage: Stage, arguments: tuple[str, ...], code: int, attempts: int
) -> None:
    ended = stage("probe", "fail", *arguments)

    assert ended.code == code, ended.text
    run = stage.run("probe fail")
    assert run["attempts"] == attempts
    assert run["outcome"] == ("failed" if code else "succeeded")


@pytest.mark.parametrize(
    ("kind", "code", "told"),
    [
        ("TransientError", 75, True),
        ("PermanentError", 1, True),
        ("BadInput", 65, True),
        ("ConfigurationError", 78, True),
        ("UsageError", 64, True),
        ("NeedsAPerson", 1, True),
        ("Python's own", 1, True),
    ],
)
def test_the_exit_code_tells_the_kind_of_failure(
    stage: Stage, kind: str, code: int, told: bool
) -> None:
    ended = stage("probe", "raise", f"--kind={kind}", "--text=no luck today")

    assert ended.code == code, ended.text
    run = stage.run("probe raise")
    assert (run["outcome"], run["exit_code"], run["attempts"]) == ("failed", code, 1)
    assert "no luck today" in run["reason"]
    assert stage.receipt()["exit_code"] == code
    assert bool(stage.alerts()) is told

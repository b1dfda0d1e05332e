"""Words from before there were options: taken, and told the new way."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

import pytest

from cronops import Outcome, Retry, job
from cronops.cli.failure import run
from cronops.cli.job_command import job_command
from cronops.cli.legacy import translated, without
from cronops.contract.job import Job


def declare(function: Callable[..., Any], **fields: Any) -> Job:
    declaration: dict[str, Any] = {
        "cr": ("CR-009", "CR-010"),
        "lock": "probe",
        "timeout": timedelta(minutes=1),
        "retry": Retry.never(),
        "idempotency": "writes nothing",
        "accountable": "Shared Ops",
        "responsible": "Shared Ops",
    }
    return job("suppliers import-stock", **{**declaration, **fields})(function)


def work(
    ctx: Any,
    *,
    supplier: Annotated[int | None, "One."] = None,
    update_anyway: Annotated[bool, "Whatever."] = False,
) -> Outcome:
    """Work."""
    return Outcome()


JOB = declare(work, legacy=("supplier", "update_anyway"))


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["23"], ["--supplier=23"]),
        (["23", "1"], ["--supplier=23", "--update-anyway"]),
        (["23", "0"], ["--supplier=23"]),
        (["23", "updateAnyway=1"], ["--supplier=23", "--update-anyway"]),
        (["supplier=23"], ["--supplier=23"]),
        (["update_anyway=true"], ["--update-anyway"]),
        (["updateAnyway="], []),
    ],
)
def test_old_words_become_options(words: list[str], options: list[str]) -> None:
    assert translated(JOB, words) == options


def test_the_new_form_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    translated(JOB, ["23", "updateAnyway=1"])

    told = capsys.readouterr().err
    assert "old way" in told
    assert "write: cronops suppliers import-stock --supplier=23 --update-anyway" in told


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["suplier=23"], "there are supplier=, updateAnyway="),
        (["23", "1", "2"], "takes no argument '2'"),
        (["23", "updateAnyway=maybe"], "write 1 or 0"),
    ],
)
def test_a_word_that_means_nothing_is_refused(words: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        translated(JOB, words)


def test_equal_words_of_options_stay() -> None:
    assert without(["--wait", "23", "23"], ["23"]) == ["--wait", "23"]


def test_a_command_with_old_words_reads_their_values() -> None:
    made = job_command(JOB)
    context = made.make_context("import-stock", ["23", "--wait", "5", "updateAnyway=1"])
    assert context.params["supplier"] == 23
    assert context.params["update_anyway"] is True
    assert context.params["wait"] == timedelta(seconds=5)


def test_arguments_that_make_no_sense_together_are_a_usage_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def check(*, supplier: int | None, update_anyway: bool) -> None:
        if supplier is None:
            raise ValueError("say which supplier: --supplier=23")

    made = job_command(declare(work, check=check))
    with pytest.raises(Exception, match="say which supplier") as refused:
        made.main([], standalone_mode=False)
    assert refused.value.exit_code == 2  # type: ignore[attr-defined]


def test_a_job_of_two_requests_tells_which_one_it_is() -> None:
    declared = declare(
        work, cr_of=lambda *, supplier, update_anyway: "CR-010" if supplier else "CR-009"
    )
    assert declared.cr == "CR-009, CR-010"
    assert declared.cr_for({"supplier": 23, "update_anyway": False}) == "CR-010"


def test_old_words_of_a_job_that_has_none_are_told_plainly(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["queue", "clean", "old"]) == 2
    assert "unexpected extra argument" in capsys.readouterr().err

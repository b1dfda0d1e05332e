"""A job's command line, made from its signature."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from typer.exceptions import TyperException

from cronops.cli.contract import contract_lines, lock_template
from cronops.cli.job_command import job_command
from cronops.contract.job import Job, Lock, Wait, job
from cronops.contract.retry import Retry
from cronops.errors import DeclarationError, TransientError

DECLARED: dict[str, Any] = {
    "cr": "X-001",
    "timeout": timedelta(minutes=2),
    "retry": Retry(on=TransientError, attempts=3),
    "idempotency": "does nothing",
    "accountable": ("Vehicle Data", "Webshop"),
    "responsible": "Shared Ops",
}


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@job("probe everything", lock="probe.{queue}", counts=("rows",), consulted="Webshop", **DECLARED)
def everything(
    ctx: object,
    *,
    queue: Annotated[str, "The queue to work."] = "general",
    number: int | None = None,
    share: float = 0.5,
    price: Decimal | None = None,
    file: Path | None = None,
    at: datetime | None = None,
    day: date | None = None,
    longest: timedelta = timedelta(seconds=90),
    mode: Literal["fast", "safe"] = "safe",
    colour: Colour = Colour.RED,
    tags: Sequence[str] | None = None,
    names: list[str] | None = None,
    ids: Annotated[tuple[int, ...], "Which."] = (),
    all: bool = False,
    until_empty: bool = True,
    dry: bool | None = None,
) -> None:
    """Take every kind of option.

    And explain it at length.
    """


@job("probe required", lock="probe.required", **DECLARED)
def required(ctx: object, *, supplier: Annotated[int, "Which supplier."]) -> None:
    """Need a supplier."""


@pytest.fixture
def run(monkeypatch):
    """Calls a job's command; what reached the contract."""
    calls: list[tuple[Job, dict[str, Any], Any]] = []

    def execute(job, arguments, options, settings, wiring):
        calls.append((job, arguments, options))
        return 7

    monkeypatch.setattr("cronops.contract.runner.execute", execute)

    def call(job, *arguments):
        code = job_command(job).main(list(arguments), prog_name="job", standalone_mode=False)
        assert code == 7, "the run's exit code is the command's"
        return calls.pop()

    return call


def refuse(job, *arguments):
    with pytest.raises(TyperException) as caught:
        job_command(job).main(list(arguments), prog_name="job", standalone_mode=False)
    assert caught.value.exit_code == 2
    return caught.value.format_message()


def test_every_option_left_out_gives_the_function_its_own_defaults(run):
    _, arguments, options = run(everything)
    assert arguments == {
        "queue": "general",
        "number": None,
        "share": 0.5,
        "price": None,
        "file": None,
        "at": None,
        "day": None,
        "longest": timedelta(seconds=90),
        "mode": "safe",
        "colour": Colour.RED,
        "tags": None,
        "names": None,
        "ids": (),
        "all": False,
        "until_empty": True,
        "dry": None,
    }
    assert vars(options) == {
        "scheduled_at": None,
        "run_id": None,
        "correlation_id": None,
        "wait": None,
        "fail_if_locked": False,
    }


@pytest.mark.parametrize(
    ("words", "name", "expected"),
    [
        (["--queue", "fast"], "queue", "fast"),
        (["--number=-3"], "number", -3),
        (["--share", "0.25"], "share", 0.25),
        (["--price", "1.10"], "price", Decimal("1.10")),
        (["--file", "/x/y"], "file", Path("/x/y")),
        (["--at", "2026-11-23T04:00:00Z"], "at", datetime(2026, 11, 23, 4, tzinfo=UTC)),
        (["--day", "2026-11-23"], "day", date(2026, 11, 23)),
        (["--longest", "1h30m"], "longest", timedelta(minutes=90)),
        (["--mode", "fast"], "mode", "fast"),
        (["--colour", "blue"], "colour", Colour.BLUE),
        (["--tags", "a", "--tags", "b"], "tags", ["a", "b"]),
        (["--names", "a"], "names", ["a"]),
        (["--ids", "1", "--ids", "2"], "ids", (1, 2)),
        (["--all"], "all", True),
        (["--no-until-empty"], "until_empty", False),
        (["--until-empty"], "until_empty", True),
        (["--dry"], "dry", True),
        (["--no-dry"], "dry", False),
    ],
)
def test_each_kind_of_option_arrives_as_its_type(run, words, name, expected):
    value = run(everything, *words)[1][name]
    assert value == expected
    assert type(value) is type(expected)


def test_the_options_of_every_job_reach_the_contract_and_not_the_function(run):
    _, arguments, options = run(
        required,
        *("--supplier", "7", "--scheduled-at", "2026-11-23T05:00:00+01:00", "--run-id", "r-1"),
        *("--correlation-id", "c-1", "--wait", "2m", "--fail-if-locked"),
    )
    assert arguments == {"supplier": 7}
    assert options.scheduled_at == datetime(2026, 11, 23, 4, tzinfo=UTC)
    assert (options.run_id, options.correlation_id) == ("r-1", "c-1")
    assert options.wait == timedelta(minutes=2)
    assert options.fail_if_locked is True


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--number", "three"], "'three' is no whole number"),
        (["--number", ""], "no whole number"),
        (["--number"], "requires an argument"),
        (["--share", "half"], "--share"),
        (["--price", "1,10"], "'1,10' is no decimal number"),
        (["--price", "NaN"], "no finite number"),
        (["--at", "2026-11-23T04:00:00"], "has no zone"),
        (["--at", "tomorrow"], "is no time"),
        (["--day", "2026-13-01"], "--day"),
        (["--longest", "-5"], "cannot be negative"),
        (["--mode", "slow"], "is not one of"),
        (["--colour", "green"], "is not one of"),
        (["--no-all"], "No such option"),
        (["--wait", "soon"], "not a duration"),
        (["--scheduled-at", "2026-11-23"], "has no zone"),
        (["stray"], "unexpected extra argument"),
        (["--numbr", "3"], "--number"),
    ],
)
def test_rubbish_is_refused_in_words(words, said):
    assert said in refuse(everything, *words)


def test_a_parameter_without_a_default_is_required():
    assert "--supplier" in refuse(required)


def help_of(job):
    command = job_command(job)
    context = command.make_context(f"cronops {job.name}", [], resilient_parsing=True)
    return command.get_help(context)


def test_help_teaches_the_options_and_the_whole_contract():
    text = " ".join(help_of(everything).split())
    for expected in (
        "Usage: cronops probe everything [OPTIONS]",
        "Take every kind of option. And explain it at length.",
        "--queue TEXT The queue to work. [default: general]",
        "--longest DURATION [default: (1m 30s)]",
        "--ids INTEGER Which. May be given several times.",
        "--until-empty / --no-until-empty",
        "Every job: --scheduled-at TIME",
        "lock probe.{queue}; a run that finds it held skips",
        "timeout 2m, all attempts together",
        "retry on TransientError: 3 attempts, 1s apart, doubling to 1m",
        "idempotency does nothing",
        "accountable Vehicle Data, Webshop",
        "responsible Shared Ops",
        "consulted Webshop",
        "counts rows",
        "exit codes 0 succeeded or skipped, 1 failed (tried again by the pod)",
    ):
        assert expected in text
    assert "--no-all" not in text


def declare(function, **changes):
    return job("probe declared", **{"lock": "probe.declared", **DECLARED, **changes})(function)


def test_the_contract_says_what_is_not_the_usual():
    def work(ctx: object) -> None: ...

    declared = declare(
        work, retry=Retry.never(), retry_safe=False, when_locked=Wait(timedelta(minutes=5))
    )
    lines = dict(contract_lines(declared))
    assert lines["retry"] == "none within the run"
    assert lines["lock"] == "probe.declared; a run that finds it held waits 5m, then skips"
    assert lines["retry safe"].startswith("no")
    assert "not tried again" in lines["exit codes"]
    assert "consulted" not in lines


def test_a_lock_function_is_shown_as_its_template():
    def locks(*, supplier: str, fast: bool = False) -> tuple[Lock, ...]:
        return (Lock(f"probe.{supplier}"), Lock("probe.all", shared=True))

    def work(ctx: object, *, supplier: str, fast: bool = False) -> None: ...

    assert lock_template(declare(work, lock=locks)) == "probe.{supplier}, probe.all"


def test_a_lock_function_that_computes_is_shown_by_its_docstring():
    def locks(*, supplier: int) -> str:
        """One lock for every ten suppliers."""
        return f"probe.{supplier % 10:d}"

    def work(ctx: object, *, supplier: int) -> None: ...

    assert lock_template(declare(work, lock=locks)) == "One lock for every ten suppliers."


def test_a_parameter_cannot_take_the_name_of_an_option_of_every_job():
    def work(ctx: object, *, run_id: str = "") -> None: ...

    with pytest.raises(DeclarationError, match=r"'probe declared'.*already has.*'run_id'"):
        job_command(declare(work))


def test_a_parameter_of_several_types_is_refused():
    def work(ctx: object, *, amount: int | str = 1) -> None: ...

    with pytest.raises(DeclarationError, match=r"'amount'.*one type or None"):
        job_command(declare(work))


@pytest.mark.parametrize("kind", [dict[str, str], list[dict[str, str]], bytes, object])
def test_a_type_that_no_option_can_be_made_of_is_refused(kind):
    def work(ctx: object, *, amount: object = None) -> None: ...

    work.__annotations__["amount"] = kind
    with pytest.raises(DeclarationError, match="no option can be made of parameter 'amount'"):
        job_command(declare(work))


def test_reading_a_jobs_options_does_not_wait_for_pydantic():
    program = (
        "import sys, cronops.contract.runner as runner\n"
        "runner.execute = lambda job, arguments, *rest: arguments['max_messages']\n"
        "from cronops.cli.failure import run\n"
        "code = run(['queue', 'process', '--max-messages', '7', '--max-time', '5m'])\n"
        "print(code, 'pydantic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["7", "False"], done.stderr

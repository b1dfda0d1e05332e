"""A job's command, made from the signature of its function."""

import inspect
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import typer
from typer.core import TyperCommand
from typer.main import get_command

from cronops.cli.tree import operator_app
from cronops.contract.job import Job, Wait
from cronops.durations import format_duration, parse_duration
from cronops.errors import DeclarationError, ExitCode

_EVERY_JOB = "Every job"


def instant(text: str) -> datetime:
    """A time with its zone, from ISO 8601."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write 2026-11-23T04:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no zone; write 2026-11-23T04:00:00Z or …+01:00")
    return moment


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no decimal number") from None
    if not number.is_finite():
        raise ValueError(f"{text!r} is no finite number")
    return number


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is no whole number") from None


# Types that typer does not read, or reads more laxly than a job wants (a time without a zone);
# None leaves the reading to typer.
_PARSERS: Mapping[Any, tuple[Callable[[str], Any] | None, str]] = {
    str: (None, "TEXT"),
    Path: (None, "PATH"),
    float: (None, "NUMBER"),
    int: (_whole, "INTEGER"),
    Decimal: (_decimal, "DECIMAL"),
    datetime: (instant, "TIME"),
    date: (date.fromisoformat, "DATE"),
    time: (time.fromisoformat, "TIME-OF-DAY"),
    timedelta: (parse_duration, "DURATION"),
}

COMMON_OPTIONS: Mapping[str, tuple[Any, Any]] = {
    "scheduled_at": (
        datetime | None,
        typer.Option(
            "--scheduled-at",
            parser=instant,
            metavar="TIME",
            rich_help_panel=_EVERY_JOB,
            help="The slot's time, with its zone; the same slot never succeeds twice. "
            "In a pod it comes from the Job's name. [CRONOPS_SCHEDULED_AT]",
        ),
    ),
    "run_id": (
        str | None,
        typer.Option(
            "--run-id",
            metavar="ID",
            rich_help_panel=_EVERY_JOB,
            help="Name this run; in a pod it is the Job's name. [CRONOPS_RUN_ID]",
        ),
    ),
    "correlation_id": (
        str | None,
        typer.Option(
            "--correlation-id",
            metavar="ID",
            rich_help_panel=_EVERY_JOB,
            help="Ties the run to what caused it, in logs, messages and mails. "
            "[CRONOPS_CORRELATION_ID]",
        ),
    ),
    "wait": (
        timedelta | None,
        typer.Option(
            "--wait",
            parser=parse_duration,
            metavar="DURATION",
            rich_help_panel=_EVERY_JOB,
            help="Wait so long for a held lock (90, 1m30s, PT1M30S) before skipping.",
        ),
    ),
    "fail_if_locked": (
        bool,
        typer.Option(
            "--fail-if-locked",
            rich_help_panel=_EVERY_JOB,
            help=f"End with {ExitCode.TEMPORARY:d} instead of skipping where the lock is held.",
        ),
    ),
}


def job_command(job: Job) -> TyperCommand:
    """The typer command that runs `job` under its contract and exits with the run's code.

    Raises `DeclarationError` for a parameter whose type or name no option can be made of.
    """
    own = {name: _option(job, parameter) for name, parameter in job.parameters.items()}
    # On the command line a tuple is an option given several times, as a list is.
    tuples = {
        name for name, parameter in job.parameters.items() if isinstance(parameter.default, tuple)
    }
    for name in own:
        if name in COMMON_OPTIONS:
            raise DeclarationError(f"job {job.name!r}: every job already has an option {name!r}")
    common = {
        name: inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=False if kind is bool else None,
            annotation=Annotated[kind, option],
        )
        for name, (kind, option) in COMMON_OPTIONS.items()
    }

    def run(**values: Any) -> int:
        from cronops.config import load_settings
        from cronops.contract.runner import RunOptions, execute
        from cronops.jobs.wiring import WIRING

        options = RunOptions(**{name: values.pop(name) for name in COMMON_OPTIONS})
        arguments = {
            name: tuple(value) if name in tuples else value for name, value in values.items()
        }
        return execute(job, arguments, options, load_settings().settings, WIRING)

    run.__signature__ = inspect.Signature([*own.values(), *common.values()])  # type: ignore[attr-defined]
    app = operator_app()
    documentation = inspect.getdoc(job.function) or ""
    app.command(job.name.split()[-1], cls=_command_class(job), help=documentation)(run)
    made = get_command(app)
    assert isinstance(made, TyperCommand)  # noqa: S101 - an app of one command is that command
    return made


def contract_lines(job: Job) -> list[tuple[str, str]]:
    """What the job declares, a name and a sentence each."""
    policy = job.retry.describe()
    kinds = " or ".join(policy["on"]) if isinstance(policy["on"], list) else ""
    retry = (
        f"on {kinds}: {job.retry.attempts} attempts, {format_duration(job.retry.initial)} apart, "
        f"doubling to {format_duration(job.retry.maximum)}"
        if job.retry.attempts > 1
        else "none within the run"
    )
    held = (
        f"waits {format_duration(job.when_locked.longest)}, then skips"
        if isinstance(job.when_locked, Wait)
        else "skips"
    )
    lines = [
        ("CR", job.cr),
        ("lock", f"{lock_template(job)}; a run that finds it held {held}"),
        ("timeout", f"{format_duration(job.timeout)}, all attempts together"),
        ("retry", retry),
        ("idempotency", job.idempotency),
        ("retry safe", "yes" if job.retry_safe else "no: a run cut off waits for an operator"),
        ("accountable", ", ".join(job.accountable)),
        ("responsible", job.responsible),
        ("consulted", ", ".join(job.consulted)),
        ("counts", ", ".join(job.counts)),
        ("exit codes", _exit_codes(job)),
    ]
    return [(name, text) for name, text in lines if text]


def lock_template(job: Job) -> str:
    """The lock's key with ``{parameter}`` where an argument goes; a function is asked for it."""
    if isinstance(job.lock, str):
        return job.lock
    arguments = {
        name: f"{{{name}}}"
        if parameter.default is inspect.Parameter.empty or isinstance(parameter.default, str)
        else parameter.default
        for name, parameter in job.parameters.items()
    }
    try:
        return ", ".join(lock.key for lock in job.locks_for(arguments))
    except Exception:
        # It may compute with an argument that is only a name here; then its docstring must do.
        return (inspect.getdoc(job.lock) or "depends on the arguments").split("\n", 1)[0]


def _exit_codes(job: Job) -> str:
    failed = "tried again by the pod" if job.retry_safe else "not tried again"
    return (
        f"0 succeeded or skipped, 1 failed ({failed}), 2 and 64 usage, 65 bad input, "
        "75 temporary, 78 configuration, 124 timed out, 130 interrupted, 137 crashed, "
        "143 terminated"
    )


def _option(job: Job, parameter: inspect.Parameter) -> inspect.Parameter:
    """The parameter as typer takes it: its type, and an option named after it."""
    kind, explanation = _without_annotations(parameter.annotation)
    optional = False
    if get_origin(kind) in (Union, UnionType):
        choices = [one for one in get_args(kind) if one is not NoneType]
        optional = len(choices) < len(get_args(kind))
        if len(choices) != 1:
            raise DeclarationError(
                f"job {job.name!r}: parameter {parameter.name!r} may be of one type or None, "
                f"not {kind}"
            )
        kind, inner = _without_annotations(choices[0])
        explanation = explanation or inner
    flag = f"--{parameter.name.replace('_', '-')}"
    default = parameter.default
    item = get_args(kind)[0] if get_origin(kind) in (list, tuple) else kind
    parser, metavar = _PARSERS.get(item, (None, None))
    names = flag
    if kind is bool and default is not False:
        # Only a flag that is on, or undecided, needs a word for off.
        names = f"{flag}/--no-{flag.removeprefix('--')}"
    if get_origin(kind) in (list, tuple):
        kind = list[item]  # type: ignore[valid-type]
        explanation = " ".join(filter(None, (explanation, "May be given several times.")))
    option = typer.Option(
        names,
        parser=parser,
        metavar=metavar,
        help=explanation,
        show_default=_default_shown(default),
    )
    return parameter.replace(
        annotation=Annotated[kind | None if optional else kind, option],
        default=list(default) if isinstance(default, tuple) else default,
    )


def _default_shown(default: Any) -> bool | str:
    if isinstance(default, timedelta):
        return format_duration(default)
    # A flag's default is to be seen from its names, and nothing is not worth a word.
    return not isinstance(default, bool) and default not in (None, (), [])


def _without_annotations(annotation: Any) -> tuple[Any, str | None]:
    """An ``Annotated`` type's bare type and its text, the first one in it."""
    if get_origin(annotation) is not Annotated:
        return annotation, None
    kind, *extras = get_args(annotation)
    return kind, next((extra for extra in extras if isinstance(extra, str)), None)


def _command_class(job: Job) -> type[TyperCommand]:
    class JobCommand(TyperCommand):
        """Help in three parts: the job's own options, those of every job, the contract."""

        def format_options(self, ctx: Any, formatter: Any) -> None:
            sections: dict[str, list[tuple[str, str]]] = {"Options": [], _EVERY_JOB: []}
            for parameter in self.get_params(ctx):
                record = parameter.get_help_record(ctx)
                panel = getattr(parameter, "rich_help_panel", None)
                if record:
                    sections[_EVERY_JOB if panel == _EVERY_JOB else "Options"].append(record)
            sections["Contract"] = contract_lines(job)
            for title, rows in sections.items():
                if rows:
                    with formatter.section(title):
                        formatter.write_dl(rows)

    return JobCommand

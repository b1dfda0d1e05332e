"""A job's command, made from the signature of its function."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import typer
from typer.core import TyperCommand
from typer.main import get_command

from cronops.cli.contract import contract_lines
from cronops.cli.readers import Reader, reader_of
from cronops.cli.tree import QuickHelp, operator_app
from cronops.contract.job import Job
from cronops.durations import format_duration
from cronops.errors import DeclarationError, ExitCode

_EVERY_JOB = "Every job"


# All given as one option several times.
_SEVERAL = (list, tuple, Sequence)

COMMON_OPTIONS: Mapping[str, tuple[Any, Any]] = {
    "scheduled_at": (
        datetime | None,
        typer.Option(
            "--scheduled-at",
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
    kinds = {name: _kind(job, parameter) for name, parameter in job.parameters.items()}
    own = [_option(parameter, kinds[name]) for name, parameter in job.parameters.items()]
    common = []
    for name, (annotation, option) in COMMON_OPTIONS.items():
        if name in kinds:
            raise DeclarationError(f"job {job.name!r}: every job already has an option {name!r}")
        parameter = inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=False if annotation is bool else None,
            annotation=annotation,
        )
        kinds[name] = _kind(job, parameter)
        common.append(parameter.replace(annotation=Annotated[annotation, option]))

    def run(**values: Any) -> int:
        from cronops.config import load_settings
        from cronops.contract.runner import RunOptions, execute
        from cronops.jobs.wiring import WIRING

        options = RunOptions(**{name: values.pop(name) for name in COMMON_OPTIONS})
        arguments = as_declared(job, values)
        try:
            check(job, arguments)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        return execute(job, arguments, options, load_settings().settings, WIRING)

    run.__signature__ = inspect.Signature([*own, *common])  # type: ignore[attr-defined]
    app = operator_app()
    documentation = inspect.getdoc(job.function) or ""
    app.command(job.name.split()[-1], cls=_command_class(job), help=documentation)(run)
    made: Any = get_command(app)
    for option in made.params:
        # See cronops.cli.readers for why this is not left to typer.
        option.get_runtime_param = partial(_Reading, kinds[option.name].read)
    assert isinstance(made, TyperCommand)  # noqa: S101 - an app of one command is that command
    return made


def check(job: Job, arguments: Mapping[str, Any]) -> None:
    """Raise `ValueError` where the arguments make no sense together."""
    if job.check is not None:
        job.check(**arguments)


def as_declared(job: Job, values: Mapping[str, Any]) -> dict[str, Any]:
    """The job's arguments: what may be given several times comes as a list, whatever it is."""
    return {
        name: tuple(value)
        if isinstance(value, list) and _kind(job, job.parameters[name]).is_tuple
        else value
        for name, value in values.items()
    }


@dataclass(frozen=True)
class _Kind:
    """What a parameter's annotation says."""

    of: Any
    """The type of a value, or of each of several."""
    read: Reader
    metavar: str | None
    help: str | None
    is_optional: bool
    is_several: bool
    is_tuple: bool


@dataclass(frozen=True)
class _Reading:
    """What typer asks to make a value of an option's text."""

    read: Reader

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        if param.multiple:
            return [self._one(one, param, ctx) for one in value or ()]
        return self._one(value, param, ctx)

    def _one(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str):
            return value  # a default
        try:
            return self.read(value)
        except ValueError as error:
            raise typer.BadParameter(str(error), ctx=ctx, param=param) from None


def _kind(job: Job, parameter: inspect.Parameter) -> _Kind:
    of, explanation = _without_annotations(parameter.annotation)
    is_optional = False
    if get_origin(of) in (Union, UnionType):
        choices = [one for one in get_args(of) if one is not NoneType]
        is_optional = len(choices) < len(get_args(of))
        if len(choices) != 1:
            raise DeclarationError(
                f"job {job.name!r}: parameter {parameter.name!r} may be of one type or None, "
                f"not {of}"
            )
        of, inner = _without_annotations(choices[0])
        explanation = explanation or inner
    origin = get_origin(of)
    is_several = origin in _SEVERAL
    item = get_args(of)[0] if is_several else of
    reader = reader_of(item)
    if reader is None:
        raise DeclarationError(
            f"job {job.name!r}: no option can be made of parameter {parameter.name!r}, a {of}; "
            "text, numbers, paths, times, durations, enums and Literal can"
        )
    return _Kind(item, *reader, explanation, is_optional, is_several, origin is tuple)


def _option(parameter: inspect.Parameter, kind: _Kind) -> inspect.Parameter:
    """The parameter as typer takes it: its type, and an option named after it."""
    # As PEP 8 has it for a word that Python keeps to itself: `from_` is --from.
    words = parameter.name.rstrip("_").replace("_", "-")
    default = parameter.default
    is_flag = kind.of is bool and not kind.is_several
    explanation = kind.help
    annotation = kind.of
    if kind.is_several:
        annotation = list[kind.of]  # type: ignore[name-defined]
        explanation = " ".join(filter(None, (explanation, "May be given several times.")))
    option = typer.Option(
        # Only a flag that is on, or undecided, needs a word for off.
        f"--{words}/--no-{words}" if is_flag and default is not False else f"--{words}",
        metavar=None if is_flag else kind.metavar,
        help=explanation,
        show_default=_default_shown(default),
    )
    return parameter.replace(
        annotation=Annotated[annotation | None if kind.is_optional else annotation, option],
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


def _command_class(declared: Job) -> type[TyperCommand]:
    class JobCommand(QuickHelp, TyperCommand):
        """Help in three parts: the job's own options, those of every job, the contract."""

        job = declared

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            """Take the words of before there were options, where the job had such."""
            if declared.legacy is not None and not ctx.resilient_parsing:
                _, words, _ = self.make_parser(ctx).parse_args(args=list(args))
                if words:
                    # Imported here: nobody writes them any more.
                    from cronops.cli.legacy import translated, without

                    try:
                        args = [*without(args, words), *translated(declared, words)]
                    except ValueError as error:
                        raise typer.BadParameter(str(error), ctx=ctx) from None
            return super().parse_args(ctx, args)

        def format_options(self, ctx: Any, formatter: Any) -> None:
            sections: dict[str, list[tuple[str, str]]] = {"Options": [], _EVERY_JOB: []}
            for parameter in self.get_params(ctx):
                record = parameter.get_help_record(ctx)
                panel = getattr(parameter, "rich_help_panel", None)
                if record:
                    sections[_EVERY_JOB if panel == _EVERY_JOB else "Options"].append(record)
            sections["Contract"] = contract_lines(declared)
            for title, rows in sections.items():
                if rows:
                    with formatter.section(title):
                        formatter.write_dl(rows)

    return JobCommand

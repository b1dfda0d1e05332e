"""The schedules file a command is given: found, read, and taken apart."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cronops.cli.schedules.shown import show_findings
from cronops.errors import BadInput, ExitCode, UsageError

if TYPE_CHECKING:
    from cronops.schedules.resolve import ResolvedEnvironment, ResolvedSchedule
    from cronops.schedules.source import Source
    from cronops.schedules.validate import Report

USUAL = "schedules.yaml"
_STDIN = "-"
# Four times what is accepted: enough to tell how much too large a file is, and no more.
_MOST = 64 << 20

FileName = Annotated[
    str,
    typer.Argument(
        metavar="[FILE]", help="The schedules file; - for standard input.", show_default=USUAL
    ),
]
FileOption = Annotated[
    str,
    typer.Option("--file", metavar="FILE", help="The schedules file; - for standard input."),
]


@dataclass(frozen=True)
class File:
    """A file's bytes, and what to call it."""

    name: str
    text: bytes


@dataclass(frozen=True)
class Opened:
    """One environment of a file that could be read."""

    file: File
    source: "Source"
    environment: "ResolvedEnvironment"

    def line(self, path: tuple[str | int, ...] | None) -> int | None:
        """The line in which `path` stands."""
        return None if path is None else self.source.position(path).line

    def schedule(self, name: str) -> "ResolvedSchedule":
        """The schedule of that name. Raises `UsageError` naming the nearest one."""
        from cronops.cli.names import nearest

        for schedule in self.environment.schedules:
            if schedule.name == name:
                return schedule
        known = [one.name for one in self.environment.schedules]
        listed = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
        raise UsageError(
            f"{self.file.name} has no schedule {name!r}"
            f"{nearest(name, known) or f'; it has: {listed}'}"
        )


def read_file(name: str) -> File:
    """The file's bytes. Raises `UsageError` where there is nothing to read."""
    if not name:
        raise UsageError(f"the file's name is empty; leave it out to read {USUAL}")
    if name == _STDIN:
        return File("<stdin>", sys.stdin.buffer.read(_MOST))
    try:
        with Path(name).open("rb") as stream:
            return File(name, stream.read(_MOST))
    except FileNotFoundError:
        hint = "; name the file, or change to the directory that has it" if name == USUAL else ""
        raise UsageError(f"there is no file {name}{hint}") from None
    except IsADirectoryError:
        hint = f"; name the file in it: {Path(name, USUAL)}"
        raise UsageError(f"{name} is a directory{hint}") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot read {name}: {reason}") from None


def check(file: File, environment: str | None = None) -> "Report":
    """Every rule asked."""
    import gc

    from cronops.cli.declared import InstalledJobs
    from cronops.schedules.validate import validate

    # All that is made here is kept until the command ends: with ten thousand schedules, looking
    # for garbage among it would take longer than the rules.
    gc.disable()
    today = datetime.now(UTC).date()
    return validate(file.text, InstalledJobs(), environment=environment, today=today)


def check_or_stop(file: File, environment: str | None = None) -> "Report":
    """The same; where the file is not valid its findings are shown, and `BadInput` is raised."""
    report = check(file, environment)
    if not report.is_valid:
        show_findings(file.name, report, errors_only=True)
        raise BadInput(f"{file.name} is not valid; nothing was written")
    return report


def open_environment(name: str, environment: str) -> Opened:
    """One environment, without asking any rule: also what is not valid can be looked at.

    Where the file cannot be read that far its findings are shown, and the command ends.
    """
    from cronops.cli.declared import InstalledJobs
    from cronops.cli.names import nearest
    from cronops.schedules.findings import InvalidSchedules
    from cronops.schedules.resolve import resolve
    from cronops.schedules.source import read_source
    from cronops.schedules.structure import read_document
    from cronops.schedules.validate import Report

    file = read_file(name)
    try:
        source = read_source(file.text)
        document = read_document(source)
    except InvalidSchedules as refused:
        show_findings(file.name, Report(refused.findings), errors_only=True)
        raise typer.Exit(ExitCode.BAD_INPUT) from None
    if environment not in document.environments:
        known = nearest(environment, document.environments)
        listed = ", ".join(document.environments)
        raise UsageError(
            f"{file.name} has no environment {environment!r}{known or f'; it has: {listed}'}"
        )
    resolved = resolve(document, environment, InstalledJobs(), today=datetime.now(UTC).date())
    return Opened(file, source, resolved)

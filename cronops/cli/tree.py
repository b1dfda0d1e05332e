"""The tree of commands, each loaded only when it is named.

A branch holds operators' commands and jobs alike: ``queue process`` is a job, ``queue status``
an operator's command. Help lists jobs from the table of contents; it imports none of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from cronops.errors import ExitCode

Command = TyperCommand | TyperGroup


@dataclass(frozen=True)
class OperatorEntry:
    """Where an operator's command lives."""

    module: str
    """A module with an ``app``."""
    summary: str
    command: str | None = None
    """The one command of the app that is meant; None means all of them, as a group."""


def operator_app() -> typer.Typer:
    """An empty app for a module of operators' commands; plain help, so that rich stays out."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def examples(*lines: str) -> str:
    """Examples as a command's epilog; ``# …`` behind two blanks says what one does."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


class QuickHelp:
    """For a command: ``--help`` not given is False, not None, which pydantic would have to read."""

    def get_help_option(self, ctx: Any) -> Any:
        """The option ``--help``."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.default = False
        return option


class Branch(QuickHelp, TyperGroup):
    """The commands below one path of words."""

    def __init__(
        self, *, path: tuple[str, ...] = (), module: str | None = None, **attributes: Any
    ) -> None:
        super().__init__(**{"rich_markup_mode": None, **attributes})
        self.path = path
        self._module = module

    @cached_property
    def operators(self) -> Mapping[str, OperatorEntry | Command]:
        """The operators' commands of this branch; imported when first asked for."""
        if self._module is None:
            return {}
        commands: Mapping[str, Any] = get_group(import_module(self._module).app).commands
        return commands

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the parent's signature
        """Every name that may follow, operators' commands first."""
        jobs = {words[len(self.path)] for words in self._jobs(installed=True)}
        return [*self.operators, *sorted(jobs - set(self.operators))]

    def get_command(self, ctx: Any, cmd_name: str) -> Command | None:  # noqa: ARG002
        """Load what `cmd_name` stands for: an operator's command, a job, or a further branch."""
        here = (*self.path, cmd_name)
        # In the order of haste: the built-in jobs that pods run, what we have beside them, and
        # only then what is installed, which cannot take a name from either.
        if here in self._jobs(installed=False):
            return _load_job(here)
        entry = self.operators.get(cmd_name)
        if entry is not None:
            return _load_operator(here, entry) if isinstance(entry, OperatorEntry) else entry
        jobs = self._jobs(installed=True)
        if here in jobs:
            return _load_job(here)
        if any(words[: len(here)] == here for words in jobs):
            return Branch(path=here, name=cmd_name, help=f"Jobs of {' '.join(here)}.")
        return None

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Show help where nothing follows: a group by itself does nothing."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help(), err=True)
            raise typer.Exit(ExitCode.USAGE)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: Any, args: list[str]
    ) -> tuple[str | None, Command | None, list[str]]:
        """Find the command, or name the nearest ones."""
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None:
            near = get_close_matches(name, self.list_commands(ctx))
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            ctx.fail(f"There is no command {' '.join((*self.path, name))!r}.{hint}")
        return name, command, args[1:]

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """List operators' commands, then jobs, without loading any that is not loaded yet."""
        width = 2 * formatter.width
        operators = [
            (
                name,
                entry.summary
                if isinstance(entry, OperatorEntry)
                else entry.get_short_help_str(width),
            )
            for name, entry in self.operators.items()
        ]
        jobs = [
            (" ".join(words[len(self.path) :]), summary)
            for words, summary in sorted(self._jobs(installed=True).items())
            if words[len(self.path)] not in self.operators or self._opens(words)
        ]
        for title, rows in (("Operate", operators), ("Jobs", jobs)):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def _opens(self, words: tuple[str, ...]) -> bool:
        """Whether the operators' group of that name leads on to the job."""
        return len(words) > len(self.path) + 1

    def _jobs(self, *, installed: bool) -> dict[tuple[str, ...], str]:
        """Jobs below this branch: their words and their summary."""
        from cronops.jobs.registry import list_jobs

        depth = len(self.path)
        found = ((tuple(job.path.split()), job) for job in list_jobs(installed=installed))
        return {
            words: " ".join(filter(None, (job.cr, job.summary)))
            for words, job in found
            if words[:depth] == self.path and len(words) > depth
        }


def add_branch(app: typer.Typer, *path: str, module: str, help: str, epilog: str) -> None:
    """Put a module's commands below an operators' group, as a group that answers as others do.

    `path` is all its words: ``"stock", "exports"``.
    """

    class Below(Branch):
        """The commands of that module."""

        def __init__(self, **attributes: Any) -> None:
            super().__init__(path=path, module=module, **attributes)

    below = import_module(module).app
    app.add_typer(below, name=path[-1], cls=Below, help=help, epilog=epilog)


def _load_operator(path: tuple[str, ...], entry: OperatorEntry) -> Command:
    if entry.command is None:
        return Branch(path=path, module=entry.module, name=path[-1], help=entry.summary)
    commands: Mapping[str, Any] = get_group(import_module(entry.module).app).commands
    command: Command = commands[entry.command]
    return command


def _load_job(path: tuple[str, ...]) -> Command:
    from cronops.cli.job_command import job_command
    from cronops.jobs.registry import load_job

    return job_command(load_job(" ".join(path)))

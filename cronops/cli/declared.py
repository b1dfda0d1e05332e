"""The jobs of this installation as a schedules file sees them: command lines parsed, never run.

The commands' own parsers and readers are asked, once a job and without running anything: ten
thousand schedules are read in less than a second.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from typer.main import get_command

from cronops import __version__
from cronops.cli.job_parser import JobParser
from cronops.cli.names import nearest
from cronops.cli.pod_settings import PodSettings
from cronops.db.revision import SCHEMA_REVISION
from cronops.errors import CronopsError
from cronops.jobs import JOBS
from cronops.schedules.declarations import CommandProblem, Declaration
from cronops.schedules.words import words_of


class InstalledJobs:
    """Implements `cronops.schedules.declarations.Declarations` over the jobs that are installed."""

    version = __version__
    schema_revision = SCHEMA_REVISION
    jobs: Mapping[str, tuple[str, ...]] = {
        command: tuple(entry.cr.split(", ")) for command, entry in JOBS.items()
    }

    def __init__(self) -> None:
        self._settings = PodSettings()
        self._found: dict[tuple[str, ...], tuple[int, JobParser] | CommandProblem] = {}
        self._read: dict[str, Declaration | CommandProblem] = {}

    def read(self, command: str) -> Declaration:
        """What the job behind a command line declares, and what that line makes of it.

        Raises `CommandProblem` where the command line would be refused.
        """
        if command not in self._read:
            try:
                self._read[command] = self._parsed(command)
            except CommandProblem as problem:
                self._read[command] = problem
        answer = self._read[command]
        if isinstance(answer, CommandProblem):
            # Raised again as it is, it would hold ever more frames.
            raise answer.with_traceback(None)
        return answer

    def stop_seconds(self, environment: Mapping[str, str]) -> int:
        """What a run with these variables may need after SIGTERM to end and to tell how."""
        return self._settings.stop_seconds(environment)

    def owners(self, environment: Mapping[str, str]) -> frozenset[str]:
        """Every team that may be named where pods have these variables."""
        return self._settings.owners(environment)

    def setting_problems(self, environment: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
        """Variables that our settings would refuse: name, what is wrong, what to write instead."""
        return self._settings.problems(environment)

    def _parsed(self, command: str) -> Declaration:
        try:
            words = list(words_of(command))
        except ValueError as error:
            raise CommandProblem(
                "command-shell",
                f"the command cannot be read as a shell would: {error}",
                "close every quotation mark",
            ) from None
        first_option = next(
            (place for place, word in enumerate(words) if word.startswith("-")), len(words)
        )
        path = tuple(words[:first_option])
        if not path:
            raise CommandProblem(
                "command-argument" if words else "command-unknown",
                f"the command begins with {words[0]!r}" if words else "the command is empty",
                "write the job's words first, as in: queue process --queue=general",
            )
        if path not in self._found:
            self._found[path] = _find(path, self._settings)
        found = self._found[path]
        if isinstance(found, CommandProblem):
            raise found.with_traceback(None)
        length, parser = found
        return parser.read(words[length:])


def _find(path: tuple[str, ...], settings: PodSettings) -> tuple[int, JobParser] | CommandProblem:
    """The job whose words `path` begins with."""
    from cronops.cli.main import app

    here: Any = get_command(app)
    for length, word in enumerate(path, 1):
        try:
            below = here.get_command(None, word)
        except (CronopsError, ImportError) as error:
            return CommandProblem("command-unknown", f"{' '.join(path[:length])}: {error}", "")
        if below is None:
            return _unknown(path)
        if hasattr(below, "job"):
            return length, JobParser(below.job, below, settings)
        if not hasattr(below, "list_commands"):
            name = " ".join(path[:length])
            return CommandProblem(
                "command-unknown",
                f"{name!r} is an operator's command, not a job: it leaves no run behind, takes no "
                "lock and tells nobody of a failure",
                "schedule a job; see: cronops jobs list",
            )
        here = below
    return _unknown(path)


def _unknown(path: tuple[str, ...]) -> CommandProblem:
    from cronops.jobs.registry import list_jobs

    name = " ".join(path)
    known = [job.path for job in list_jobs()]
    below = [one for one in known if one.startswith(f"{name} ")]
    if below:
        return CommandProblem(
            "command-unknown",
            f"{name!r} is a group of commands",
            f"name one of its jobs: {', '.join(below)}",
        )
    return CommandProblem(
        "command-unknown",
        f"no job is called {name!r}{nearest(name, known)}",
        "see: cronops jobs list",
    )

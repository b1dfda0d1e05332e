"""Rules about the command: it is one of ours, and no shell reads it."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from cronops.schedules.resolve import ResolvedSchedule
from cronops.schedules.rules.rule import Problem, schedule_rule
from cronops.schedules.words import LONGEST_COMMAND, words_of

UNKNOWN, OPTION, ARGUMENT = "command-unknown", "command-option", "command-argument"
_LITERAL = re.compile(r"'[^']*'|\\.", re.DOTALL)
_QUOTED = re.compile(r'"[^"]*"', re.DOTALL)
_EXPANSION = re.compile(r"\$(?:[A-Za-z_{(]|\d)[A-Za-z0-9_]*[})]?|`")
_OPERATOR = re.compile(r"\|\|?|&&?|;|[0-9]?>>?(?:&[0-9])?|<<?")
_MAY_BE_SHELL = frozenset("|&;<>$`'\"\\")

_PAGES = frozenset({"curl", "wget", "lynx", "http", "https"})
_WRAPPERS = frozenset({"flock", "timeout", "nice", "ionice", "nohup", "setsid", "chronic"})
_PROGRAMS = frozenset(
    {"bash", "sh", "dash", "zsh", "env", "sudo", "su", "cd", "php", "python", "python3", "perl"}
    | {"ruby", "node", "docker", "kubectl", "make", "exec"}
)


def _problem_of(kind: str) -> Callable[[ResolvedSchedule], Iterator[Problem]]:
    def check(schedule: ResolvedSchedule) -> Iterator[Problem]:
        problem = schedule.command_problem
        if problem is None or _told_better(schedule.entry.command):
            return
        # What has another id is at least no command that would run.
        rule = problem.rule if problem.rule in (OPTION, ARGUMENT) else UNKNOWN
        if rule == kind:
            yield Problem(problem.message, problem.instead, ("command",))

    return check


_unknown = schedule_rule(
    UNKNOWN,
    title="The command exists",
    why="The run would end at once, as a usage error.",
    instead="see: cronops jobs list",
    waivable=False,
)(_problem_of(UNKNOWN))

_option = schedule_rule(
    OPTION,
    title="The command takes the options it is given, and is given those it needs",
    why="The run would end at once, as a usage error.",
    instead="see the command's --help",
    waivable=False,
)(_problem_of(OPTION))

_argument = schedule_rule(
    ARGUMENT,
    title="The command takes the values it is given",
    why="The run would end at once, as a usage error.",
    instead="see the command's --help",
    waivable=False,
)(_problem_of(ARGUMENT))


@schedule_rule(
    "command-shell",
    title="The command is one line that needs no shell",
    why="The container starts the program itself, so that signals and exit codes arrive: nothing "
    "expands variables, pipes or redirects.",
    instead="leave the shell's signs out, or quote what is meant literally with '…'",
    waivable=False,
)
def _shell(schedule: ResolvedSchedule) -> Iterator[Problem]:
    if fault := _shell_fault(schedule.entry.command):
        message, instead = fault
        yield Problem(message, instead, ("command",))


@schedule_rule(
    "command-program",
    title="The command begins with the job's name",
    why="Only commands of cronops run here; lock, timeout and alerts come with them.",
    instead="write the job's command as after 'cronops'",
    waivable=False,
)
def _program(schedule: ResolvedSchedule) -> Iterator[Problem]:
    # What the command line's own parser took is a command, whatever it looks like.
    if schedule.declaration is None and (fault := _program_fault(schedule.entry.command)):
        message, instead = fault
        yield Problem(message, instead, ("command",))


@lru_cache(maxsize=16_384)
def _shell_fault(command: str) -> tuple[str, str] | None:
    if len(command) > LONGEST_COMMAND:
        return (
            f"the command has {len(command):,} characters; {LONGEST_COMMAND:,} are the most",
            "put long values into a file, or a setting",
        )
    if _MAY_BE_SHELL.isdisjoint(command):
        return None
    try:
        words_of(command)
    except ValueError:
        return "the command opens a quote and does not close it", "close the quote"
    unquoted = _LITERAL.sub("", command)
    if found := _EXPANSION.search(unquoted):
        return (
            f"{found.group()!r} stays as it is: no shell reads the command",
            "give the value itself, or set the job's setting under env",
        )
    if found := _OPERATOR.search(_QUOTED.sub("", unquoted)):
        return (
            f"{found.group()!r} would be an argument: no shell reads the command",
            "write one command; a run's output is kept by its log",
        )
    return None


@lru_cache(maxsize=16_384)
def _program_fault(command: str) -> tuple[str, str] | None:
    words = command.split()
    if not words:
        return "the command is empty", ""
    program = words[0].rpartition("/")[2]
    if words[0].startswith(("http://", "https://")) or program in _PAGES:
        return (
            "a command fetches no page",
            "name the job that does the page's work; see: cronops jobs list",
        )
    if program == "cronops":
        left = " ".join(words[1:])
        return (
            f"the command begins with {words[0]!r}, which stands before it anyway",
            f"write {left}" if left and "'" not in left and '"' not in left else "leave it out",
        )
    if program in _WRAPPERS:
        return (
            f"{words[0]!r} is not needed: each job declares its lock and timeout",
            "leave it out, and begin with the job's command",
        )
    if "=" in words[0]:
        return "the command begins with a variable", "write the variable under env"
    if program in _PROGRAMS or words[0].startswith(("/", "./")):
        return f"{words[0][:100]!r} is no command of cronops", ""
    return None


def _told_better(command: str) -> bool:
    return _program_fault(command) is not None or _shell_fault(command) is not None


RULES = (_program, _shell, _unknown, _option, _argument)

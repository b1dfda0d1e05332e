"""A crontab taken apart, line by line, as cron itself does."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["user", "system"]

_VARIABLE = re.compile(
    r"""\s*(?P<q>["']?)(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P=q)\s*=\s*(?P<value>.*?)\s*""", re.DOTALL
)
_NICKNAME = re.compile(r"(?P<when>@\S+)\s+(?P<rest>.*)", re.DOTALL)
_FIVE = re.compile(r"(?P<when>(?:\S+\s+){4}\S+)\s+(?P<rest>.*)", re.DOTALL)
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?(?::[A-Za-z0-9_.-]+)?")
_COMMAND_WORD = re.compile(
    r"/|\.|php\d*|curl|wget|cd|flock|nice|ionice|timeout|env|sudo|su|sh|bash|test|\[|find|rm|python\d*"
)
_KNOWN_USERS = frozenset(
    ("root", "www-data", "apache", "nginx", "http", "httpd", "wwwrun", "nobody", "daemon")
)
_TIME_FIELD = re.compile(r"[-*?0-9A-Za-z,/~#]+")


@dataclass(frozen=True)
class Line:
    """A line of the file, as it stands there."""

    number: int
    """From 1."""
    text: str


@dataclass(frozen=True)
class Blank(Line):
    """Nothing, or a comment."""


@dataclass(frozen=True)
class Variable(Line):
    """What every command behind it finds in its environment."""

    name: str
    value: str


@dataclass(frozen=True)
class Entry(Line):
    """Something that is to be run."""

    when: str
    """Five fields with one blank between two, or a nickname in lower case."""
    user: str | None
    """Only of system crontabs."""
    command: str
    """What the shell gets: up to the first %, with \\% as %."""
    stdin: str | None
    """What the command reads: behind the first %, the others as line breaks."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Those that stand above it."""


@dataclass(frozen=True)
class Unread(Line):
    """What cron would not take, or what is none of its business."""

    reason: str


def read_crontab(text: str, kind: Kind | None = None) -> list[Line]:
    """Every line of a crontab, in order. Without `kind` it is guessed whether users are named."""
    rows = text.split("\n")
    if rows and not rows[-1]:
        rows.pop()
    if kind is None:
        kind = "system" if _names_users(rows) else "user"
    read: list[Line] = []
    variables: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        line = _line(number, row.removesuffix("\r"), kind, variables)
        if isinstance(line, Variable):
            variables = {**variables, line.name: line.value}
        read.append(line)
    return read


def is_crontab(lines: Sequence[Line]) -> bool:
    """Whether it is one, as far as one can tell: most of what is no comment is understood."""
    told = [line for line in lines if not isinstance(line, Blank)]
    unread = sum(isinstance(line, Unread) for line in told)
    return unread * 2 <= len(told)


def _line(number: int, text: str, kind: Kind, variables: Mapping[str, str]) -> Line:
    stripped = text.strip(" \t")
    if not stripped or stripped.startswith("#"):
        return Blank(number, text)
    variable = _VARIABLE.fullmatch(text)
    if variable is not None:
        return Variable(number, text, variable["name"], _unquoted(variable["value"]))
    # Some crons take a minus in front, for entries that are not to be logged.
    entry = _NICKNAME.fullmatch(stripped) or _FIVE.fullmatch(stripped.removeprefix("-"))
    if entry is None:
        return Unread(number, text, "it is neither a variable, nor five fields and a command")
    when = " ".join(entry["when"].split())
    if not when.startswith("@") and not all(map(_TIME_FIELD.fullmatch, when.split())):
        return Unread(number, text, "its first five words are no times")
    user, rest = None, entry["rest"]
    if kind == "system":
        user, *told = rest.split(None, 1)
        rest = told[0] if told else ""
        if not _USER.fullmatch(user) or not rest:
            return Unread(number, text, "a system crontab names a user before the command")
    command, stdin = _split(rest)
    when = when.lower() if when.startswith("@") else when
    return Entry(number, text, when, user, command, stdin, variables)


def _names_users(rows: Sequence[str]) -> bool:
    """Whether the word behind the times is a user in every entry."""
    words = [list(_behind_times(row)) for row in rows]
    told = [pair for pair in words if pair]
    if not told:
        return False
    likely = [
        _USER.fullmatch(first) and not _is_command(first) and bool(second) for first, second in told
    ]
    sure = any(first in _KNOWN_USERS or _is_command(second) for first, second in told)
    return all(likely) and sure


def _behind_times(row: str) -> Iterator[str]:
    """The two words behind the times, where it is an entry."""
    stripped = row.strip()
    if stripped.startswith("#") or _VARIABLE.fullmatch(row):
        return
    entry = _NICKNAME.fullmatch(stripped) or _FIVE.fullmatch(stripped.removeprefix("-"))
    if entry is not None:
        words = entry["rest"].split()
        yield from [*words[:2], "", ""][:2]


def _is_command(word: str) -> bool:
    found = _COMMAND_WORD.match(word)
    return found is not None and (found[0] in "/." or found[0] == word)


def _split(rest: str) -> tuple[str, str | None]:
    """The command, and what it reads."""
    parts = re.split(r"(?<!\\)%", rest.strip())
    command, *lines = (part.replace("\\%", "%") for part in parts)
    return command.strip(), "\n".join(lines) if lines else None


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value

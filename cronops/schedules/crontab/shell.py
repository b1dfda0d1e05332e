"""A shell's command line taken apart: the programs it runs, behind all that only wraps them.

Nothing is run, and nothing is expanded: what depends on variables or on other commands' output
stays as it is written, and is not understood.
"""

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_OPERATORS = frozenset(("&&", "||", ";", "|", "&", "|&", ";;", "\n"))
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
_REDIRECTION = re.compile(r"[0-9]*(?:&?>>?|>\||<<?<?|<>)&?")
# What may stand beside a job without doing anything that would be missed.
_IDLE = frozenset(
    (
        "pushd",
        ":",
        "true",
        "echo",
        "printf",
        "sleep",
        "test",
        "[",
        "[[",
        "export",
        "umask",
        "ulimit",
        "date",
        "logger",
        "tee",
        "mail",
        "mailx",
        "ts",
        "set",
        "source",
        ".",
        "wait",
        "touch",
        "mkdir",
        "grep",
        "tail",
        "head",
        "cat",
    )
)
_PLAIN = frozenset(
    (
        "nohup",
        "setsid",
        "time",
        "chronic",
        "cronic",
        "exec",
        "command",
        "builtin",
        "run-one",
        "unbuffer",
        "!",
    )
)
# Options that take a value, by the program they belong to.
_VALUES = {
    "nice": {"-n", "--adjustment"},
    "ionice": {"-c", "-n", "-p", "--class", "--classdata"},
    "timeout": {"-k", "-s", "--kill-after", "--signal"},
    "sudo": {"-u", "-g", "-h", "-p", "-C", "-U", "-r", "-t", "--user", "--group"},
    "env": {"-u", "-C", "-S", "--unset", "--chdir"},
    "stdbuf": {"-i", "-o", "-e"},
    "flock": {"-w", "-E", "--timeout", "--wait", "--conflict-exit-code"},
    "lockrun": {"--lockfile", "-L"},
    "chrt": {"-p", "-T", "-P", "-D"},
    "taskset": set(),
    "setlock": set(),
    "solo": set(),
    "systemd-cat": {"-t", "-p", "--identifier", "--priority"},
    "php": {"-c", "-d", "-z", "--php-ini", "--define"},
}
# So many words of their own before the command.
_OWN_WORDS = {"timeout": 1, "flock": 1, "chrt": 1, "taskset": 1, "setlock": 1}
_SHELLS = frozenset(("sh", "bash", "dash", "ksh", "zsh"))
_PHP = re.compile(r"php[0-9.]*(?:-cli|-cgi)?")
_FETCHERS = frozenset(("curl", "wget", "fetch", "lynx", "links", "w3m", "GET", "POST", "http"))
_URL = re.compile(r"(?i)https?://\S+")
_DEEPEST = 8


@dataclass(frozen=True)
class Program:
    """A program, and what it is told."""

    path: str
    """With the directory that a `cd` before it names."""
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Fetch:
    """A URL that is asked for."""

    url: str


@dataclass(frozen=True)
class Unclear:
    """What cannot be taken apart without running it."""

    words: str


Run = Program | Fetch | Unclear


def programs(command: str) -> list[Run]:
    """What the command line runs, in order; without what only prepares, waits or tells."""
    try:
        return list(_runs(command, "", 0))
    except ValueError:
        return [Unclear(command)]


def _runs(command: str, directory: str, depth: int) -> Iterator[Run]:
    if depth > _DEEPEST:
        raise ValueError("too deep")
    for words in _simple_commands(command):
        if words and words[0] == "cd":
            directory = posixpath.join(directory, words[1]) if len(words) > 1 else ""
            continue
        yield from _run(words, directory, depth)


def _simple_commands(command: str) -> Iterator[list[str]]:
    """The words of each simple command, without redirections and assignments."""
    words: list[str] = []
    for word in _words(command):
        if word in _OPERATORS or word in ("(", ")", "{", "}"):
            yield _bare(words)
            words = []
        else:
            words.append(word)
    yield _bare(words)


def _words(command: str) -> Iterator[str]:
    """Words and operators; an operator's characters are its own only outside of quotes."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="();|&\n")
    lexer.whitespace_split = True
    lexer.whitespace = " \t"
    lexer.commenters = ""
    yield from _rejoined(list(lexer))


def _rejoined(words: Sequence[str]) -> Iterator[str]:
    """``2>&1`` and ``&>file`` come in pieces: put them together again."""
    at = 0
    while at < len(words):
        word = words[at]
        if word.startswith("#"):
            # To the shell the rest is a comment.
            return
        if word.endswith((">", "<")) and words[at + 1 : at + 2] == ["&"]:
            yield word + "&" + "".join(words[at + 2 : at + 3])
            at += 3
        elif word == "&" and words[at + 1 : at + 2] and words[at + 1].startswith(">"):
            yield "&" + words[at + 1]
            at += 2
        else:
            yield word
            at += 1


def _bare(words: Sequence[str]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in words:
        redirection = _REDIRECTION.match(word)
        if skip:
            skip = False
        elif redirection is not None:
            # What it leads to is the rest of the word, or the next one.
            skip = redirection.end() == len(word) and not word.endswith("&1")
        elif kept or not _ASSIGNMENT.fullmatch(word):
            kept.append(word)
    return kept


def _run(words: Sequence[str], directory: str, depth: int) -> Iterator[Run]:
    """What one simple command runs, behind what wraps it."""
    rest = list(words)
    while rest:
        name = posixpath.basename(rest[0])
        if name in _SHELLS and (inner := _told_by_c(rest[1:])) is not None:
            yield from _runs(inner, directory, depth + 1)
            return
        if name == "su" and (inner := _told_by_c(rest[1:])) is not None:
            yield from _runs(inner, directory, depth + 1)
            return
        if name in _PLAIN:
            rest = _without_options(rest[1:], set())
        elif _PHP.fullmatch(name):
            rest = _script_of_php(rest[1:])
            if rest:
                yield Program(posixpath.join(directory, rest[0]), tuple(rest[1:]))
            else:
                yield Unclear(shlex.join(words))
            return
        elif name in _SHELLS:
            rest = _without_options(rest[1:], {"-o", "-O"})
        elif name in _VALUES:
            rest = _without_options(rest[1:], _VALUES[name])
            rest = rest[_OWN_WORDS.get(name, 0) :]
            if name == "flock" and (inner := _told_by_c(rest)) is not None:
                yield from _runs(inner, directory, depth + 1)
                return
            while rest and (name == "env" or name == "sudo") and _ASSIGNMENT.fullmatch(rest[0]):
                rest = rest[1:]
        else:
            break
    yield from _bare_run(rest, directory)


def _bare_run(rest: Sequence[str], directory: str) -> Iterator[Run]:
    if not rest:
        return
    name = posixpath.basename(rest[0])
    if name in _IDLE:
        return
    if name in _FETCHERS:
        urls = [found[0] for word in rest[1:] if (found := _URL.fullmatch(word))]
        if urls:
            yield from map(Fetch, urls)
        else:
            yield Unclear(shlex.join(rest))
    elif any(mark in rest[0] for mark in "$`"):
        yield Unclear(shlex.join(rest))
    else:
        yield Program(posixpath.join(directory, rest[0]), tuple(rest[1:]))


def _told_by_c(words: Sequence[str]) -> str | None:
    """What ``-c`` (or ``-lc``) tells a shell to run."""
    for place, word in enumerate(words[:-1]):
        if re.fullmatch(r"-[a-z]*c|--command", word):
            return words[place + 1]
    for word in words:
        if word.startswith("--command="):
            return word.removeprefix("--command=")
    return None


def _without_options(words: Sequence[str], with_value: set[str]) -> list[str]:
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        option = rest.pop(0)
        if option == "--":
            break
        if option in with_value and rest:
            rest.pop(0)
    return rest


def _script_of_php(words: Sequence[str]) -> list[str]:
    """The script and its arguments."""
    rest = list(words)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option in ("-f", "--file"):
            break
        if option in ("-r", "--run", "-R", "-B", "-E"):
            return []
        if option == "--":
            break
        if option in _VALUES["php"] and rest:
            rest.pop(0)
    return rest

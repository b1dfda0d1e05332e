"""Shows commands as one would type them, and what they print."""

import shlex
import subprocess
import sys
from collections.abc import Iterable
from typing import NamedTuple

from cronops.config import load_settings


class Step(NamedTuple):
    """One command of a tour."""

    explanation: str
    command: str
    """What to type, after ``cronops``."""
    input: str | None = None
    expected: int = 0
    """The exit code: a tour may show how something is refused."""
    program: str = "cronops"
    """``cronops``, or a module of samples: ``python -m cronops.samples.articles``."""


_STOP = Step("Stop the embedded PostgreSQL; the next command would start it.", "db stop")


def show(steps: Iterable[Step]) -> int:
    """Run each command; the exit code of the first that ends otherwise than expected, or 0."""
    for step in steps:
        code = _run(step)
        if code != step.expected:
            return code or 1
    return 0


def show_on_own_server(steps: Iterable[Step]) -> int:
    """`show`; the embedded server, where no other is named, is stopped again at the end."""
    owns_server = load_settings().settings.database_url is None
    try:
        return show(steps)
    finally:
        if owns_server:
            show([_STOP])


def _run(step: Step) -> int:
    typed = step.command if step.input is None else f"{step.command} < batch.jsonl"
    _say(f"\n# {step.explanation}\n$ {step.program} {typed}")
    module = step.program.rpartition(" ")[2]
    command = [sys.executable, "-m", module, *shlex.split(step.command)]
    return subprocess.run(command, input=step.input, text=True, check=False).returncode  # noqa: S603 - our own commands


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()

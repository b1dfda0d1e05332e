"""What a rule is: its id and reason, and the function that finds where it is broken.

A rule is declared above its function, as a job is; nothing registers itself. `cronops.schedules.
rules.RULES` lists them all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from cronops.schedules.findings import Path, Severity
from cronops.schedules.resolve import ResolvedEnvironment, ResolvedSchedule

Subject = TypeVar("Subject", ResolvedSchedule, ResolvedEnvironment)


@dataclass(frozen=True)
class Problem:
    """One place where a rule is broken."""

    message: str
    """What is wrong, in one sentence; names values, never places."""
    instead: str = ""
    """What to write instead; empty takes the rule's own advice."""
    field: Path = ()
    """For a rule of schedules: the field as the file names it, ``("image", "digest")``; where it
    was said is looked up. Empty means the schedule as a whole."""
    path: Path | None = None
    """The place itself, where it is no field of the schedule."""
    severity: Severity | None = None
    """Where it differs from the rule's."""
    schedule: str | None = None
    """For a rule of environments: the schedule it concerns, if one."""
    offset: int = 0
    """Letters into the value, where only a part of it is wrong."""
    beside: Path | None = None
    """Another place that has to do with it; the message is given its line."""


@dataclass(frozen=True)
class Rule(Generic[Subject]):
    """One thing that is checked."""

    id: str
    """Stable: waivers and other tools name it."""
    severity: Severity
    title: str
    """What holds where the rule is kept: ``Every image is pinned by digest``."""
    why: str
    instead: str
    """What to write, in general."""
    of: type[Subject]
    """`ResolvedSchedule`: asked once a schedule; `ResolvedEnvironment`: once an environment."""
    check: Callable[[Subject], Iterator[Problem]]
    waivable: bool = True
    """False for what the API would reject: a waiver would only move the failure."""


def schedule_rule(
    id: str,
    *,
    title: str,
    why: str,
    instead: str,
    severity: Severity = Severity.ERROR,
    waivable: bool = True,
) -> Callable[[Callable[[ResolvedSchedule], Iterator[Problem]]], Rule[ResolvedSchedule]]:
    """Declare a rule that each schedule keeps or breaks by itself."""

    def declare(check: Callable[[ResolvedSchedule], Iterator[Problem]]) -> Rule[ResolvedSchedule]:
        return Rule(id, severity, title, why, instead, ResolvedSchedule, check, waivable)

    return declare


def environment_rule(
    id: str,
    *,
    title: str,
    why: str,
    instead: str,
    severity: Severity = Severity.ERROR,
    waivable: bool = True,
) -> Callable[[Callable[[ResolvedEnvironment], Iterator[Problem]]], Rule[ResolvedEnvironment]]:
    """Declare a rule about an environment, or about all its schedules together."""

    def declare(
        check: Callable[[ResolvedEnvironment], Iterator[Problem]],
    ) -> Rule[ResolvedEnvironment]:
        return Rule(id, severity, title, why, instead, ResolvedEnvironment, check, waivable)

    return declare

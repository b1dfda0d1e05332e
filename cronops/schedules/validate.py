"""A schedules file checked from its bytes to its last rule; bad input becomes findings.

::

    source → structure → each environment resolved → commands and rules → waivers

Each stage needs the one before: what is no YAML has no structure, and what has the wrong
structure is not judged further.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from cronops.schedules.declarations import Declarations
from cronops.schedules.findings import Finding, InvalidSchedules, Path, Position, Severity
from cronops.schedules.merge import common_layers, origins
from cronops.schedules.model import Document
from cronops.schedules.nearest import nearest
from cronops.schedules.resolve import ResolvedEnvironment, ResolvedSchedule, resolve
from cronops.schedules.rules.rule import Problem, Rule
from cronops.schedules.source import Source, read_source
from cronops.schedules.structure import read_document
from cronops.schedules.waivers import Waivers


@dataclass(frozen=True)
class Report:
    """What became of a check."""

    findings: tuple[Finding, ...]
    """In the order of the file."""
    document: Document | None = None
    """None where the file could not be read that far."""
    source: Source | None = None
    environments: Mapping[str, ResolvedEnvironment] = field(default_factory=dict)
    """Those that were checked."""

    @property
    def is_valid(self) -> bool:
        """Whether nothing was found that is an error and not waived."""
        return not any(
            finding.severity is Severity.ERROR and finding.waived is None
            for finding in self.findings
        )


def validate(
    text: bytes,
    name: str,
    declarations: Declarations,
    *,
    environment: str | None = None,
    today: date,
) -> Report:
    """Check a file's bytes; `name` is what it is called, `environment` one to check alone.

    Never raises for what stands in the file. `today` decides what lies in the past and which
    clock changes come next.
    """
    try:
        source = read_source(text, name)
    except InvalidSchedules as refused:
        return Report(refused.findings)
    try:
        document = read_document(source)
    except InvalidSchedules as refused:
        return Report(refused.findings, source=source)
    if environment is not None and environment not in document.environments:
        return Report((_unknown_environment(source, document, environment),), document, source)
    chosen = [environment] if environment is not None else list(document.environments)
    environments = {one: resolve(document, one, declarations, today=today) for one in chosen}
    findings = _Check(document).run(environments)
    return Report(_placed(findings, source), document, source, environments)


@dataclass
class _Places:
    """Where one and the same thing was found; dictionaries, as they keep the order."""

    environments: dict[str, None] = field(default_factory=dict)
    schedules: dict[str | None, None] = field(default_factory=dict)


class _Check:
    """One pass over all environments: like findings are joined, and waivers are looked up."""

    def __init__(self, document: Document) -> None:
        # Rules import what they judge; a file that cannot be read does not wait for them.
        from cronops.schedules.rules import RULES, UNWAIVABLE

        self._document = document
        self._of_schedules = [rule for rule in RULES if rule.of is ResolvedSchedule]
        self._of_environments = [rule for rule in RULES if rule.of is ResolvedEnvironment]
        waivable = {rule.id for rule in RULES if rule.waivable}
        self._known = {rule.id for rule in RULES} | UNWAIVABLE
        self._waivers = Waivers(document, waivable)
        self._by_name: dict[str, dict[str, ResolvedSchedule]] = {}
        self._found: dict[tuple[Finding, str | None], _Places] = {}

    def run(self, environments: Mapping[str, ResolvedEnvironment]) -> list[Finding]:
        for environment in environments.values():
            for schedule in environment.schedules:
                self._check_schedule(schedule)
            for rule in self._of_environments:
                for problem in rule.check(environment):
                    self._add_of_environment(environment, rule, problem)
        complete = len(environments) == len(self._document.environments)
        return [*self._joined(), *self._waivers.problems(self._known, complete=complete)]

    def _check_schedule(self, schedule: ResolvedSchedule) -> None:
        broken = schedule.command_problem
        if broken is not None:
            finding = Finding(broken.rule, Severity.ERROR, broken.message, broken.instead)
            path = (*schedule.path, "command")
            self._add(replace(finding, path=path), schedule.environment, schedule.name)
        for rule in self._of_schedules:
            for problem in rule.check(schedule):
                self._add_of_schedule(schedule, rule, problem)

    def _add_of_schedule(
        self, schedule: ResolvedSchedule, rule: Rule[Any], problem: Problem
    ) -> None:
        path = problem.path
        if path is None:
            path = schedule.path_of(*problem.field) if problem.field else schedule.path
        waived = self._waivers.of_schedule(schedule.layers, rule.id)
        self._add(_finding(rule, problem, path, waived), schedule.environment, schedule.name)

    def _add_of_environment(
        self, environment: ResolvedEnvironment, rule: Rule[ResolvedEnvironment], problem: Problem
    ) -> None:
        schedule = self._schedule(environment, problem)
        if schedule is not None:
            self._add_of_schedule(schedule, rule, problem)
            return
        path = problem.path
        if path is None:
            path = ("environments", environment.name)
            layers = common_layers(self._document, environment.name)
            for layer, _ in origins(layers, problem.field) if problem.field else ():
                if layer.path is not None:
                    path = (*layer.path, *problem.field)
                break
        waived = self._waivers.of_environment(environment.name, rule.id)
        finding = _finding(rule, problem, path, waived)
        self._add(finding, environment.name, problem.schedule)

    def _schedule(
        self, environment: ResolvedEnvironment, problem: Problem
    ) -> ResolvedSchedule | None:
        """The schedule that a problem of an environment is about."""
        match problem.path:
            case ("schedules", int(index), *_):
                return environment.schedules[index]
        if problem.schedule is None:
            return None
        if environment.name not in self._by_name:
            by_name = {one.name: one for one in reversed(environment.schedules)}
            self._by_name[environment.name] = by_name
        return self._by_name[environment.name].get(problem.schedule)

    def _add(self, finding: Finding, environment: str, schedule: str | None) -> None:
        places = self._found.setdefault((finding, finding.waived), _Places())
        places.environments[environment] = None
        places.schedules[schedule] = None

    def _joined(self) -> Iterator[Finding]:
        for (finding, _), places in self._found.items():
            first, *others = places.schedules
            yield replace(
                finding,
                message=f"{finding.message} (for {first} and {len(others)} more)"
                if others
                else finding.message,
                schedule=None if others else first,
                environments=tuple(places.environments),
            )


def _finding(
    rule: Rule[Any],
    problem: Problem,
    path: Path,
    waived: str | None,
) -> Finding:
    return Finding(
        rule.id,
        problem.severity or rule.severity,
        problem.message,
        problem.instead or rule.instead,
        path,
        waived=waived,
    )


def _unknown_environment(source: Source, document: Document, name: str) -> Finding:
    near = nearest(name, document.environments)
    known = ", ".join(document.environments)
    return Finding(
        "unknown-environment",
        Severity.ERROR,
        f"the file has no environment {name!r}",
        f"did you mean {near!r}?" if near else f"it has: {known}",
        ("environments",),
        source.position(("environments",)),
    )


def _placed(findings: list[Finding], source: Source) -> tuple[Finding, ...]:
    """The findings with their positions, in the order of the file."""
    positions: dict[Path, Position] = {}
    for finding in findings:
        if finding.path not in positions:
            positions[finding.path] = source.position(finding.path)
    placed = [replace(finding, position=positions[finding.path]) for finding in findings]
    placed.sort(key=lambda finding: finding.position)
    return tuple(placed)

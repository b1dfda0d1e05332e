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
from cronops.schedules.findings import Finding, InvalidSchedules, Path, Severity
from cronops.schedules.merge import common_layers, migration_layers, place_of
from cronops.schedules.model import Document, Template
from cronops.schedules.nearest import did_you_mean
from cronops.schedules.resolve import ResolvedEnvironment, ResolvedSchedule, resolve
from cronops.schedules.rules import RULES
from cronops.schedules.rules.inline_secrets import secret_at, secret_in
from cronops.schedules.rules.rule import Problem, Rule
from cronops.schedules.rules.structural import STRUCTURAL
from cronops.schedules.rules.template import TemplateRule
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
    declarations: Declarations,
    *,
    environment: str | None = None,
    today: date,
) -> Report:
    """Check a file's bytes; `environment` is one to check alone.

    Never raises for what stands in the file. `today` decides what lies in the past and which
    clock changes come next.
    """
    try:
        source = read_source(text)
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
    findings = _Check(document, source).run(environments)
    return Report(findings, document, source, environments)


# Letters of a secret that are the secret, and no word that a message happens to use as well.
_TELLING = 16
_NEVER_SHOW = ("secret-inline", "secret-in-command", "secret-in-text")
_Broken = tuple[Rule[Any], Problem]


@dataclass
class _Places:
    """Where one and the same thing was found; dictionaries, as they keep the order."""

    offset: int
    environments: dict[str, None] = field(default_factory=dict)
    schedules: dict[str, None] = field(default_factory=dict)


class _Check:
    """One pass over all environments: like findings are joined, and waivers are looked up."""

    def __init__(self, document: Document, source: Source) -> None:
        self._document = document
        self._source = source
        self._of_schedules = [
            rule
            for rule in RULES
            if rule.of is ResolvedSchedule and not isinstance(rule, TemplateRule)
        ]
        self._of_environments = [rule for rule in RULES if rule.of is ResolvedEnvironment]
        self._of_templates = [rule for rule in RULES if isinstance(rule, TemplateRule)]
        waivable = {rule.id for rule in RULES if rule.waivable}
        self._known = {rule.id for rule in RULES} | {row.id for row in STRUCTURAL}
        self._waivers = Waivers(document, waivable)
        self._judged: dict[tuple[object, ...], tuple[Template, list[_Broken]]] = {}
        self._by_name: dict[str, dict[str, ResolvedSchedule]] = {}
        self._found: dict[tuple[Finding, str | None], _Places] = {}

    def run(self, environments: Mapping[str, ResolvedEnvironment]) -> tuple[Finding, ...]:
        for environment in environments.values():
            for schedule in environment.schedules:
                self._check_schedule(schedule)
            for rule in self._of_environments:
                for problem in rule.check(environment):
                    self._add_of_environment(environment, rule, problem)
            self._check_migration(environment)
        complete = len(environments) == len(self._document.environments)
        problems = self._waivers.problems(self._known, complete=complete)
        placed = (
            replace(finding, position=self._source.position(finding.path)) for finding in problems
        )
        found = sorted((*self._joined(), *placed), key=lambda finding: finding.position)
        return tuple(_discreet(finding, self._source) for finding in found)

    def _check_schedule(self, schedule: ResolvedSchedule) -> None:
        for rule, problem in self._broken_of_template(schedule):
            self._add_of_schedule(schedule, rule, problem)
        for rule in self._of_schedules:
            for problem in rule.check(schedule):
                self._add_of_schedule(schedule, rule, problem)

    def _broken_of_template(self, schedule: ResolvedSchedule) -> list[_Broken]:
        """Which rules the schedule's template breaks; asked once for all that say the same."""
        template = schedule.template
        # Values that nobody overrides are the very same objects in each.
        key = (schedule.environment, *map(id, template.__dict__.values()))
        known = self._judged.get(key)
        if known is None:
            broken: list[_Broken] = [
                (rule, problem) for rule in self._of_templates for problem in rule.check(schedule)
            ]
            # Holding the template keeps its values' ids from being given to others.
            known = self._judged[key] = (template, broken)
        return known[1]

    def _check_migration(self, environment: ResolvedEnvironment) -> None:
        """Ask of its pod what is asked of every other."""
        layers = migration_layers(self._document, environment.name)
        path: Path = ("environments", environment.name)
        if environment.said.migration is not None:
            path = (*path, "migration")
        for rule in self._of_templates:
            for problem in rule.of_template(environment.migration, environment.name):
                place = place_of(layers, problem.field) or path
                self._add_of_environment(environment, rule, replace(problem, path=place))

    def _add_of_schedule(
        self, schedule: ResolvedSchedule, rule: Rule[Any], problem: Problem
    ) -> None:
        path = problem.path
        if path is None:
            path = schedule.path_of(*problem.field)
        waived = self._waivers.of_schedule(schedule.layers, rule.id)
        self._add(self._finding(rule, problem, path, waived), problem.offset, schedule)

    def _add_of_environment(
        self, environment: ResolvedEnvironment, rule: Rule[Any], problem: Problem
    ) -> None:
        schedule = self._schedule(environment, problem)
        if schedule is not None:
            self._add_of_schedule(schedule, rule, problem)
            return
        path = problem.path
        if path is None:
            layers = common_layers(self._document, environment.name)
            path = place_of(layers, problem.field) or ("environments", environment.name)
        waived = self._waivers.of_environment(environment.name, rule.id)
        self._add(self._finding(rule, problem, path, waived), problem.offset, environment)

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

    def _add(
        self, finding: Finding, offset: int, where: ResolvedSchedule | ResolvedEnvironment
    ) -> None:
        places = self._found.setdefault((finding, finding.waived), _Places(offset))
        if isinstance(where, ResolvedSchedule):
            places.environments[where.environment] = None
            places.schedules[where.name] = None
        else:
            places.environments[where.name] = None

    def _finding(
        self, rule: Rule[Any], problem: Problem, path: Path, waived: str | None
    ) -> Finding:
        message = problem.message
        if problem.beside is not None:
            message = f"{message} (see line {self._source.position(problem.beside).line})"
        severity = problem.severity or rule.severity
        instead = problem.instead or rule.instead
        return Finding(rule.id, severity, message, instead, path, waived=waived)

    def _joined(self) -> Iterator[Finding]:
        for (finding, _), places in self._found.items():
            schedules = list(places.schedules)
            more = f" (for {schedules[0]} and {len(schedules) - 1} more)" if schedules[1:] else ""
            yield replace(
                finding,
                message=finding.message + more,
                position=self._source.position(finding.path, places.offset),
                schedule=schedules[0] if len(schedules) == 1 else None,
                environments=tuple(places.environments),
            )


def _discreet(finding: Finding, source: Source) -> Finding:
    """The finding, without a secret that somebody wrote where it was found: logs are public."""
    written = source.written(finding.path)
    what = secret_at(finding.path, written) if written else None
    if what is None or written is None or finding.rule in _NEVER_SHOW:
        return finding
    secrets = [word for word in written.split() if secret_in(word)] or [written]
    told = finding.message + finding.instead
    if not any(secret[:_TELLING] in told for secret in secrets):
        return finding
    message = f"this value is refused, and not shown: it holds {what}"
    instead = f"take it out; the rule is explained by: cronops schedules rules {finding.rule}"
    return replace(finding, message=message, instead=instead)


def _unknown_environment(source: Source, document: Document, name: str) -> Finding:
    known = document.environments
    return Finding(
        "unknown-environment",
        Severity.ERROR,
        f"the file has no environment {name!r}",
        did_you_mean(name, known, f"it has: {', '.join(known)}"),
        ("environments",),
        source.position(("environments",)),
    )

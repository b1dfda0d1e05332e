"""Schedules files and jobs for tests: a file that breaks no rule, and what a test changes of it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from shlex import split
from typing import Any

from cronops.schedules.declarations import CommandProblem, Declaration, LockUse, Resource
from cronops.schedules.findings import Finding
from cronops.schedules.resolve import ResolvedEnvironment, ResolvedSchedule, resolve
from cronops.schedules.source import read_source
from cronops.schedules.structure import read_document
from cronops.schedules.validate import Report, validate

TODAY = date(2026, 3, 2)
DATABASE = (
    Resource("database", "CRONOPS_DATABASE_URL", "connect"),
    Resource("database", "CRONOPS_DATABASE_URL", "secret"),
)
DECLARED = Declaration(
    job="stock export",
    crs=("CR-002",),
    locks=(LockUse("cron.stock.export"),),
    timeout=300,
    lock_wait=0,
    retry_safe=True,
    skips_when_locked=True,
    accountable=("Platform Export",),
    responsible="Shared Ops",
    consulted=(),
    options=frozenset({"--supplier"}),
    given=frozenset(),
    needs=DATABASE,
)
DEFAULTS: dict[str, Any] = {
    "timeZone": "Europe/Brussels",
    "image": {
        "repository": "registry.example.com/cronops",
        "tag": "0.1.0",
        "digest": f"sha256:{'0123456789abcdef' * 4}",
    },
    "resources": {
        "requests": {"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "64Mi"},
        "limits": {"cpu": "1", "memory": "512Mi", "ephemeral-storage": "256Mi"},
    },
    "secrets": {
        "database": {
            "secretName": "cronops-database",
            "key": "url",
            "env": "CRONOPS_DATABASE_URL_FILE",
        }
    },
    "egress": {
        "dns": {
            "to": [
                {
                    "namespaceSelector": {
                        "matchLabels": {"kubernetes.io/metadata.name": "kube-system"}
                    }
                }
            ],
            "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
        },
        "database": {
            "to": [
                {
                    "namespaceSelector": {
                        "matchLabels": {"kubernetes.io/metadata.name": "postgresql"}
                    }
                }
            ],
            "ports": [{"port": 5432}],
        },
    },
}
ENVIRONMENTS: dict[str, Any] = {"production": {"namespace": "cronops", "severity": "critical"}}
SCHEDULE: dict[str, Any] = {
    "name": "stock-export",
    "cr": "CR-002",
    "command": "stock export",
    "description": "Export stock levels.",
    "schedule": "17 * * * *",
}


@dataclass(frozen=True)
class Jobs:
    """The jobs a test knows, by their commands; implements `Declarations`."""

    declared: Mapping[str, Declaration] = field(default_factory=lambda: {"stock export": DECLARED})
    version: str = "0.1.0"
    schema_revision: str = "0001"
    stops_within: int = 40
    teams: frozenset[str] = frozenset({"Platform Export", "Shared Ops"})

    @property
    def jobs(self) -> Mapping[str, tuple[str, ...]]:
        return {command: one.crs for command, one in self.declared.items()}

    def read(self, command: str) -> Declaration:
        try:
            words = split(command)
        except ValueError as error:
            raise CommandProblem("command-shell", f"{command!r}: {error}") from None
        for end in range(len(words), 0, -1):
            found = self.declared.get(" ".join(words[:end]))
            if found is None:
                continue
            given = frozenset(word.split("=")[0] for word in words[end:])
            for option in sorted(given - found.options):
                raise CommandProblem("command-option", f"{found.job} takes no {option}")
            return replace(found, given=given)
        raise CommandProblem("command-unknown", f"no job is called {command!r}")

    def stop_seconds(self, environment: Mapping[str, str]) -> int:
        return self.stops_within

    def owners(self, environment: Mapping[str, str]) -> frozenset[str]:
        return self.teams

    def setting_problems(self, environment: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
        return ()


def jobs(*declared: Declaration) -> Jobs:
    """The jobs that were declared; `declared` may be changed copies of `DECLARED`."""
    return Jobs({one.job: one for one in declared or (DECLARED,)})


def written(*schedules: Mapping[str, Any], **top: Any) -> bytes:
    """A file with these schedules, each what it says of `SCHEDULE` otherwise; None leaves out."""
    return text_of(values(*schedules, **top))


def values(*schedules: Mapping[str, Any], **top: Any) -> dict[str, Any]:
    """What `written` writes, as values."""
    entries = [_said({**SCHEDULE, **said}) for said in schedules or ({},)]
    document = {"version": 1, "defaults": DEFAULTS, "environments": ENVIRONMENTS}
    return {**document, "schedules": entries, **top}


def text_of(value: Any) -> bytes:
    """The value as YAML; JSON is YAML."""
    return json.dumps(value, indent=1).encode()


def check(*schedules: Mapping[str, Any], known: Jobs | None = None, **top: Any) -> Report:
    """What `validate` says of a file with these schedules."""
    return validate(written(*schedules, **top), known or jobs(), today=TODAY)


def found(report: Report, rule: str) -> list[Finding]:
    """The rule's findings."""
    return [finding for finding in report.findings if finding.rule == rule]


def errors(report: Report) -> list[str]:
    """The ids of what makes the file invalid."""
    return [
        finding.rule
        for finding in report.findings
        if finding.severity == "error" and finding.waived is None
    ]


def environment(
    *schedules: Mapping[str, Any],
    known: Jobs | None = None,
    name: str = "production",
    **top: Any,
) -> ResolvedEnvironment:
    """One environment of a file with these schedules."""
    document = read_document(read_source(written(*schedules, **top)))
    return resolve(document, name, known or jobs())


def schedule(
    known: Jobs | None = None, environment_name: str = "production", **said: Any
) -> ResolvedSchedule:
    """A schedule that is like `SCHEDULE`, but for what is said."""
    return environment(said, known=known, name=environment_name).schedules[0]


def _said(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if value is not None}

"""What holds for one schedule, field by field, and where each value comes from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from cronops.cli.output import as_text
from cronops.cli.schedules.file import Opened
from cronops.schedules.declarations import Declaration
from cronops.schedules.findings import Path
from cronops.schedules.merge import origins
from cronops.schedules.model import Template
from cronops.schedules.parts import Part
from cronops.schedules.resolve import NEVER, ResolvedSchedule, pod_backoff
from cronops.schedules.rules.inline_secrets import secret_at

# Always asked of the schedule as a whole: what is said of them is one part of a computation.
_COMPUTED = (
    "startingDeadlineSeconds",
    "backoffLimit",
    "activeDeadlineSeconds",
    "terminationGracePeriodSeconds",
    "suspend",
)
# What only an entry may say, and no environment differently.
_OWN = ("name", "cr", "command", "description", "manual", "provisional", "confirmed")


@dataclass(frozen=True)
class Fact:
    """One value, and who set it."""

    field: str
    """As the file names it: ``resources.limits.memory``."""
    value: Any
    set_by: str
    """``defaults``, ``schedules.queue-clean``, ``computed``, ``declared by queue clean``."""
    line: int | None = None
    """In the file."""
    formula: str = ""
    over: tuple[tuple[str, int | None, Any], ...] = ()
    """What it overrides, the most specific first: who, line, value."""

    def record(self) -> dict[str, Any]:
        """As JSON shows it; scripts rely on the names."""
        return {
            "field": self.field,
            "value": self.value,
            "set_by": self.set_by,
            "line": self.line,
            "formula": self.formula or None,
            "over": [
                {"set_by": label, "line": line, "value": value} for label, line, value in self.over
            ],
        }

    @property
    def why(self) -> str:
        """Who set it, where, how, and over what; one line."""
        overridden = [
            f"over {as_text(value)} ({_place(label, line)})" for label, line, value in self.over
        ]
        origin = _place(self.set_by, self.line)
        return "; ".join([f"{origin}: {self.formula}" if self.formula else origin, *overridden])


def facts_of(opened: Opened, schedule: ResolvedSchedule) -> list[Fact]:
    """Everything that holds for the schedule: its entry, what it inherits, what is computed.

    A secret that stands in the file against the rules is not shown.
    """
    facts = (
        *_entry(opened, schedule),
        *_computed(opened, schedule),
        *(_declared(schedule.declaration) if schedule.declaration else ()),
        *_inherited(opened, schedule),
    )
    return [_discreet(fact) for fact in facts]


def _discreet(fact: Fact) -> Fact:
    root, _, name = fact.field.partition(".")
    path: Path = (root, name) if name else (root,)
    return replace(
        fact,
        value=_hidden(path, fact.value),
        over=tuple((label, line, _hidden(path, value)) for label, line, value in fact.over),
    )


def _hidden(path: Path, value: Any) -> Any:
    text = as_text(value)
    what = secret_at(path, text)
    return value if what is None else f"(not shown: it holds {what})"


def _place(label: str, line: int | None) -> str:
    return f"{label}, line {line}" if line else label


def _entry(opened: Opened, schedule: ResolvedSchedule) -> Iterator[Fact]:
    """What only an entry says, or an entry's override."""
    own = f"schedules.{schedule.name}"
    for field in _OWN:
        value = getattr(schedule.entry, field)
        if value:
            line = opened.line((*schedule.path, field))
            yield Fact(field, _plain(value), own, line)
    line = opened.line(("environments", schedule.environment, "namespace"))
    place = f"environments.{schedule.environment}"
    yield Fact("namespace", opened.environment.namespace, place, line)
    yield Fact(
        "cronjob",
        schedule.cronjob,
        "computed",
        formula="the environment's namePrefix and the name, shortened to 52 letters by a hash",
    )
    if schedule.expression is None:
        yield Fact("schedule", NEVER, "computed", formula="manual: it never runs by the clock")
    else:
        said = _said(opened, schedule, ("schedule",), schedule.expression)
        meaning = schedule.cron.describe() if schedule.cron else ""
        yield Fact("schedule", said.value, said.set_by, said.line, meaning, said.over)
    if schedule.shards is not None:
        yield _said(opened, schedule, ("shards",), schedule.shards)


def _computed(opened: Opened, schedule: ResolvedSchedule) -> Iterator[Fact]:
    declared = schedule.declaration
    timeout = (declared.timeout if declared else None) or 0
    wait = declared.lock_wait if declared else 0
    startup = schedule.template.startup_seconds or 0
    retries = schedule.backoff_limit
    waiting = f" + lock wait {wait}" if wait else ""
    values: tuple[tuple[str, Any, str], ...] = (
        (
            "startingDeadlineSeconds",
            schedule.starting_deadline,
            f"half the period of {schedule.period} s, at least 20 s and at most an hour"
            if schedule.period
            else "an hour: there is no period",
        ),
        (
            "backoffLimit",
            schedule.backoff_limit,
            "the job is retry-safe" if schedule.retry_safe else "the job is not retry-safe",
        ),
        (
            "terminationGracePeriodSeconds",
            schedule.grace,
            "twice the settings' grace, to stop and to store the outcome, one attempt to connect, "
            "and what is left over",
        ),
        (
            "activeDeadlineSeconds",
            schedule.active_deadline,
            f"({retries} + 1) pods x (timeout {timeout}{waiting} + grace {schedule.grace} + "
            f"start-up {startup}) + {pod_backoff(retries)} between pods = {schedule.budget} s, "
            "in full minutes",
        ),
        (
            "suspend",
            schedule.standstill is not None,
            schedule.standstill or "it runs by its schedule",
        ),
    )
    for field, value, formula in values:
        said = _said(opened, schedule, (field,), value)
        yield Fact(field, value, said.set_by, said.line, formula, said.over)
    yield Fact("image", schedule.image, "computed", formula="repository:tag@digest")


def _declared(declared: Declaration) -> Iterator[Fact]:
    origin = f"declared by {declared.job}"
    locks = [f"{lock.key} (shared)" if lock.shared else lock.key for lock in declared.locks]
    formula = "" if locks else "its key depends on a placeholder"
    yield Fact("declared.locks", locks, origin, formula=formula)
    never = "" if declared.timeout is not None else "it goes on until it is told to stop"
    yield Fact("declared.timeoutSeconds", declared.timeout, origin, formula=never)
    yield Fact("declared.lockWaitSeconds", declared.lock_wait, origin)
    yield Fact("declared.retrySafe", declared.retry_safe, origin)
    yield Fact("declared.accountable", declared.accountable, origin)
    yield Fact("declared.responsible", declared.responsible, origin)
    yield Fact("declared.consulted", declared.consulted, origin)
    needs = [f"{need.name} ({need.access}, {need.variable})" for need in declared.needs]
    yield Fact("declared.needs", needs, origin)


def _inherited(opened: Opened, schedule: ResolvedSchedule) -> Iterator[Fact]:
    for name, information in Template.model_fields.items():
        field = information.alias or name
        if field in _COMPUTED:
            continue
        for path, value in _leaves(getattr(schedule.template, name), (field,)):
            yield _said(opened, schedule, path, value)


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every single value below, by its path."""
    if isinstance(value, Part):
        for name, information in type(value).model_fields.items():
            yield from _leaves(getattr(value, name), (*path, information.alias or name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        if value:
            yield path, [_plain(item) for item in value]
    elif value is not None:
        yield path, value


def _said(opened: Opened, schedule: ResolvedSchedule, path: Path, value: Any) -> Fact:
    """Who said it; the next ones said something that does not hold any more."""
    found = [
        (
            layer.label,
            opened.line(None if layer.path is None else (*layer.path, *path)),
            _plain(said),
        )
        for layer, said in origins(schedule.layers, path)
    ]
    field = ".".join(map(str, path))
    if not found:
        return Fact(field, value, "computed")
    (label, line, _), *over = found
    return Fact(field, value, label, line, over=tuple(over))


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value

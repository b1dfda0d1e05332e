"""Rules that look at nothing but what defaults, environment and schedule may each say.

A thousand schedules share most of it: whatever the file says once is one object in all of them,
and is judged once. The same rules hold for the migration's pod, which is no schedule.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from cronops.schedules.findings import Severity
from cronops.schedules.model import Template
from cronops.schedules.resolve import ResolvedSchedule
from cronops.schedules.rules.rule import Problem, Rule

id_of = id
# What is shared is asked for again at once; more would only be memory that the collector walks.
_MOST_REMEMBERED = 64


@dataclass(frozen=True)
class TemplateRule(Rule[ResolvedSchedule]):
    """A rule of schedules that anything with a pod can be asked.

    What it finds depends on template and environment alone: schedules that agree in both are
    judged together.
    """

    of_template: Callable[[Template, str], Iterable[Problem]] = field(kw_only=True)
    """Asked with the name of the environment; its problems' fields start at the template."""


def template_rule(
    id: str,
    *fields: str,
    title: str,
    why: str,
    instead: str,
    severity: Severity = Severity.ERROR,
    waivable: bool = True,
) -> Callable[[Callable[..., Iterator[Problem]]], TemplateRule]:
    """Declare a rule about some `fields` of a template, such as its ``egress``.

    The function is called with their values.
    """
    values = attrgetter(*fields)
    is_single = len(fields) == 1

    def declare(check: Callable[..., Iterator[Problem]]) -> TemplateRule:
        seen: dict[Any, tuple[Any, tuple[Problem, ...]]] = {}

        def of_template(template: Template, _: str = "") -> tuple[Problem, ...]:
            said = values(template)
            key = id_of(said) if is_single else tuple(map(id_of, said))
            known = seen.get(key)
            if known is None:
                if len(seen) >= _MOST_REMEMBERED:
                    seen.clear()
                problems = tuple(check(said) if is_single else check(*said))
                # Holding the values keeps their ids from being given to others.
                known = seen[key] = (said, problems)
            return known[1]

        return TemplateRule(
            id,
            severity,
            title,
            why,
            instead,
            ResolvedSchedule,
            lambda schedule: iter(of_template(schedule.template)),
            waivable,
            of_template=of_template,
        )

    return declare

"""Values as YAML, which Helm reads as Python means it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cronops.schedules.chart.values import Values, plain
from cronops.schedules.render.quoting import scalar

_MADE = "# Made by `cronops schedules chart` from schedules.yaml: change that file instead.\n"
_OF_ONE = """\
# The values of {name}: helm upgrade --install cronops . -f values-{name}.yaml
# README.md says what each of them means.
"""
_OF_NONE = """\
# Of no environment: installed without -f, the chart schedules nothing and upgrades no tables.
# Install it with the values-….yaml of an environment; README.md says what each value means.
"""


def values_text(values: Values, environment: str | None) -> str:
    """The text of one ``values-<environment>.yaml``, or of ``values.yaml``."""
    about = _OF_NONE if environment is None else _OF_ONE.format(name=scalar(environment))
    return _MADE + about + yaml_text(plain(values))


def yaml_text(value: Mapping[str, Any]) -> str:
    """A mapping as YAML, in its order; strings are quoted where any parser might err."""
    return "".join(f"{line}\n" for line in _mapping(value))


def _mapping(value: Mapping[str, Any]) -> Iterator[str]:
    for key, item in value.items():
        yield from _item(f"{scalar(key)}:", item)


def _item(start: str, item: Any) -> Iterator[str]:
    if isinstance(item, Mapping) and item:
        yield start
        yield from (f"  {line}" for line in _mapping(item))
    elif isinstance(item, Sequence) and not isinstance(item, str) and item:
        yield start
        yield from (f"  {line}" for line in _sequence(item))
    else:
        yield f"{start} {_leaf(item)}"


def _sequence(items: Sequence[Any]) -> Iterator[str]:
    for item in items:
        if isinstance(item, Mapping) and item:
            first, *rest = _mapping(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
        else:
            yield f"- {_leaf(item)}"


def _leaf(item: Any) -> str:
    if isinstance(item, Mapping):
        return "{}"
    if isinstance(item, Sequence) and not isinstance(item, str):
        return "[]"
    return scalar(item)

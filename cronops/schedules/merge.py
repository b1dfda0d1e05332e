"""Defaults, environment, schedule and override made into one; and which of them said what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from cronops.schedules.findings import Path
from cronops.schedules.model import Document, Schedule, Template
from cronops.schedules.parts import Part

BUILT_IN = Template.model_validate(
    {
        "concurrencyPolicy": "Forbid",
        "successfulJobsHistoryLimit": 3,
        # KubeJobFailed fires for every failed Job that still exists.
        "failedJobsHistoryLimit": 1,
        "startupSeconds": 60,
        "restartPolicy": "Never",
    }
)

P = TypeVar("P", bound=Part)


@dataclass(frozen=True)
class Layer:
    """One place that may say something of a schedule."""

    label: str
    """For people: ``defaults``, ``environments.production``."""
    path: Path | None
    """Where it stands in the file; None for what is built in."""
    said: Template


def merge(below: P, above: Part) -> P:
    """`below` with everything that `above` says; a new object, of `below`'s class."""
    said = {
        name: _combined(getattr(below, name), getattr(above, name), name)
        for name in above.model_fields_set
        if name in type(below).model_fields
    }
    return below.model_copy(update=said)


def common_layers(document: Document, environment: str) -> list[Layer]:
    """What holds for every schedule of an environment, the least specific first."""
    return [
        Layer("built in", None, BUILT_IN),
        Layer("defaults", ("defaults",), document.defaults),
        Layer(
            f"environments.{environment}",
            ("environments", environment),
            document.environments[environment],
        ),
    ]


def migration_layers(document: Document, environment: str) -> list[Layer]:
    """What holds for the migration of an environment, the least specific first."""
    layers = common_layers(document, environment)
    said = document.environments[environment].migration
    if said is not None:
        layers.append(Layer("migration", ("environments", environment, "migration"), said))
    return layers


def own_layers(schedule: Schedule, index: int, environment: str) -> list[Layer]:
    """What the schedule says itself, and says of this environment."""
    path: Path = ("schedules", index)
    layers = [Layer(f"schedules.{schedule.name}", path, schedule)]
    override = schedule.environments.get(environment)
    if override is not None:
        layers.append(
            Layer(
                f"schedules.{schedule.name}.environments.{environment}",
                (*path, "environments", environment),
                override,
            )
        )
    return layers


def merged(layers: Sequence[Layer]) -> Template:
    """All that the layers say together."""
    template = Template()
    for layer in layers:
        template = merge(template, layer.said)
    return template


def origins(layers: Sequence[Layer], field: Path) -> Iterator[tuple[Layer, Any]]:
    """Each layer that says something of `field` (names as in the file), the most specific first."""
    for layer in reversed(layers):
        found, value = _lookup(layer.said, field)
        if found:
            yield layer, value


def place_of(layers: Sequence[Layer], field: Path) -> Path | None:
    """Where in the file `field` was said that holds; None for no field, or one nobody said."""
    for layer, _ in origins(layers, field) if field else ():
        return None if layer.path is None else (*layer.path, *field)
    return None


def _lookup(value: Any, field: Path) -> tuple[bool, Any]:
    for step in field:
        if isinstance(value, Part):
            name = next(
                (n for n, f in type(value).model_fields.items() if (f.alias or n) == step), None
            )
            if name is None or name not in value.model_fields_set:
                return False, None
            value = getattr(value, name)
        else:
            try:
                value = value[step]
            except (LookupError, TypeError):
                return False, None
    return True, value


def _combined(below: Any, above: Any, name: str) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        values = dict(below)
        for key, value in above.items():
            if value is None:
                values.pop(key, None)
            else:
                values[key] = _combined(values.get(key), value, key)
        return values
    if isinstance(above, Part):
        return merge(below, above) if type(below) is type(above) else _without_nulls(above)
    if name == "waivers" and below:
        return [*below, *above]
    return above


def _without_nulls(part: Part) -> Part:
    """What a part says where nothing lies below that its nulls could take away."""
    said = {
        name: _combined({}, value, name)
        for name, value in part.__dict__.items()
        if isinstance(value, dict)
    }
    return part.model_copy(update=said) if said else part

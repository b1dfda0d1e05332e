"""``values.schema.json``: Helm holds the values against it, and tells each misfit by its path."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from cronops.schedules.chart.values import (
    Defaults,
    MigrationValues,
    PrometheusRuleValues,
    Values,
)
from cronops.schedules.parts import Part

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NULL = {"type": "null"}
_DEFINITIONS = "#/$defs/"


@cache
def schema_text() -> str:
    """The schema of `Values`, as JSON."""
    schema = _walked(Values.model_json_schema(mode="validation"), _told)
    # A choice between a mapping and null would have Helm say of each mistake below that the mapping
    # is no null either.
    schema = _walked(schema, _either_type)
    definitions = schema["$defs"]
    schema["required"] = _given(Values)
    for model in (Defaults, MigrationValues, PrometheusRuleValues):
        definitions[model.__name__]["required"] = _given(model)
    wanted = _references(schema)
    nullable = _references(schema, only_nullable=True) - wanted
    for name in nullable:
        definitions[name]["type"] = ["object", "null"]
    schema = _walked(schema, lambda part: _without_null(part, nullable))
    return json.dumps({"$schema": _DIALECT, **schema}, indent=2, ensure_ascii=True) + "\n"


def _given(model: type[Part]) -> list[str]:
    """What ``values.yaml`` gives, and only ``null`` takes away: the templates count on it."""
    return [
        field.alias or name
        for name, field in model.model_fields.items()
        if field.get_default(call_default_factory=True, validated_data={}) is not None
    ]


def _walked(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    if isinstance(value, list):
        return [_walked(item, change) for item in value]
    if isinstance(value, dict):
        return change({key: _walked(item, change) for key, item in value.items()})
    return value


def _told(part: dict[str, Any]) -> dict[str, Any]:
    """Without pydantic's titles, which only repeat the names; descriptions on one line."""
    made = dict(part)
    if isinstance(made.get("title"), str):
        del made["title"]
    if isinstance(made.get("description"), str):
        made["description"] = " ".join(made["description"].replace("``", "`").split())
    return made


def _either_type(part: dict[str, Any]) -> dict[str, Any]:
    """A type or null, told as two types."""
    choice = part.get("anyOf")
    if not isinstance(choice, list) or len(choice) != 2 or choice[1] != _NULL:
        return part
    kind = choice[0].get("type")
    if not isinstance(kind, str) or "const" in choice[0]:
        return part
    made = {**choice[0], "type": [kind, "null"]}
    if "enum" in made:
        made["enum"] = [*made["enum"], None]
    return made | {key: value for key, value in part.items() if key != "anyOf"}


def _references(schema: Any, *, only_nullable: bool = False) -> set[str]:
    """The definitions that are named beside a null, or where there is none."""
    found: set[str] = set()

    def look(part: Any, *, beside_null: bool) -> None:
        if isinstance(part, list):
            for item in part:
                look(item, beside_null=_NULL in part)
        elif isinstance(part, dict):
            name = part.get("$ref")
            if isinstance(name, str) and beside_null == only_nullable:
                found.add(name.removeprefix(_DEFINITIONS))
            for item in part.values():
                look(item, beside_null=False)

    look(schema, beside_null=False)
    return found


def _without_null(part: dict[str, Any], nullable: set[str]) -> dict[str, Any]:
    choice = part.get("anyOf")
    if not isinstance(choice, list) or _NULL not in choice:
        return part
    names = {str(one.get("$ref", "")).removeprefix(_DEFINITIONS) for one in choice}
    if not names & nullable:
        return part
    rest: list[dict[str, Any]] = [one for one in choice if one != _NULL]
    if len(rest) > 1:
        return {**part, "anyOf": rest}
    return {**rest[0], **{key: value for key, value in part.items() if key != "anyOf"}}

"""The parsed file held against its model: every misfit at once, each with its place."""

from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import ValidationError

from cronops.schedules.findings import Finding, InvalidSchedules, Path, Position, Severity
from cronops.schedules.model import Document
from cronops.schedules.nearest import did_you_mean, nearest
from cronops.schedules.parts import Part
from cronops.schedules.source import Source

MOST = 100
"""Findings that are told one by one; a file with more is not a schedules file."""
# Pydantic names the branch of `suspend` it took; the file knows no such key.
_BRANCHES = frozenset({"plain", "reasoned"})
_TRUTHS = dict.fromkeys(("true", "yes", "on"), "true") | dict.fromkeys(
    ("false", "no", "off"), "false"
)
_ADVICE = {
    "a date": 'write it as "2027-01-31"',
    "a list": "write each item after a hyphen, or all of them in [ ]",
    "a mapping": "write 'key: value' lines, indented below it",
}
_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "date_type": "a date",
}


def read_document(source: Source) -> Document:
    """The file as its model has it.

    Raises `InvalidSchedules` with every misfit, in the order of the file.
    """
    try:
        return Document.model_validate(source.value)
    except ValidationError as error:
        found = [_finding(source, detail) for detail in error.errors(include_url=False)]
    found.sort(key=lambda finding: finding.position)
    if len(found) > MOST:
        rest = len(found) - MOST
        last = Finding(
            "more-findings",
            Severity.ERROR,
            f"and {rest} more like these",
            "correct the ones above first",
            position=found[MOST].position,
        )
        found = [*found[:MOST], last]
    raise InvalidSchedules(found)


def _finding(source: Source, detail: Mapping[str, Any]) -> Finding:
    path = _path(detail["loc"])
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown_key(source, path)
    if kind == "missing":
        return _made(
            source,
            "missing-key",
            f"{_named(path[:-1])} has no {_shown(path[-1])}",
            f"add {path[-1]}: {_example(path)}",
            path[:-1],
        )
    # Not pydantic's input: some fields look at numbers as text.
    value = source.value_at(path)
    written = source.written(path) or ""
    if _is_secret(path, value, written):
        kind_wanted = _WANTED.get(kind, "something else")
        message = f"{_named(path)} is what may be a secret, where {kind_wanted} is wanted"
        as_text = kind_wanted == "text"
        advice = "write it in quotes" if as_text else _ADVICE.get(kind_wanted, "correct it")
        return _made(source, "wrong-type", message, advice, path)
    wanted = _wanted(path, kind, value)
    if wanted is not None:
        message = f"{_named(path)} is {_described(value, written)}, where {wanted} is wanted"
        advice = _as_wanted(wanted, value, written) or _listed(_choices(path)) or f"write {wanted}"
        return _made(source, "wrong-type", message, advice, path)
    shown = f"{_named(path)} is {_described(value, written)}"
    return _made(source, "bad-value", *_refusal(path, shown, value, detail), path)


def _unknown_key(source: Source, path: Path) -> Finding:
    key, above = str(path[-1]), path[:-1]
    part = _part_at(above)
    known = [field.alias or name for name, field in part.model_fields.items()] if part else []
    instead = did_you_mean(key, known, f"known here: {', '.join(sorted(known))}")
    message = f"{_named(above)} knows no key {_shown(key)}"
    return _made(source, "unknown-key", message, instead, path, source.key_position(path))


def _wanted(path: Path, kind: str, value: object) -> str | None:
    """What type should stand there; None where the type is right and the value is not."""
    if kind != "literal_error":
        return _WANTED.get(kind)
    right = type(_choices(path)[0])
    return None if type(value) is right else _WANTED[{int: "int_type"}.get(right, "string_type")]


def _as_wanted(wanted: str, value: object, written: str) -> str:
    if value is None:
        return f"write {wanted}, or leave the key out"
    if isinstance(value, str):
        if wanted == "a whole number" and value.strip().lstrip("+-").isdecimal():
            return f"write it without quotes: {_short(value.strip())}"
        if wanted == "true or false" and value.casefold() in _TRUTHS:
            return f"write it as {_TRUTHS[value.casefold()]}, without quotes"
    elif wanted == "text" and not isinstance(value, dict | list):
        return f'write it in quotes: "{_short(written)}"'
    return _ADVICE.get(wanted, "")


def _refusal(path: Path, shown: str, value: object, detail: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong with a value of the right type, and what to write."""
    kind, context = detail["type"], detail.get("ctx", {})
    match kind:
        case "literal_error":
            choices = _choices(path)
            near = nearest(value, choices) if isinstance(value, str) else None
            return f"{shown}, which is not taken", _listed([near] if near else choices)
        case "string_too_short" | "too_short":
            return f"{_named(path)} is empty", "write what it should be, or leave the key out"
        case "greater_than_equal":
            return f"{shown}, which is too low", f"the least is {context['ge']}"
        case "less_than_equal":
            return f"{shown}, which is too high", f"the most is {context['le']}"
        case "less_than":
            return f"{shown}, which is too high", f"the most is {context['lt'] - 1}"
        case "value_error":
            return f"{shown}, which is no date", 'write it as "2027-01-31"'
        case _:
            return f"{shown}, which is not taken: {detail['msg']}", "correct it"


def _made(
    source: Source,
    rule: str,
    message: str,
    instead: str,
    path: Path,
    position: Position | None = None,
) -> Finding:
    return Finding(
        rule,
        Severity.ERROR,
        message,
        instead,
        path,
        position or source.position(path),
        _schedule(source, path),
    )


def _schedule(source: Source, path: Path) -> str | None:
    """The name of the schedule that a path lies in."""
    match path:
        case ("schedules", int(index), *_):
            entry = source.value["schedules"][index]
            name = entry.get("name") if isinstance(entry, dict) else None
            return name if isinstance(name, str) else None
    return None


def _path(location: Path) -> Path:
    """Pydantic's location as the file names it."""
    path: Path = ()
    branched = False
    for step in location:
        at_branch = step in _BRANCHES and path[-1:] == ("suspend",) and _is_template(path[:-1])
        if at_branch and not branched:
            branched = True
            continue
        path = (*path, step)
    return path


def _is_template(path: Path) -> bool:
    match path:
        case ("defaults",) | ("environments" | "schedules", _):
            return True
        case ("environments", _, "migration") | ("schedules", _, "environments", _):
            return True
    return False


def _part_at(path: Path) -> type[Part] | None:
    """The model of the mapping that stands at `path`."""
    return next((kind for kind in _kinds(_annotation(path)) if _is_part(kind)), None)


def _choices(path: Path) -> list[Any]:
    return [
        choice
        for kind in _kinds(_annotation(path))
        if get_origin(kind) is Literal
        for choice in get_args(kind)
    ]


def _listed(choices: Sequence[object]) -> str:
    return "write " + ", or ".join(str(one) or '""' for one in choices) if choices else ""


def _annotation(path: Path) -> Any:
    annotation: Any = Document
    for step in path:
        annotation = next(_below(annotation, step), None)
    return annotation


def _below(annotation: Any, step: str | int) -> Iterator[Any]:
    for kind in _kinds(annotation):
        if _is_part(kind):
            for name, field in kind.model_fields.items():
                if (field.alias or name) == step:
                    yield field.annotation
        elif get_origin(kind) in (list, dict):
            yield get_args(kind)[-1]


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types that an annotation allows, without what is said about them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for one in get_args(annotation):
            yield from _kinds(one)
    else:
        yield annotation


def _is_part(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Part)


def _named(path: Path) -> str:
    """A path as people say it: ``schedules[3].suspend.until``."""
    told = ""
    for step in path:
        told += f"[{step}]" if isinstance(step, int) else f".{_short(step)}"
    return told.lstrip(".") or "the file"


def _example(path: Path) -> str:
    annotation = _annotation(path)
    kinds = list(_kinds(annotation))
    if any(get_origin(kind) is Literal for kind in kinds):
        return str(_choices(path)[0])
    if any(get_origin(kind) is list for kind in kinds):
        return "[…]"
    return "{…}" if any(_is_part(k) or get_origin(k) is dict for k in kinds) else "…"


def _is_secret(path: Path, value: object, written: str) -> bool:
    """Whether a log that shows the value could show a secret: somebody took this for its place."""
    from cronops.schedules.rules.inline_secrets import secret_at

    if isinstance(value, bool | dict | list) or value is None:
        return False
    return "secrets" in path or secret_at(path, written) is not None


def _described(value: object, written: str) -> str:
    match value:
        case None:
            return "empty"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return f"the text {_shown(value)}"
        case _:
            return _short(written)


def _shown(value: object) -> str:
    return repr(_short(str(value)))


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"

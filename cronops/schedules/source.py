"""The text of a schedules file, read with the place of everything in it.

YAML as both PyYAML and Go's parsers would read it: mappings without duplicate keys, the scalars
of YAML 1.2's core schema and nothing that constructs an object. Hostile text is refused with one
finding: too large, too deep, aliases that explode.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from cronops.schedules.findings import InvalidSchedules, Path, Position
from cronops.schedules.hostile import (
    DEEPEST,
    MOST_NODES,
    may_be_hostile,
    refused,
    too_deep,
    unreadable,
)
from cronops.schedules.scalars import plain_value

LONGEST = 16 << 20
"""Bytes a file may have; ten thousand schedules take about three million."""
# Anchors save typing; a bomb needs its aliases to outnumber what was written.
_ALIASED_PER_NODE = 10

_STANDARD = "tag:yaml.org,2002:"
_IMPLICIT = frozenset(
    f"{_STANDARD}{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "seq", "map")
)
_TAGS: dict[type, str] = {
    kind: _STANDARD + name
    for name, kind in (
        ("str", str),
        ("int", int),
        ("float", float),
        ("bool", bool),
        ("null", type(None)),
    )
}
_YAML_1_1: Any = yaml.resolver.Resolver()
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Source:
    """A parsed file: its value as plain Python, and the position of each part of it."""

    def __init__(self, root: yaml.Node) -> None:
        self._root = root
        self._budget = _ALIASED_PER_NODE * _written(root) + 1000
        self.value: Any = self._construct(root, 0)

    def position(self, path: Path, offset: int = 0) -> Position:
        """Where `path` stands: the value's place, or that of the nearest thing above it.

        `offset` counts letters into a value; it is left out of account where quoting or line ends
        make the letters of the file others than those of the value.
        """
        node = self._root
        for step in path:
            found = _child(node, step)
            if found is None:
                return _position_of(node)
            node = found
        position = _position_of(node)
        if not offset or not isinstance(node, yaml.ScalarNode):
            return position
        quotes = 0 if _is_plain(node) else 2
        start, end = node.start_mark, node.end_mark
        if start.line != end.line or end.column - start.column != len(node.value) + quotes:
            return position
        return Position(position.line, position.column + quotes // 2 + offset)

    def key_position(self, path: Path) -> Position:
        """Where the last key of `path` itself stands, for one that should not be there."""
        node = self._root
        for step in path[:-1]:
            found = _child(node, step)
            if found is None:
                return _position_of(node)
            node = found
        if isinstance(node, yaml.MappingNode):
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value == str(path[-1]):
                    return _position_of(key)
        return self.position(path)

    def value_at(self, path: Path) -> Any:
        """The value at `path`, which must be there."""
        value = self.value
        for step in path:
            value = value[step]
        return value

    def written(self, path: Path) -> str | None:
        """The text of the scalar at `path` as it stands there; None where no scalar does."""
        node: yaml.Node | None = self._root
        for step in path:
            node = node and _child(node, step)
        return node.value if isinstance(node, yaml.ScalarNode) else None

    def _construct(self, node: yaml.Node, depth: int) -> Any:
        self._budget -= 1
        if self._budget < 0:
            raise refused(
                "alias-bomb",
                "the file's aliases expand to far more than what is written in it",
                "write repeated parts once, under defaults or environments",
                _position_of(node),
            )
        if depth > DEEPEST:
            raise too_deep(_position_of(node))
        if node.tag not in _IMPLICIT:
            raise _tagged(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self._construct(item, depth + 1) for item in node.value]
        value = plain_value(node.value) if _is_plain(node) else node.value
        if node.tag != _TAGS[type(value)] and _has_tag(node):
            raise _tagged(node)
        return value

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise refused(
                    "yaml-key", "a key must be plain text", "write one word", _position_of(key)
                )
            name = key.value
            if name == "<<" and _is_plain(key):
                raise refused(
                    "yaml-merge",
                    "merge keys (<<) are read differently by different parsers",
                    "put what is common under defaults, or under environments",
                    _position_of(key),
                )
            if name in made:
                first = next(k for k, _ in node.value if k.value == name)
                raise refused(
                    "duplicate-key",
                    f"the key {name[:60]!r} stands here twice; first in line "
                    f"{_position_of(first).line}",
                    "keep one of the two",
                    _position_of(key),
                )
            made[name] = self._construct(value, depth + 1)
        return made


def read_source(text: bytes) -> Source:
    """Parse a file's bytes.

    Raises `InvalidSchedules` with one finding for text that is no single YAML mapping in UTF-8.
    """
    if len(text) > LONGEST:
        raise refused(
            "file-too-large",
            f"the file is larger than {LONGEST >> 20} MiB",
            "give the path of a schedules file",
        )
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        column = error.start - text.rfind(b"\n", 0, error.start)
        raise refused(
            "not-utf-8", "the file is not UTF-8 text", "save it as UTF-8", Position(line, column)
        ) from None
    try:
        if may_be_hostile(decoded):
            _survey(decoded)
        root = yaml.compose(decoded, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise unreadable(error, decoded) from None
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value.strip()):
        raise refused(
            "empty-file",
            "the file says nothing",
            "start it with 'version: 1' and a list of schedules",
        )
    if not isinstance(root, yaml.MappingNode):
        raise refused(
            "not-a-mapping",
            "the file holds no mapping at its top",
            "start it with 'version: 1', 'defaults:', 'environments:' and 'schedules:'",
            _position_of(root),
        )
    return Source(root)


def _survey(text: str) -> None:
    """Walk through the file without building anything, and refuse what is too deep or too much."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.NodeEvent):
            nodes += 1
            depth += isinstance(event, yaml.CollectionStartEvent)
            mark: Any = event.start_mark
            at = Position(mark.line + 1, mark.column + 1)
            if depth > DEEPEST:
                raise too_deep(at)
            if nodes > MOST_NODES:
                raise refused(
                    "file-too-large",
                    f"the file holds more than {MOST_NODES} values",
                    "give the path of a schedules file",
                    at,
                )


def _is_plain(node: yaml.Node) -> bool:
    """Whether the text stands without quotes: only then may it be anything but a string."""
    return not getattr(node, "style", None)


def _has_tag(node: yaml.Node) -> bool:
    """Whether a tag is written there: YAML 1.1, whose tags these are, would give another."""
    plain = _is_plain(node)
    return bool(node.tag != _YAML_1_1.resolve(yaml.ScalarNode, node.value, (plain, not plain)))


def _tagged(node: yaml.Node) -> InvalidSchedules:
    return refused(
        "yaml-tag",
        f"the tag {node.tag.removeprefix(_STANDARD)[:60]!r} stands here; tags are not taken",
        "leave the tag out; text may stand in quotes",
        _position_of(node),
    )


def _written(root: yaml.Node) -> int:
    """How many different nodes the file holds."""
    seen: set[int] = set()
    waiting: list[yaml.Node] = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        waiting.extend(_children(node))
    return len(seen)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _child(node: yaml.Node, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        found: yaml.Node = node.value[step]
        return found
    return None


def _position_of(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)

"""The text of a schedules file, read with the place of everything in it.

YAML as both PyYAML and Go's parsers would read it: mappings without duplicate keys, the scalars
of YAML 1.2's core schema and nothing that constructs an object. Hostile text is refused with one
finding: too large, too deep, aliases that explode.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from cronops.schedules.findings import Finding, InvalidSchedules, Path, Position, Severity
from cronops.schedules.scalars import plain_value

LONGEST = 16 << 20
"""Bytes a file may have; ten thousand schedules take about three million."""
_MOST_NODES = 1_000_000
_DEEPEST = 30
# Parsing makes a recursive call a level; so many do no harm.
_HARMLESS_DEPTH = 1000
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
_BRACKET = re.compile(r"[][{}]")


class Source:
    """A parsed file: its value as plain Python, and the position of each part of it."""

    def __init__(self, name: str, root: yaml.Node) -> None:
        self.name = name
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

    def written(self, path: Path) -> str | None:
        """The text of the scalar at `path` as it stands there; None where no scalar does."""
        node: yaml.Node | None = self._root
        for step in path:
            node = node and _child(node, step)
        return node.value if isinstance(node, yaml.ScalarNode) else None

    def _construct(self, node: yaml.Node, depth: int) -> Any:
        self._budget -= 1
        if self._budget < 0:
            raise _refused(
                "alias-bomb",
                "the file's aliases expand to far more than what is written in it",
                "write repeated parts once, under defaults or environments",
                node,
            )
        if depth > _DEEPEST:
            raise _too_deep(_position_of(node))
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
                raise _refused("yaml-key", "a key must be plain text", "write one word", key)
            name = key.value
            if name == "<<" and _is_plain(key):
                raise _refused(
                    "yaml-merge",
                    "merge keys (<<) are read differently by different parsers",
                    "put what is common under defaults, or under environments",
                    key,
                )
            if name in made:
                first = next(k for k, _ in node.value if k.value == name)
                raise _refused(
                    "duplicate-key",
                    f"the key {name!r} stands here twice; first in line {_position_of(first).line}",
                    "keep one of the two",
                    key,
                )
            made[name] = self._construct(value, depth + 1)
        return made


def read_source(text: bytes, name: str) -> Source:
    """Parse a file's bytes.

    Raises `InvalidSchedules` with one finding for text that is no single YAML mapping in UTF-8.
    """
    if len(text) > LONGEST:
        raise _refused(
            "file-too-large",
            f"the file has {len(text) / (1 << 20):.0f} MiB; the most is {LONGEST >> 20}",
            "give the path of a schedules file",
        )
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        column = error.start - text.rfind(b"\n", 0, error.start)
        raise _refused(
            "not-utf-8", "the file is not UTF-8 text", "save it as UTF-8", Position(line, column)
        ) from None
    try:
        if _may_be_hostile(decoded):
            _survey(decoded)
        root = yaml.compose(decoded, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise _unreadable(error, decoded) from None
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value.strip()):
        raise _refused(
            "empty-file",
            "the file says nothing",
            "start it with 'version: 1' and a list of schedules",
        )
    if not isinstance(root, yaml.MappingNode):
        raise _refused(
            "not-a-mapping",
            "the file holds no mapping at its top",
            "start it with 'version: 1', 'defaults:', 'environments:' and 'schedules:'",
            root,
        )
    return Source(name, root)


def _may_be_hostile(text: str) -> bool:
    """Whether parsing could take too much stack or memory; quick, and careful."""
    # Each value follows one of these signs; rarely an empty one comes with it.
    if sum(map(text.count, "\n,:-?[{")) > _MOST_NODES:
        return True
    # Each block inside a block begins further to the right, but for lists in mappings.
    if 2 * max(map(len, text.splitlines()), default=0) > _HARMLESS_DEPTH:
        return True
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest - min(depth, 0) > _HARMLESS_DEPTH


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
            if depth > _DEEPEST:
                raise _too_deep(at)
            if nodes > _MOST_NODES:
                raise _refused(
                    "file-too-large",
                    f"the file holds more than {_MOST_NODES} values",
                    "give the path of a schedules file",
                    at,
                )


def _too_deep(at: Position) -> InvalidSchedules:
    return _refused("too-deep", f"nested deeper than {_DEEPEST} levels", "write it flatter", at)


def _is_plain(node: yaml.Node) -> bool:
    """Whether the text stands without quotes: only then may it be anything but a string."""
    return not getattr(node, "style", None)


def _has_tag(node: yaml.Node) -> bool:
    """Whether a tag is written there: YAML 1.1, whose tags these are, would give another."""
    plain = _is_plain(node)
    return bool(node.tag != _YAML_1_1.resolve(yaml.ScalarNode, node.value, (plain, not plain)))


def _tagged(node: yaml.Node) -> InvalidSchedules:
    return _refused(
        "yaml-tag",
        f"the tag {node.tag.removeprefix(_STANDARD)!r} stands here; tags are not taken",
        "leave the tag out; text may stand in quotes",
        node,
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


def _refused(
    rule: str, message: str, instead: str, at: yaml.Node | Position | None = None
) -> InvalidSchedules:
    position = at if isinstance(at, Position) else _position_of(at) if at else Position(1, 1)
    return InvalidSchedules([Finding(rule, Severity.ERROR, message, instead, position=position)])


def _unreadable(error: yaml.YAMLError, text: str) -> InvalidSchedules:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return _unprintable(text)
    position = Position(mark.line + 1, mark.column + 1)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return _refused(
            "yaml-tab", "a tab stands where YAML wants blanks", "indent with blanks", position
        )
    context = getattr(error, "context", None)
    problem = ", ".join(filter(None, (getattr(error, "problem", None), context)))
    if "expected a single document" in problem:
        return _refused(
            "yaml-documents", "the file holds several documents", "keep one, without ---", position
        )
    instead = "correct it here"
    if found := _BARE_SIGN.search(line):
        value = found[1].rstrip()
        shown = value if len(value) <= 40 else f"{value[:39]}…"
        instead = f'a value that begins with {value[0]} stands in quotes: "{shown}"'
    return _refused("yaml-syntax", f"not YAML: {problem}", instead, position)


# An expression without quotes: YAML takes the star for an alias, the @ for nothing.
_BARE_SIGN = re.compile(r":\s+([*@%`].*)")
_FORBIDDEN = yaml.reader.Reader.NON_PRINTABLE


def _unprintable(text: str) -> InvalidSchedules:
    found = _FORBIDDEN.search(text)
    before = text[: found.start()] if found else text
    at = Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
    shown = f"U+{ord(found[0]):04X}" if found else "one"
    return _refused(
        "yaml-control-character",
        f"YAML takes no control characters; here is {shown}",
        "take it out",
        at,
    )

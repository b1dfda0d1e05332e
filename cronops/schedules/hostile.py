"""Text that is refused before anything is made of it, and how that is told."""

import re

from cronops.schedules.findings import Finding, InvalidSchedules, Position, Severity

MOST_NODES = 1_000_000
"""Keys and values a file may hold; ten thousand schedules have a quarter of that."""
DEEPEST = 30
"""Levels of nesting; the file's own shape needs ten."""
# Parsing makes a recursive call a level; so many do no harm.
_HARMLESS_DEPTH = 1000
_BRACKET = re.compile(r"[][{}]")
# An expression without quotes: YAML takes the star for an alias, the @ for nothing.
_BARE_SIGN = re.compile(r":\s+([*@%`].*)")
_START = Position(1, 1)
_FORBIDDEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def may_be_hostile(text: str) -> bool:
    """Whether parsing could take too much stack or memory; quick, and careful."""
    # Each value follows one of these signs; rarely an empty one comes with it.
    if sum(map(text.count, "\n,:-?[{")) > MOST_NODES:
        return True
    # Each block inside a block begins further to the right, but for lists in mappings.
    if 2 * max(map(len, text.splitlines()), default=0) > _HARMLESS_DEPTH:
        return True
    # Brackets inside of text are counted too: the depth is at most what lies between the extremes.
    depth = deepest = lowest = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket in "[{" else -1
        deepest, lowest = max(deepest, depth), min(lowest, depth)
    return deepest - lowest > _HARMLESS_DEPTH


def refused(rule: str, message: str, instead: str, at: Position = _START) -> InvalidSchedules:
    """The one finding that a text gets."""
    return InvalidSchedules([Finding(rule, Severity.ERROR, message, instead, position=at)])


def too_deep(at: Position) -> InvalidSchedules:
    """Nesting that nobody would write."""
    return refused("too-deep", f"nested deeper than {DEEPEST} levels", "write it flatter", at)


def unreadable(error: Exception, text: str) -> InvalidSchedules:
    """What the YAML parser said, in the words of this file."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return _unprintable(text)
    position = Position(mark.line + 1, mark.column + 1)
    lines = text.splitlines() or [""]
    line = lines[mark.line] if mark.line < len(lines) else ""
    if mark.line >= len(lines):
        # What is missing at the end is told in the last line; the one after does not exist.
        position = Position(len(lines), len(lines[-1]) + 1)
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return refused(
            "yaml-tab", "a tab stands where YAML wants blanks", "indent with blanks", position
        )
    context = getattr(error, "context", None)
    problem = ", ".join(filter(None, (getattr(error, "problem", None), context)))
    if "expected a single document" in problem:
        return refused(
            "yaml-documents", "the file holds several documents", "keep one, without ---", position
        )
    instead = "correct it here"
    if found := _BARE_SIGN.search(line):
        value = found[1].rstrip()
        shown = value if len(value) <= 40 else f"{value[:39]}…"
        instead = f'a value that begins with {value[0]} stands in quotes: "{shown}"'
    return refused("yaml-syntax", f"not YAML: {problem}", instead, position)


def _unprintable(text: str) -> InvalidSchedules:
    found = _FORBIDDEN.search(text)
    before = text[: found.start()] if found else text
    at = Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
    shown = f"U+{ord(found[0]):04X}" if found else "one"
    return refused(
        "yaml-control-character",
        f"YAML takes no control characters; here is {shown}",
        "take it out",
        at,
    )

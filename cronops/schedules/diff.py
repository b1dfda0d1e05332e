"""What a directory of manifests says otherwise than it should, for people to read."""

from collections.abc import Mapping
from difflib import unified_diff

LONGEST = 400
"""Lines that are told; beyond them only how many more there are."""
# Comparing two files may take time that grows with the square of their lines.
_TOO_LONG = 20_000


def drift(expected: Mapping[str, str], found: Mapping[str, str], directory: str = "") -> str:
    """How the files `found` on disk differ from those `expected`; empty where they do not.

    A unified diff, from what was found to what was expected, of paths below `directory`
    (``k8s/production``). Files that are missing and files that should not be there count. After
    `LONGEST` lines it tells how many are left of that file, and how many files differ besides.
    """
    differing = [
        path
        for path in sorted(expected.keys() | found.keys(), key=_derived_last)
        if expected.get(path) != found.get(path)
    ]
    told: list[str] = []
    for place, path in enumerate(differing, 1):
        lines = _differences(f"{directory}/{path}" if directory else path, found, expected, path)
        room = LONGEST - len(told)
        told += lines[:room]
        if len(lines) >= room:
            told += _left_out(len(lines) - room, len(differing) - place)
            break
    return "".join(f"{line}\n" for line in told)


def _derived_last(path: str) -> tuple[bool, str]:
    """The index differs wherever anything does, and says the least about it."""
    return path == "index.json", path


def _differences(
    shown: str, found: Mapping[str, str], expected: Mapping[str, str], path: str
) -> list[str]:
    before, after = found.get(path), expected.get(path)
    heading = []
    if before is None:
        heading = [f"{shown} is missing"]
    elif after is None:
        heading = [f"{shown} should not be there"]
    had, wanted = _lines(before), _lines(after)
    if len(had) + len(wanted) > _TOO_LONG:
        return heading or [f"{shown} differs"]
    diff = unified_diff(
        had,
        wanted,
        f"a/{shown}" if before is not None else "/dev/null",
        f"b/{shown}" if after is not None else "/dev/null",
        lineterm="",
    )
    return [*heading, *diff]


def _lines(text: str | None) -> list[str]:
    """A text's lines; one whose last has no line break says so, as diff does."""
    if not text:
        return []
    lines = text.split("\n")
    if lines[-1] == "":
        return lines[:-1]
    return [*lines, "\\ No newline at end of file"]


def _left_out(lines: int, files: int) -> list[str]:
    told = []
    if lines:
        told.append(f"… and {lines} more {'line' if lines == 1 else 'lines'} of this file")
    if files:
        told.append(f"… and {files} more {'file differs' if files == 1 else 'files differ'}")
    return told

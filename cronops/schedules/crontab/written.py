"""The proposal as YAML: schedules, and every other line as a comment where it stood."""

import json
from collections.abc import Iterator, Sequence

from cronops.schedules.crontab.propose import Proposed

_WIDTH = 100


def written(proposals: Sequence[Proposed]) -> str:
    """The text of a ``schedules:`` section."""
    lines = ["schedules:"]
    if not any(one.fate == "schedule" for one in proposals):
        lines = ["schedules: []"]
    for one in proposals:
        lines += _of(one)
    return "\n".join(lines).rstrip() + "\n"


def _of(one: Proposed) -> Iterator[str]:
    if one.fate == "comment":
        # What people wrote about the lines below it is worth keeping.
        yield f"  {_comment(one.text)}" if one.text else ""
        return
    yield from ("", f"  {_comment(f'{one.file}:{one.line}: {one.text}')}")
    for told in one.remarks:
        yield f"  {_comment(told)}"
    for told in one.look:
        yield f"  {_comment(f'LOOK: {told}')}"
    if one.fate == "kept":
        yield "  # KEPT: no schedule was made of it."
    if one.fate != "schedule":
        return
    yield f"  - name: {one.name}"
    yield f"    cr: {one.cr}"
    yield f"    command: {one.command}"
    yield f"    description: {json.dumps(one.description)}"
    yield f"    schedule: {json.dumps(one.schedule)}"
    if one.time_zone:
        yield f"    timeZone: {json.dumps(one.time_zone)}"
    yield "    provisional: true"


def _comment(text: str) -> str:
    """On one line, whatever is in it."""
    tidy = "".join(one if one.isprintable() else " " for one in text)
    return f"# {tidy.removeprefix('#').strip()}" if tidy.startswith("#") else f"# {tidy}"

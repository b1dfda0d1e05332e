"""A schedules file with other minutes in it; nothing else of its text is touched."""

import re
from collections.abc import Sequence

from cronops.schedules.cron import parse_cron
from cronops.schedules.resolve import ResolvedEnvironment
from cronops.schedules.source import Source
from cronops.schedules.spread import Move

_MINUTE = re.compile(r"\d{1,2}(?=\s)")


def moved(
    text: str, source: Source, environment: ResolvedEnvironment, moves: Sequence[Move]
) -> tuple[str, list[str]]:
    """The text after these moves, and which schedules were left as they are.

    Those are left whose time is not said by five fields in the schedule's own entry: what an
    environment says otherwise is somebody's decision.
    """
    lines = text.split("\n")
    by_name = {one.name: one for one in environment.schedules}
    left = []
    for move in moves:
        schedule = by_name[move.name]
        path = schedule.path_of("schedule")
        position = source.position(path)
        line, column = position.line - 1, position.column - 1
        expression = schedule.expression or ""
        own = path == (*schedule.path, "schedule")
        begin = lines[line].find(expression, column) if own and expression else -1
        minute = _MINUTE.match(expression)
        if begin < 0 or minute is None:
            left.append(move.name)
            continue
        changed = f"{move.minute}{expression[minute.end() :]}"
        parse_cron(changed)
        lines[line] = lines[line][:begin] + changed + lines[line][begin + len(expression) :]
    return "\n".join(lines), left

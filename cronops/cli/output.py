"""How a command shows its result: a table for people, ``--json`` for programs; on stdout.

Rich draws the table at a terminal; piped, the same rows come as aligned plain text and rich is
not imported.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from cronops.durations import format_duration

Row = Mapping[str, Any]

_GAP = "  "
_PIPED_WIDTH = 120
_NARROWEST = 20
_EDGES = 4
_COLOURS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36", "dim": "2"}


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    key: str
    """What the row calls it."""
    title: str = ""
    """Heading; empty means the key with blanks for underscores."""
    show: Callable[[Any], str] | None = None
    """How a value reads; None means `as_text`."""
    shrinks: bool = False
    """May be cut short where the table is too wide: free text, never an id."""

    @property
    def heading(self) -> str:
        """The title as shown."""
        return self.title or self.key.replace("_", " ")

    def cell(self, row: Row) -> str:
        """The text of this column in `row`, on one line."""
        value = row.get(self.key)
        if isinstance(value, datetime):
            text = short_moment(value)
        else:
            text = self.show(value) if self.show and value is not None else as_text(value)
        return printable(" ".join(text.split()))


def show_table(
    rows: Iterable[Row], columns: Sequence[Column], *, as_json: bool, empty: str
) -> None:
    """Print rows; `empty` is the sentence for people where there are none.

    JSON is an array with every key of every row, not only those that have a column.
    """
    listed = list(rows)
    if as_json:
        show_json(listed)
    elif not listed:
        print_line(empty)
    elif sys.stdout.isatty():
        _draw(listed, columns)
    else:
        for line in plain_table(listed, columns, width=_PIPED_WIDTH):
            print_line(line)


def show_record(record: Row, *, as_json: bool) -> None:
    """Print one thing, a line for each of its keys."""
    if as_json:
        show_json(record)
        return
    indent = max((len(key) for key in record), default=0) + len(_GAP)
    for key, value in record.items():
        lines = [printable(line) for line in as_text(value).splitlines()] or [""]
        print_line(f"{key.replace('_', ' '):<{indent}}{lines[0]}".rstrip())
        for line in lines[1:]:
            print_line(" " * indent + line)


def show_json(value: object) -> None:
    """Print JSON, indented by two; times are ISO 8601 in UTC, durations seconds."""
    # JSON is UTF-8: a stream of anything else gets letters that are the same in both.
    escaped = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    print_line(json.dumps(as_json_value(value), indent=2, ensure_ascii=escaped))


def print_line(text: str) -> None:
    """One line of a command's result."""
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """One line for the person at the terminal, on stderr, so that a result stays parseable."""
    sys.stdout.flush()
    sys.stderr.write(f"{text}\n")


def plain_table(rows: Sequence[Row], columns: Sequence[Column], *, width: int) -> list[str]:
    """The rows as aligned text; columns that may shrink are cut to fit `width`."""
    table = [[column.heading.upper() for column in columns]]
    table += [[column.cell(row) for column in columns] for row in rows]
    widths = _widths(table, columns, width)
    return [
        _GAP.join(
            _cut(text, size).ljust(size) for text, size in zip(line, widths, strict=True)
        ).rstrip()
        for line in table
    ]


def _widths(table: Sequence[Sequence[str]], columns: Sequence[Column], width: int) -> list[int]:
    """What each column needs; those that may shrink give up what is too much for `width`."""
    widths = [max(len(line[at]) for line in table) for at in range(len(columns))]
    too_wide = sum(widths) + len(_GAP) * (len(columns) - 1) - width
    for at, column in enumerate(columns):
        if too_wide > 0 and column.shrinks:
            room = max(_NARROWEST, widths[at] - too_wide, len(column.heading))
            too_wide -= widths[at] - min(widths[at], room)
            widths[at] = min(widths[at], room)
    return widths


def as_text(value: object) -> str:
    """A value for people: times in UTC with their age, durations in words, nothing as ``-``."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, timedelta):
        return span(value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Mapping):
        pairs = (f"{key}={_inline(item)}" for key, item in value.items())
        return ", ".join(pairs) or "-"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_inline(item) for item in value) or "-"
    return str(value)


def moment(value: datetime, *, now: datetime | None = None) -> str:
    """``2026-11-23 04:00:00Z (3m 2s ago)``, or ``(in 5m)``."""
    utc = _in_utc(value)
    return f"{utc:%Y-%m-%d %H:%M:%S}Z ({_distance(utc, now)})"


def short_moment(value: datetime, *, now: datetime | None = None) -> str:
    """A time for a table's cell: the parts that differ from now, and its age."""
    utc = _in_utc(value)
    today = (now or datetime.now(UTC)).astimezone(UTC)
    if utc.date() == today.date():
        text = f"{utc:%H:%M:%S}Z"
    else:
        text = f"{utc:%m-%d %H:%M}Z" if utc.year == today.year else f"{utc:%Y-%m-%d}"
    return f"{text} ({_distance(utc, today)})"


def span(value: timedelta) -> str:
    """A duration in words; whole seconds from one second on."""
    if value < timedelta(0):
        return f"-{span(-value)}"
    if value >= timedelta(seconds=1):
        value = timedelta(seconds=int(value.total_seconds()))
    return format_duration(value)


def _in_utc(value: datetime) -> datetime:
    # PostgreSQL's timestamps without a zone are, with us, in UTC.
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _distance(utc: datetime, now: datetime | None) -> str:
    away = (now or datetime.now(UTC)) - utc
    if abs(away) < timedelta(seconds=1):
        return "now"
    return f"{span(away)} ago" if away > timedelta(0) else f"in {span(-away)}"


def as_json_value(value: object) -> Any:
    """`value` made of what JSON has."""
    if value is None or isinstance(value, bool | int | float) or type(value) is str:
        return value
    if isinstance(value, datetime):
        return _in_utc(value).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Enum):
        return as_json_value(value.value)
    if isinstance(value, Mapping):
        return {str(key): as_json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json_value(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(as_json_value(item) for item in value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, str | Decimal | Path):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def _inline(value: object) -> str:
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(as_json_value(value), ensure_ascii=False)
    return as_text(value)


def printable(text: str) -> str:
    """Without what a terminal would act upon: a message's error is somebody else's text."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def paint(text: str, colour: str, *, errors: bool = False) -> str:
    """The text in a colour, where it is shown at a terminal and nobody has asked for none."""
    stream = sys.stderr if errors else sys.stdout
    if not stream.isatty():
        return text
    from cronops.config import is_set

    return text if is_set("NO_COLOR") else f"\033[{_COLOURS[colour]}m{text}\033[0m"


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1] + "…"


def _draw(rows: Sequence[Row], columns: Sequence[Column]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = shutil.get_terminal_size().columns
    cells = [[column.heading for column in columns]]
    cells += [[column.cell(row) for column in columns] for row in rows]
    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column, size in zip(columns, _widths(cells, columns, width - _EDGES), strict=True):
        # Text is shortened, ids are folded: half an id is of no use.
        drawn.add_column(
            column.heading,
            overflow="ellipsis" if column.shrinks else "fold",
            no_wrap=column.shrinks,
            max_width=size,
        )
    for line in cells[1:]:
        drawn.add_row(*map(Text, line))
    Console(width=width).print(drawn)

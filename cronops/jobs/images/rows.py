"""A batch's lines as edits; pure, no I/O.

The columns are found by their names in the first line, in any order. ``line`` and ``reason``
are passed over, so that a rejects file, corrected, can be sent as it is.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cronops.errors import BadInput
from cronops.jobs.images.sources import normal_source

COLUMNS = ("article_number", "position", "action", "source")
ACTIONS = ("add", "replace", "delete")
LONGEST_ARTICLE_NUMBER = 50
HIGHEST_POSITION = 9_999

_PASSED_OVER = frozenset({"line", "reason"})
_POSITION = re.compile(r"[0-9]{1,9}")
_QUOTE = '"'
_LONGEST_SHOWN = 60
_LONGEST_RAW = 4_000


class Edit(NamedTuple):
    """One image of one article, and what is to become of it."""

    article_number: str
    position: int
    action: str
    source: str | None
    """A path below the root of sources, or a URL; None for a deletion."""


class Reject(NamedTuple):
    """A row that cannot be worked, and why."""

    reason: str
    raw: str
    """The row, its columns in the order of `COLUMNS`, as a rejects file shows it."""


@dataclass(frozen=True)
class RowReader:
    """Reads the rows of one batch, by the columns that its first line names."""

    delimiter: str
    root: str
    """Absolute; what local sources are relative to."""
    width: int
    places: tuple[int, int, int, int]
    """Of `COLUMNS`."""

    def read(self, line: str) -> Edit | Reject | None:
        """The edit of one line; None where it is empty."""
        if not line or line.isspace():
            return None
        fields = split(line, self.delimiter)
        if fields is None:
            return Reject("a quotation mark is not closed", line[:_LONGEST_RAW])
        if len(fields) != self.width:
            return Reject(f"{len(fields)} columns, not {self.width}", line[:_LONGEST_RAW])
        number, position, action, source = [fields[place].strip() for place in self.places]
        try:
            return _edit(number, position, action, source, self.root)
        except ValueError as error:
            raw = joined((number, position, action, source), self.delimiter)
            return Reject(str(error), raw[:_LONGEST_RAW])


def read_header(line: str, *, delimiter: str, root: str) -> RowReader:
    """What the first line says of all others. Raises `BadInput` where columns are missing."""
    names = [name.strip().lower() for name in split(line, delimiter) or ()]
    wanted = delimiter.join(COLUMNS)
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise BadInput(
            f"line 1 does not name the columns: {', '.join(missing)} missing; it must be {wanted}"
        )
    unknown = [name for name in names if name not in COLUMNS and name not in _PASSED_OVER]
    if unknown or len(set(names)) != len(names):
        what = f"unknown column {_shown(unknown[0])}" if unknown else "a column is there twice"
        raise BadInput(f"line 1: {what}; it must be {wanted}")
    first, second, third, fourth = [names.index(name) for name in COLUMNS]
    return RowReader(delimiter, root, len(names), (first, second, third, fourth))


def split(line: str, delimiter: str) -> list[str] | None:
    """The fields of one line; None where a quotation mark is left open.

    No field goes on in the next line: one stray mark would swallow the rest of the file.
    """
    if _QUOTE not in line:
        return line.split(delimiter)
    try:
        rows = list(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def joined(fields: Sequence[object], delimiter: str) -> str:
    """Fields as one line, quoted where they have to be."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator="").writerow(fields)
    return buffer.getvalue()


def _edit(number: str, position: str, action: str, source: str, root: str) -> Edit:
    if not number:
        raise ValueError("no article number")
    if len(number) > LONGEST_ARTICLE_NUMBER or not number.isprintable():
        raise ValueError(
            f"article number {_shown(number)} is longer than {LONGEST_ARTICLE_NUMBER} characters, "
            "or has characters that cannot be printed"
        )
    # [0-9] and no \d: other scripts' digits are typing errors here.
    place = int(position) if _POSITION.fullmatch(position) else 0
    if not 1 <= place <= HIGHEST_POSITION:
        raise ValueError(
            f"position {_shown(position)} is no whole number from 1 to {HIGHEST_POSITION}"
        )
    action = action.lower()
    if action not in ACTIONS:
        raise ValueError(f"action {_shown(action)} is not add, replace or delete")
    if action == "delete":
        if source:
            raise ValueError("a deletion names a source: is it meant to be a replacement?")
        return Edit(number, place, action, None)
    return Edit(number, place, action, normal_source(source, root))


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…")

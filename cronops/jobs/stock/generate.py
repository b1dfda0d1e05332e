"""Generate an export's file: one snapshot of the database, streamed, hashed while it is written."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from cronops.errors import Interrupted
from cronops.jobs.stock.formats import clean, copy_statement, counts_of, fields_of, head, tail
from cronops.jobs.stock.price_query import PLANNER, price_query
from cronops.jobs.stock.setting import ExportSetting

if TYPE_CHECKING:
    import psycopg
    from psycopg.sql import Composed

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Rows of COPY that are written together: as many as stay in the processor's cache.
_ROWS_AT_ONCE = 200


@dataclass(frozen=True)
class Generated:
    """A file as it was generated."""

    file: Path
    sha256: str
    size: int
    """In bytes."""
    rows: int
    counts: dict[str, int]
    """By reason: how many were left out, raised, sold out; and ``replaced`` characters."""


def generate(
    connection: "psycopg.Connection[Any]",
    setting: ExportSetting,
    target: Path,
    *,
    today: date,
    go_on: Callable[[int], bool],
) -> Generated:
    """Write the export to `target`, synced to disk.

    `go_on` is told now and then how many rows are written; where it says False the rest is left
    and `Interrupted` raised. Memory does not grow with the rows.
    """
    with connection.transaction(), target.open("xb") as file:
        connection.execute(_SNAPSHOT)
        for statement in PLANNER:
            connection.execute(statement)
        prices = price_query(connection, setting.terms, fields_of(setting), today=today)
        written = _Written(file, setting)
        written.text(head(setting))
        summary = _copy(connection, setting, copy_statement(setting, prices), written, go_on)
        written.text(tail(setting))
        file.flush()
        os.fsync(file.fileno())
    counts = counts_of(summary, setting)
    rows = counts.pop("rows")
    counts["replaced"] = written.replaced
    return Generated(target, written.sha256, written.size, rows, counts)


def _copy(
    connection: "psycopg.Connection[Any]",
    setting: ExportSetting,
    statement: "Composed",
    written: "_Written",
    go_on: Callable[[int], bool],
) -> bytes:
    """Write every line but the last, which is returned."""
    rows = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        lines = iter(copy)
        held = b""
        while batch := list(islice(lines, _ROWS_AT_ONCE)):
            last = bytes(batch.pop())
            written.encoded(clean(setting, held + b"".join(batch)))
            held = last
            rows += len(batch)
            if not go_on(rows):
                raise Interrupted("told to stop while the export was generated; it was not sent")
    return held


class _Written:
    """A file that is hashed while it is written, in the encoding of its export."""

    def __init__(self, file: BinaryIO, setting: ExportSetting) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._encoding = setting.encoding.removesuffix("-sig")
        # XML can name a character that the encoding lacks; elsewhere it becomes a question mark.
        self._unfit = "xmlcharrefreplace" if setting.format == "xml" else "replace"
        self.size = 0
        self.replaced = 0
        if setting.encoding == "utf-8-sig":
            self._write("\ufeff".encode())

    @property
    def sha256(self) -> str:
        """Of all that was written."""
        return self._hash.hexdigest()

    def text(self, text: str) -> None:
        """Write text of ours."""
        self.encoded(text.encode())

    def encoded(self, lines: bytes) -> None:
        """Write whole lines that are in UTF-8."""
        self._write(lines if self._encoding == "utf-8" else self._transcoded(lines))

    def _write(self, content: bytes) -> None:
        self._file.write(content)
        self._hash.update(content)
        self.size += len(content)

    def _transcoded(self, lines: bytes) -> bytes:
        text = lines.decode()
        try:
            return text.encode(self._encoding)
        except UnicodeEncodeError:
            if self._unfit == "replace":
                self.replaced += sum(1 for _ in _unfit(text, self._encoding))
            return text.encode(self._encoding, self._unfit)


def _unfit(text: str, encoding: str) -> Iterator[str]:
    """The characters that `encoding` lacks."""
    known = dict.fromkeys(text)
    lacking = {one for one in known if not one.encode(encoding, "ignore")}
    return (one for one in text if one in lacking)

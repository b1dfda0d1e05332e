"""What became of each file: the table `import_file`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import psycopg

Result = Literal["imported", "rejected", "repeated", "superseded"]

_RECORD = """
INSERT INTO import_file (supplier_id, name, modified_at, size, sha256, mode, result, reason,
    counts, kept_as, run_id)
VALUES (%(supplier_id)s, %(name)s, %(modified_at)s, %(size)s, %(sha256)s, %(mode)s, %(result)s,
    %(reason)s, %(counts)s, %(kept_as)s, %(run_id)s)
"""
_WAS_IMPORTED = """
SELECT EXISTS (
    SELECT FROM import_file
    WHERE supplier_id = %(supplier)s AND sha256 = %(sha256)s AND result = 'imported'
)
"""
_LATEST = """
SELECT supplier_id, name, modified_at, size, sha256, mode, result, reason, counts, kept_as, run_id
FROM import_file
WHERE supplier_id = %(supplier)s AND name = %(name)s AND size = %(size)s
    AND modified_at = %(modified)s AND (sha256 = %(sha256)s OR sha256 IS NULL)
    AND kept_as IS NOT NULL
ORDER BY id DESC LIMIT 1
"""
# Other ends tell times to the second.
_WAS_SEEN = """
SELECT EXISTS (
    SELECT FROM import_file
    WHERE supplier_id = %(supplier)s AND name = %(name)s AND size = %(size)s
        AND date_trunc('second', modified_at) = date_trunc('second', %(modified)s::timestamptz)
)
"""
# A file whose clock was ahead is as new as its import, or nothing would be newer for years.
_LAST = """
SELECT max(finished_at), max(least(modified_at, finished_at)) FILTER (WHERE mode = 'full')
FROM import_file WHERE supplier_id = %(supplier)s AND result = 'imported'
"""
_LAST_KEPT = """
SELECT kept_as, name FROM import_file
WHERE supplier_id = %(supplier)s AND result = 'imported' AND kept_as IS NOT NULL
ORDER BY id DESC LIMIT 1
"""

_PLACES = """
SELECT id, kept_as FROM import_file
WHERE supplier_id = %(supplier)s AND name = %(name)s AND size = %(size)s
    AND modified_at = %(modified)s AND kept_as IS NOT NULL
"""
_FORGET_PLACES = "UPDATE import_file SET kept_as = NULL WHERE id = ANY(%(ids)s)"
# The last import stays: how old it is must be known.
_FORGET = """
DELETE FROM import_file
WHERE supplier_id = %(supplier)s AND finished_at < clock_timestamp() - %(keep)s::interval
    AND id < (SELECT max(id) FROM import_file
              WHERE supplier_id = %(supplier)s AND result = 'imported')
"""


@dataclass(frozen=True, kw_only=True)
class FileRecord:
    """One file that was dealt with."""

    supplier_id: int
    name: str
    modified_at: datetime | None
    size: int
    sha256: str | None
    mode: str
    result: Result
    reason: str | None = None
    counts: dict[str, Any] = field(default_factory=dict)
    kept_as: str | None = None
    """Where it was put: a path below the supplier's folder."""
    run_id: str | None = None


class History:
    """One supplier's files, so far."""

    def __init__(self, connection: "psycopg.Connection[Any]", supplier: int) -> None:
        self._connection, self._supplier = connection, supplier

    def record(self, record: FileRecord) -> None:
        """Add a file, in the caller's transaction."""
        from psycopg.types.json import Jsonb

        self._connection.execute(_RECORD, asdict(record) | {"counts": Jsonb(record.counts)})

    def forget(self, keep: timedelta) -> None:
        """Remove what is older, in the caller's transaction."""
        self._connection.execute(_FORGET, {"supplier": self._supplier, "keep": keep})

    def was_imported(self, sha256: str) -> bool:
        """Whether a file of that content was imported."""
        return bool(self._one(_WAS_IMPORTED, sha256=sha256)[0])

    def was_seen(self, name: str, size: int, modified: datetime) -> bool:
        """Whether a file of that name, size and time was dealt with, well or not."""
        return bool(self._one(_WAS_SEEN, name=name, size=size, modified=modified)[0])

    def latest(self, name: str, size: int, modified: datetime, sha256: str) -> FileRecord | None:
        """The last record of that very file that says where it was to be put."""
        row = self._row(_LATEST, name=name, size=size, modified=modified, sha256=sha256)
        return None if row is None else FileRecord(**dict(zip(_RECORD_COLUMNS, row, strict=True)))

    def last(self) -> tuple[datetime | None, datetime | None]:
        """When something was imported last, and how new the newest full file was."""
        finished, newest = self._one(_LAST)
        return finished, newest

    def last_kept(self) -> tuple[str, str] | None:
        """Where the last imported file was put, and what it was called when it came."""
        row = self._row(_LAST_KEPT)
        return None if row is None else (row[0], row[1])

    def places(self, name: str, size: int, modified: datetime) -> dict[int, str]:
        """Where files of that name, size and time were put, by the ids of their records."""
        values = {"supplier": self._supplier, "name": name, "size": size, "modified": modified}
        return dict(self._connection.execute(_PLACES, values).fetchall())

    def forget_places(self, ids: Sequence[int]) -> None:
        """These files are no longer where they were put; in the caller's transaction."""
        self._connection.execute(_FORGET_PLACES, {"ids": list(ids)})

    def _one(self, query: str, **values: Any) -> tuple[Any, ...]:
        row = self._row(query, **values)
        assert row is not None  # noqa: S101 - an aggregate has one row
        return row

    def _row(self, query: str, **values: Any) -> tuple[Any, ...] | None:
        values["supplier"] = self._supplier
        return self._connection.execute(query, values).fetchone()


_RECORD_COLUMNS = tuple(FileRecord.__dataclass_fields__)

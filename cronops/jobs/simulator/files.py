"""The files that MAK gets: one snapshot of the database, as CSV, hashed while it is written."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cronops.errors import BadInput, ConfigurationError, Interrupted

if TYPE_CHECKING:
    import psycopg

    from cronops.config.rooms import SimulatorSettings

MANIFEST = "manifest.json"
_VERSION = 1
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
_ENCODINGS = {"utf-8": "UTF8", "windows-1252": "WIN1252", "iso-8859-1": "LATIN1"}
_NEWLINE = b"\n"

# Ordered by what identifies a row: the same data is the same file.
_QUERIES = {
    "vehicles.csv": """
SELECT id AS vehicle_id, make, model, generation, variant, built_from, built_until
FROM vehicle WHERE active ORDER BY id
""",
    "wheels.csv": """
SELECT article.article_number, article.ean, article.brand,
    {article.wheel_diameter} AS diameter, {wheel.width} AS width, wheel.pcd,
    {wheel.centre_bore} AS centre_bore, {wheel.wheel_offset} AS wheel_offset
FROM article JOIN wheel ON wheel.article_id = article.id
WHERE article.type = 'wheel' AND article.is_active ORDER BY article.article_number
""",
    "fitments.csv": """
SELECT fitment.vehicle_id, fitment.product_type, fitment.position, fitment.is_oe::integer AS is_oe,
    fitment.tyre_width, fitment.tyre_aspect, {fitment.tyre_diameter} AS tyre_diameter,
    {fitment.wheel_diameter} AS wheel_diameter, {fitment.wheel_width} AS wheel_width, fitment.pcd,
    {fitment.centre_bore} AS centre_bore, {fitment.offset_min} AS offset_min,
    {fitment.offset_max} AS offset_max, fitment.source
FROM fitment JOIN vehicle ON vehicle.id = fitment.vehicle_id
WHERE vehicle.active
ORDER BY fitment.vehicle_id, fitment.product_type, fitment.position, fitment.id
""",
}


@dataclass(frozen=True)
class File:
    """One file of a set."""

    name: str
    rows: int
    """Without the heading."""
    bytes: int
    sha256: str


@dataclass(frozen=True)
class FileSet:
    """What is sent together."""

    files: tuple[File, ...]
    """In the order in which they are sent."""
    generated_at: datetime

    @property
    def sha256(self) -> str:
        """What tells it from another set: of the files' names and contents."""
        told = "".join(f"{file.name} {file.sha256}\n" for file in self.files)
        return hashlib.sha256(told.encode()).hexdigest()

    def manifest(self) -> bytes:
        """What is sent last: whoever reads it finds all that it names."""
        files = [asdict(one) for one in self.files]
        return _json({**self._head(), "complete": True, "files": files})

    def announcement(self) -> bytes:
        """What replaces the last manifest while files are being replaced: nothing is complete."""
        return _json({**self._head(), "complete": False, "files": []})

    def _head(self) -> dict[str, Any]:
        at = self.generated_at.astimezone(UTC).isoformat(timespec="seconds")
        return {
            "version": _VERSION,
            "set": self.sha256[:16],
            "created_at": at.replace("+00:00", "Z"),
        }


def generate(
    connection: "psycopg.Connection[Any]",
    settings: "SimulatorSettings",
    directory: Path,
    *,
    go_on: Callable[[], bool],
) -> FileSet:
    """Write the files of one set into `directory`; memory does not grow with the rows.

    Raises `BadInput` where the encoding lacks a character, `Interrupted` where `go_on` says False.
    """
    import psycopg

    with connection.transaction():
        connection.execute(_SNAPSHOT)
        try:
            files = tuple(
                _write(connection, settings, directory / name, query, go_on)
                for name, query in _QUERIES.items()
            )
        except psycopg.errors.UntranslatableCharacter as error:
            raise BadInput(
                f"{settings.encoding} has no sign for a character of a file: "
                f"{error.diag.message_primary}; utf-8 has all: CRONOPS_SIMULATOR__ENCODING"
            ) from None
        except OSError as error:
            raise ConfigurationError(f"{directory}: {error.strerror}") from None
        row = connection.execute("SELECT now()").fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    return FileSet(files, row[0])


def _write(
    connection: "psycopg.Connection[Any]",
    settings: "SimulatorSettings",
    path: Path,
    query: str,
    go_on: Callable[[], bool],
) -> File:
    hashed, size, lines = hashlib.sha256(), 0, 0
    with (
        path.open("xb") as file,
        connection.cursor() as cursor,
        cursor.copy(_statement(settings, query)) as copy,
    ):
        for block in copy:
            if not go_on():
                raise Interrupted("told to stop while the files were being made")
            hashed.update(block)
            size += len(block)
            lines += 1
            file.write(block)
    # Each block is one row; the first is the heading.
    return File(path.name, max(lines - 1, 0), size, hashed.hexdigest())


def _statement(settings: "SimulatorSettings", query: str) -> "psycopg.sql.Composed":
    from psycopg import sql

    return sql.SQL(
        "COPY ({query}) TO STDOUT (FORMAT csv, HEADER, DELIMITER {delimiter}, ENCODING {encoding})"
    ).format(
        query=sql.SQL(_with_decimals(query, settings.decimal_mark)),
        delimiter=sql.Literal(settings.delimiter),
        encoding=sql.Literal(_ENCODINGS[settings.encoding]),
    )


def _with_decimals(query: str, mark: str) -> str:
    """Numbers with the decimal mark, and without zeros that say nothing: 8.0 and 8 are one."""

    def number(found: re.Match[str]) -> str:
        shown = f"trim_scale({found[1]})::text"
        return f"replace({shown}, '.', ',')" if mark == "," else shown

    return re.sub(r"\{([a-z_.]+)\}", number, query)


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=2).encode() + _NEWLINE

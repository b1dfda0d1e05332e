"""Edits and images in the database: all SQL of the handler.

Later edits win, by batch and line: what a newer one has done is not undone by an older one whose
message was late. Whatever writes an article's images holds its lock, to the transaction's end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import psycopg

Verdict = Literal["waiting", "done", "failed", "superseded"]

_ROWS = """
SELECT batch_id, line, article_number, position, action, source, starts FROM image_edit
WHERE batch_id = %(batch)s AND line BETWEEN %(first)s AND %(last)s AND state = ANY(%(states)s)
ORDER BY reason IS NOT NULL, line
"""
_IS_KNOWN = "SELECT FROM image_batch WHERE id = %(batch)s AND state <> 'rejected'"
_START = """
UPDATE image_edit SET starts = starts + 1, updated_at = clock_timestamp()
WHERE batch_id = %(batch)s AND line = %(line)s
"""
_HOLD = """
SELECT state FROM image_edit WHERE batch_id = %(batch)s AND line = %(line)s FOR UPDATE
"""
_LOCK_ARTICLE = "SELECT pg_advisory_xact_lock(hashtextextended('cronops.image ' || %(article)s, 0))"
_IMAGE = """
SELECT state, source, source_sha256, recipe, renditions, batch_id, line FROM article_image
WHERE article_number = %(article)s AND position = %(position)s
"""
_PUT = """
INSERT INTO article_image (article_number, position, state, source, source_sha256, recipe,
    renditions, batch_id, line)
VALUES (%(article)s, %(position)s, %(state)s, %(source)s, %(source_sha256)s, %(recipe)s,
    %(renditions)s, %(batch)s, %(line)s)
ON CONFLICT (article_number, position) DO UPDATE
SET state = excluded.state, source = excluded.source, source_sha256 = excluded.source_sha256,
    recipe = excluded.recipe, renditions = excluded.renditions, batch_id = excluded.batch_id,
    line = excluded.line, updated_at = clock_timestamp()
"""
_SETTLE = """
UPDATE image_edit
SET state = %(state)s, reason = %(reason)s, starts = 0, updated_at = clock_timestamp()
WHERE batch_id = %(batch)s AND line = %(line)s
"""
_TALLY = """
UPDATE image_batch
SET done = done + %(done)s, failed = failed + %(failed)s, superseded = superseded + %(superseded)s,
    state = CASE WHEN done + failed + superseded + %(settled)s = rows
        THEN 'done' ELSE 'enqueued' END,
    finished_at = CASE WHEN done + failed + superseded + %(settled)s = rows
        THEN clock_timestamp() END,
    told = false
WHERE id = %(batch)s
"""
_IN_CHUNK = """
SELECT count(*) FILTER (WHERE state IN ('done', 'superseded')),
    count(*) FILTER (WHERE state = 'failed'), min(reason) FILTER (WHERE state = 'failed')
FROM image_edit WHERE batch_id = %(batch)s AND line BETWEEN %(first)s AND %(last)s
"""


@dataclass(frozen=True)
class Row:
    """One edit as it waits."""

    batch: int
    line: int
    article: str
    position: int
    action: str
    source: str | None
    starts: int
    """How often it was begun, and whoever did has died before it was settled."""


@dataclass(frozen=True)
class Image:
    """What there is at a position of an article, or was."""

    state: str
    source: str | None
    source_sha256: str | None
    recipe: str | None
    renditions: list[dict[str, Any]]
    batch: int
    line: int


def rows_of(
    connection: "psycopg.Connection[Any]",
    batch: int,
    first: int,
    last: int,
    states: Sequence[str],
) -> list[Row]:
    """The edits of a batch from one line to another that are in one of these states.

    Those that were not tried yet come first.
    """
    values = {"batch": batch, "first": first, "last": last, "states": list(states)}
    return [Row(*row) for row in connection.execute(_ROWS, values).fetchall()]


def is_known(connection: "psycopg.Connection[Any]", batch: int) -> bool:
    """Whether there is a batch of that number."""
    return connection.execute(_IS_KNOWN, {"batch": batch}).fetchone() is not None


def count_start(connection: "psycopg.Connection[Any]", row: Row) -> None:
    """Note that a row is begun: what kills its process every time is known by that."""
    connection.execute(_START, {"batch": row.batch, "line": row.line})


def hold(connection: "psycopg.Connection[Any]", row: Row) -> str | None:
    """Lock a row, then its article; the row's state, or None where it is gone."""
    found = connection.execute(_HOLD, {"batch": row.batch, "line": row.line}).fetchone()
    connection.execute(_LOCK_ARTICLE, {"article": row.article})
    return found[0] if found else None


def image_at(connection: "psycopg.Connection[Any]", row: Row) -> Image | None:
    """What is known of the position that a row edits."""
    found = connection.execute(
        _IMAGE, {"article": row.article, "position": row.position}
    ).fetchone()
    return Image(*found) if found else None


def judge(row: Row, image: Image | None) -> tuple[Verdict, str] | None:
    """Why a row is not to be worked, seen from what is there; None where it is."""
    if image is None:
        return None
    if (image.batch, image.line) > (row.batch, row.line):
        return "superseded", f"batch {image.batch}, line {image.line} came later and was first"
    taken = image.state == "present" and image.source != row.source
    if row.action == "add" and taken:
        return "failed", (
            f"position {row.position} has another image, from {image.source}; use replace, or a "
            "position that is free"
        )
    return None


def put_image(
    connection: "psycopg.Connection[Any]",
    row: Row,
    *,
    source_sha256: str,
    recipe: str,
    renditions: Sequence[dict[str, Any]],
) -> None:
    """The row's image is there now."""
    _put(connection, row, "present", row.source, source_sha256, recipe, renditions)


def put_deletion(connection: "psycopg.Connection[Any]", row: Row) -> None:
    """The row's image is there no more."""
    _put(connection, row, "deleted", None, None, None, ())


def settle(
    connection: "psycopg.Connection[Any]", row: Row, before: str, after: Verdict, reason: str = ""
) -> None:
    """Write what became of a row, and count it for its batch; `before` is its state until now."""
    values: dict[str, Any] = {
        "batch": row.batch,
        "line": row.line,
        "state": after,
        "reason": reason or None,
    }
    connection.execute(_SETTLE, values)
    if after != before:
        counts = {
            state: (after == state) - (before == state)
            for state in ("done", "failed", "superseded")
        }
        settled = sum(counts.values())
        connection.execute(_TALLY, {"batch": row.batch, "settled": settled, **counts})


def in_chunk(
    connection: "psycopg.Connection[Any]", batch: int, first: int, last: int
) -> tuple[int, int, str]:
    """How many rows of a chunk are done, how many have failed, and why one of them has."""
    values = {"batch": batch, "first": first, "last": last}
    row = connection.execute(_IN_CHUNK, values).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has one row
    return row[0], row[1], row[2] or ""


def _put(
    connection: "psycopg.Connection[Any]",
    row: Row,
    state: str,
    source: str | None,
    source_sha256: str | None,
    recipe: str | None,
    renditions: Sequence[dict[str, Any]],
) -> None:
    from psycopg.types.json import Jsonb

    values = {
        "article": row.article,
        "position": row.position,
        "state": state,
        "source": source,
        "source_sha256": source_sha256,
        "recipe": recipe,
        "renditions": Jsonb(list(renditions)),
        "batch": row.batch,
        "line": row.line,
    }
    connection.execute(_PUT, values)

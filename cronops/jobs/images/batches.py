"""Batches in the database: all SQL of those who bring them in."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cronops.jobs.images.rows import Edit, Reject

if TYPE_CHECKING:
    import psycopg

_KNOWN = "SELECT id, state, filed_as, rejected FROM image_batch WHERE sha256 = %(sha256)s"
# A batch that was rejected once comes back as the newest: by their ids later ones win.
_FORGET_REJECTION = "DELETE FROM image_batch WHERE sha256 = %(sha256)s AND state = 'rejected'"
_ADD = """
INSERT INTO image_batch (file, sha256, filed_as, state, rows, rejected, chunks, run_id)
VALUES (%(file)s, %(sha256)s, %(filed_as)s, 'enqueued', %(rows)s, %(rejected)s, %(chunks)s,
    %(run_id)s)
RETURNING id
"""
_REJECT = """
INSERT INTO image_batch (file, sha256, filed_as, state, reason, run_id)
VALUES (%(file)s, %(sha256)s, %(filed_as)s, 'rejected', %(reason)s, %(run_id)s)
ON CONFLICT (sha256) DO UPDATE
SET file = excluded.file, filed_as = excluded.filed_as, reason = excluded.reason,
    run_id = excluded.run_id, created_at = excluded.created_at
WHERE image_batch.state = 'rejected'
"""

_STAGE = """
CREATE TEMPORARY TABLE image_batch_stage (
    line integer, article_number text, position integer, action text, source text,
    state text, reason text, raw text
) ON COMMIT DROP
"""
_COPY = """
COPY pg_temp.image_batch_stage (line, article_number, position, action, source, state, reason, raw)
FROM STDIN
"""
_ANALYZE = "ANALYZE pg_temp.image_batch_stage"
_REJECT_UNKNOWN = """
UPDATE pg_temp.image_batch_stage AS staged
SET state = 'rejected', reason = 'the shop has no article ' || article_number
WHERE state = 'waiting' AND NOT EXISTS (
    SELECT FROM article WHERE article.article_number = staged.article_number
)
"""
# Said twice, the first stands; said in two ways, nobody knows which is meant, and neither does.
_REJECT_REPEATED = """
WITH repeated AS MATERIALIZED (
    SELECT article_number, position FROM pg_temp.image_batch_stage
    WHERE state = 'waiting' GROUP BY article_number, position HAVING count(*) > 1
), compared AS (
    SELECT article_number, position, min(line) AS first, max(line) AS last,
        count(DISTINCT (action, source)) = 1 AS alike
    FROM pg_temp.image_batch_stage JOIN repeated USING (article_number, position)
    WHERE state = 'waiting' GROUP BY article_number, position
)
UPDATE pg_temp.image_batch_stage AS staged
SET state = 'rejected', reason = CASE
    WHEN alike THEN 'the same as line ' || first
    ELSE 'lines ' || first || ' and ' || last || ' edit this position in different ways' END
FROM compared
WHERE staged.article_number = compared.article_number AND staged.position = compared.position
    AND staged.state = 'waiting' AND (NOT alike OR line > first)
"""
_COUNT = """
SELECT count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'rejected')
FROM pg_temp.image_batch_stage
"""
_FIRST_REJECTS = """
SELECT line, reason FROM pg_temp.image_batch_stage WHERE state = 'rejected'
ORDER BY line LIMIT %(limit)s
"""
_KEEP = """
INSERT INTO image_edit (batch_id, line, article_number, position, action, source, state, reason,
    raw)
SELECT %(batch)s, line, article_number, position, action, source, state, reason, raw
FROM pg_temp.image_batch_stage ORDER BY line
"""
_CHUNKS = """
SELECT chunk, min(line), max(line) FROM (
    SELECT line, (row_number() OVER (ORDER BY line) - 1) / %(size)s + 1 AS chunk
    FROM image_edit WHERE batch_id = %(batch)s AND state = ANY(%(states)s)
        AND NOT line <@ %(besides)s::int4multirange
) AS numbered GROUP BY chunk ORDER BY chunk
"""
_REJECTS = """
SELECT line, reason, raw, article_number, position, action, source FROM image_edit
WHERE batch_id = %(batch)s AND state = 'rejected' ORDER BY line
"""
_TELL = """
UPDATE image_batch SET told = true WHERE state = 'done' AND NOT told RETURNING id, file, failed
"""
_OLD = """
SELECT id FROM image_batch
WHERE state = 'done' AND finished_at < clock_timestamp() - %(keep)s::interval
    AND EXISTS (SELECT FROM image_edit WHERE batch_id = id)
ORDER BY id
"""
_DROP_EDITS = "DELETE FROM image_edit WHERE batch_id = %(batch)s"


@dataclass(frozen=True)
class Known:
    """A batch of the same content that has come before."""

    id: int
    state: str
    filed_as: str
    rejected: int


@dataclass(frozen=True)
class Staged:
    """How many rows of a batch are good, and how many are not."""

    rows: int
    rejected: int


def find_known(connection: "psycopg.Connection[Any]", sha256: str) -> Known | None:
    """The batch of that content, if there was one."""
    row = connection.execute(_KNOWN, {"sha256": sha256}).fetchone()
    return Known(*row) if row else None


def stage(
    connection: "psycopg.Connection[Any]", rows: Iterable[Sequence[tuple[int, Edit | Reject]]]
) -> Staged:
    """Put a batch's rows, with their lines, where they can be compared with the shop's articles.

    Until the transaction's end. Rejects articles the shop does not have, and what is there twice.
    """
    connection.execute(_STAGE)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for block in rows:
            copy.write("".join([_copied(line, row) for line, row in block]))
    connection.execute(_ANALYZE)
    connection.execute(_REJECT_UNKNOWN)
    connection.execute(_REJECT_REPEATED)
    row = connection.execute(_COUNT).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has one row
    return Staged(*row)


def first_rejects(connection: "psycopg.Connection[Any]", limit: int) -> list[tuple[int, str]]:
    """The first rejected rows of what is staged: line and reason."""
    return connection.execute(_FIRST_REJECTS, {"limit": limit}).fetchall()


def add_batch(
    connection: "psycopg.Connection[Any]",
    staged: Staged,
    *,
    file: str,
    sha256: str,
    filed_as: str,
    run_id: str,
    chunks: int,
) -> int:
    """Make what is staged a batch; its id."""
    connection.execute(_FORGET_REJECTION, {"sha256": sha256})
    values = {
        "file": file,
        "sha256": sha256,
        "filed_as": filed_as,
        "rows": staged.rows,
        "rejected": staged.rejected,
        "chunks": chunks,
        "run_id": run_id,
    }
    row = connection.execute(_ADD, values).fetchone()
    assert row is not None  # noqa: S101 - INSERT … RETURNING of one row
    batch: int = row[0]
    connection.execute(_KEEP, {"batch": batch})
    return batch


def chunks_of(
    connection: "psycopg.Connection[Any]",
    batch: int,
    size: int,
    *,
    states: Sequence[str] = ("waiting",),
    besides: Iterable[tuple[int, int]] = (),
) -> Iterator[tuple[int, int, int]]:
    """The rows in these states in chunks: number from 1, first line, last line.

    Without the lines `besides`, from one to another. In a transaction, in which they stay.
    """
    values = {
        "batch": batch,
        "size": size,
        "states": list(states),
        "besides": as_multirange(besides),
    }
    with connection.cursor(name="image_chunks") as cursor:
        yield from cursor.execute(_CHUNKS, values)


def as_multirange(spans: Iterable[tuple[int, int]]) -> str:
    """Spans from one line to another, ends included, as PostgreSQL reads them."""
    return "{" + ",".join(f"[{first},{last}]" for first, last in spans) + "}"


def record_rejection(
    connection: "psycopg.Connection[Any]",
    *,
    file: str,
    sha256: str,
    filed_as: str,
    reason: str,
    run_id: str,
) -> None:
    """Keep that a batch was rejected, and why."""
    values = {
        "file": file,
        "sha256": sha256,
        "filed_as": filed_as,
        "reason": reason,
        "run_id": run_id,
    }
    connection.execute(_REJECT, values)


@contextmanager
def rejects_of(
    connection: "psycopg.Connection[Any]", batch: int
) -> Iterator[Iterator[tuple[Any, ...]]]:
    """The rejected rows of a batch as a stream: line, reason, raw, and the columns."""
    with connection.transaction(), connection.cursor(name="image_rejects") as cursor:
        yield iter(cursor.execute(_REJECTS, {"batch": batch}))


def tell_finished(connection: "psycopg.Connection[Any]") -> list[tuple[int, str, int]]:
    """Batches that have been finished since this was last asked: id, file, failed rows."""
    return connection.execute(_TELL).fetchall()


def old_batches(connection: "psycopg.Connection[Any]", keep: timedelta) -> list[int]:
    """Batches finished longer ago than that, whose rows are still kept."""
    return [row[0] for row in connection.execute(_OLD, {"keep": keep}).fetchall()]


def drop_edits(connection: "psycopg.Connection[Any]", batch: int) -> int:
    """Delete the rows of a batch; the batch itself stays known."""
    return connection.execute(_DROP_EDITS, {"batch": batch}).rowcount


def _copied(line: int, row: Edit | Reject) -> str:
    # No field has a tab or the end of a line in it: those are not printable.
    if isinstance(row, Reject):
        return (
            f"{line}\t\\N\t\\N\t\\N\t\\N\trejected\t{_escaped(row.reason)}\t{_escaped(row.raw)}\n"
        )
    source = "\\N" if row.source is None else row.source.replace("\\", "\\\\")
    number = row.article_number.replace("\\", "\\\\")
    return f"{line}\t{number}\t{row.position}\t{row.action}\t{source}\twaiting\t\\N\t\\N\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\r", "\\r").replace("\n", "\\n")

"""Batches and images as operators see them, and the retry of what failed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cronops.db.audit import write_audit
from cronops.errors import UsageError
from cronops.jobs.images.batches import chunks_of
from cronops.jobs.images.intake import HANDLER, chunk_messages

if TYPE_CHECKING:
    import psycopg

    from cronops.queue.control import Act

_BATCH_COLUMNS = """id, file, state, rows, done, failed, superseded,
    rows - done - failed - superseded AS waiting, rejected, retries, created_at, finished_at,
    reason, filed_as, sha256, chunks, run_id"""
_LIST = f"""
SELECT {_BATCH_COLUMNS} FROM image_batch
WHERE (%(state)s::text IS NULL OR state = %(state)s)
    AND (NOT %(failed)s OR failed > 0 OR state = 'rejected')
ORDER BY id DESC LIMIT %(limit)s
"""  # noqa: S608 - made of constants
_SHOW = f"""
SELECT {_BATCH_COLUMNS} FROM image_batch
WHERE id = coalesce(%(batch)s::bigint, (SELECT max(id) FROM image_batch))
"""  # noqa: S608 - as above
_LATEST = "SELECT id FROM image_batch ORDER BY id DESC LIMIT 5"
_BAD_ROWS = """
SELECT line, article_number, position, action, source, state, reason, updated_at FROM image_edit
WHERE batch_id = %(batch)s
    AND (state IN ('failed', 'rejected') OR state = 'waiting' AND reason IS NOT NULL)
ORDER BY line LIMIT %(limit)s
"""
_IMAGES = """
SELECT article_number, position, state, source, source_sha256, renditions, batch_id, line,
    updated_at
FROM article_image
WHERE article_number = %(article)s AND (%(deleted)s OR state = 'present')
ORDER BY position
"""
_ARTICLES_NEAR = """
(SELECT article_number FROM article_image WHERE article_number >= %(article)s
 GROUP BY article_number ORDER BY article_number LIMIT 200)
UNION
(SELECT article_number FROM article_image WHERE article_number < %(article)s
 GROUP BY article_number ORDER BY article_number DESC LIMIT 200)
"""
_HOLD_BATCH = "SELECT state, sha256, retries FROM image_batch WHERE id = %(batch)s FOR UPDATE"
_CRASHED = """
SELECT id, (payload ->> 'first')::int, (payload ->> 'last')::int FROM queue_message
WHERE status = 'CRASH' AND handler = %(handler)s AND (payload ->> 'batch')::bigint = %(batch)s
ORDER BY id
"""
_LOCK = """
SELECT state FROM image_edit WHERE batch_id = %(batch)s AND state = ANY(%(states)s) ORDER BY line
FOR UPDATE
"""
_COUNT_LOCKED = f"""
SELECT count(*), count(*) FILTER (WHERE state = 'done'), count(*) FILTER (WHERE state = 'failed'),
    count(*) FILTER (WHERE state = 'superseded')
FROM ({_LOCK}) AS locked
"""  # noqa: S608 - made of constants
_WAIT_AGAIN = """
UPDATE image_edit SET state = 'waiting', starts = 0, updated_at = clock_timestamp()
WHERE batch_id = %(batch)s AND state = ANY(%(states)s)
"""
_REOPEN = """
UPDATE image_batch
SET done = done - %(done)s, failed = failed - %(failed)s, superseded = superseded - %(superseded)s,
    state = 'enqueued', finished_at = NULL, retries = retries + 1
WHERE id = %(batch)s
"""


def list_batches(
    connection: "psycopg.Connection[Any]",
    *,
    state: str | None = None,
    failed: bool = False,
    limit: int = 20,
) -> list[dict[str, Any]]:
    """Batches, the newest first; `failed`: only rejected ones, and those with failed rows."""
    return _rows(connection, _LIST, {"state": state, "failed": failed, "limit": limit})


def show_batch(connection: "psycopg.Connection[Any]", batch: int | None) -> dict[str, Any]:
    """Everything of one batch, the newest for None. Raises `UsageError` where there is none."""
    found = _rows(connection, _SHOW, {"batch": batch})
    if not found:
        raise UsageError(_no_batch(connection, batch))
    return found[0]


def bad_rows(
    connection: "psycopg.Connection[Any]", batch: int, *, limit: int
) -> list[dict[str, Any]]:
    """The rows of a batch that were rejected, have failed, or wait for another attempt."""
    return _rows(connection, _BAD_ROWS, {"batch": batch, "limit": limit})


def list_images(
    connection: "psycopg.Connection[Any]", article: str, *, deleted: bool = False
) -> list[dict[str, Any]]:
    """The images of an article by their position; `deleted`: those that were there, too."""
    return _rows(connection, _IMAGES, {"article": article, "deleted": deleted})


def articles_near(connection: "psycopg.Connection[Any]", article: str) -> list[str]:
    """Articles with images whose numbers are sorted near this one."""
    rows = connection.execute(_ARTICLES_NEAR, {"article": article}).fetchall()
    return [row[0] for row in rows]


def retry_batch(
    connection: "psycopg.Connection[Any]",
    batch: int,
    act: "Act",
    *,
    chunk_rows: int,
    everything: bool = False,
    on_retry: "Callable[[psycopg.Connection[Any], str], None] | None" = None,
) -> tuple[int, int]:
    """Enqueue the failed rows of a batch again: how many rows, and how many messages.

    `everything`: rows that are done, too. Messages of the batch in CRASH are put back with all
    that waited in them. Written to the audit trail. Raises `UsageError` where there is no such
    batch.
    """
    from cronops.queue.control import retry
    from cronops.queue.enqueue import enqueue_many

    states = ["failed", "done", "superseded"] if everything else ["failed"]
    values: dict[str, Any] = {"batch": batch, "handler": HANDLER, "states": states}
    with connection.transaction():
        sha256, retries = _hold(connection, batch)
        crashed = connection.execute(_CRASHED, values).fetchall()
        row = connection.execute(_COUNT_LOCKED, values).fetchone()
        rows, done, failed, superseded = row or (0, 0, 0, 0)
        if not rows and not crashed:
            return 0, 0
        messages = 0
        if rows:
            # Before these rows wait again: those that wait already have their messages, and so
            # have those whose message is in CRASH.
            in_crash = [(first, last) for _, first, last in crashed]
            chunks = list(chunks_of(connection, batch, chunk_rows, states=states, besides=in_crash))
            connection.execute(_WAIT_AGAIN, values)
            counts = {"done": done, "failed": failed, "superseded": superseded}
            connection.execute(_REOPEN, {"batch": batch, **counts})
            again = chunk_messages(iter(chunks), batch, sha256, None, retry=retries + 1)
            messages = enqueue_many(connection, again)
        if crashed:
            ids = [message for message, _, _ in crashed]
            messages += len(retry(connection, act, ids=ids, on_retry=on_retry).ids)
        write_audit(
            connection,
            actor=act.actor,
            action="images retry",
            subject=f"batch {batch}",
            reason=act.reason,
            details={"rows": rows, "messages": messages, "everything": everything},
        )
    return rows, messages


def _hold(connection: "psycopg.Connection[Any]", batch: int) -> tuple[str, int]:
    """Lock a batch; its content's hash, and how often it was retried."""
    found = connection.execute(_HOLD_BATCH, {"batch": batch}).fetchone()
    if found is None:
        raise UsageError(_no_batch(connection, batch))
    state, sha256, retries = found
    if state == "rejected":
        raise UsageError(
            f"batch {batch} was rejected, so none of its rows was enqueued; correct the file in "
            "quarantine and put it among the batches again"
        )
    return sha256, retries


def _rows(
    connection: "psycopg.Connection[Any]", statement: str, values: dict[str, Any]
) -> list[dict[str, Any]]:
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values).fetchall()


def _no_batch(connection: "psycopg.Connection[Any]", batch: int | None) -> str:
    if batch is None:
        return "no batch has come yet"
    latest = [str(row[0]) for row in connection.execute(_LATEST).fetchall()]
    hint = f"the latest are {', '.join(latest)}" if latest else "there is none yet"
    return f"there is no batch {batch}; {hint}"

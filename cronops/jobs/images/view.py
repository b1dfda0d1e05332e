"""Batches and images as operators see them, and the retry of what failed."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from cronops.db.audit import write_audit
from cronops.errors import UsageError
from cronops.jobs.images.batches import as_multirange, chunks_of
from cronops.jobs.images.messages import HANDLER, chunk_messages

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
_LAST_LINE = (1 << 31) - 2
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
# Not the batch's row: a worker has locked rows of the batch when it comes to that one.
_ONE_RETRY = (
    "SELECT pg_advisory_xact_lock(hashtextextended('cronops.image_batch ' || %(batch)s, 0))"
)
_BATCH = "SELECT state, sha256, retries FROM image_batch WHERE id = %(batch)s"
# In halves, each of which has an index. What others have put there is compared as it is: a cast
# would fail over the first payload that is no chunk's.
_MESSAGES = """
SELECT id, true, payload -> 'first', payload -> 'last' FROM queue_message
WHERE status = 'CRASH'
    AND handler = %(handler)s AND payload -> 'batch' = to_jsonb(%(batch)s::bigint)
UNION ALL
SELECT id, false, payload -> 'first', payload -> 'last' FROM queue_message
WHERE dedupe_key IS NOT NULL AND status IN ('NEW', 'IN_QUEUE', 'PROCESSING')
    AND handler = %(handler)s AND payload -> 'batch' = to_jsonb(%(batch)s::bigint)
ORDER BY id
"""
# Deleted with its message by an operator, a row would wait for ever.
_FAIL_LOST = """
UPDATE image_edit SET state = 'failed', reason = 'its message is gone'
WHERE batch_id = %(batch)s AND state = 'waiting' AND NOT line <@ %(held)s::int4multirange
"""
_LOCK = """
SELECT state FROM image_edit WHERE batch_id = %(batch)s AND state = ANY(%(states)s) ORDER BY line
FOR UPDATE
"""
_COUNT_LOCKED = f"""
SELECT count(*) FROM ({_LOCK}) AS locked
"""  # noqa: S608 - made of constants
_WAIT_AGAIN = """
UPDATE image_edit SET state = 'waiting', starts = 0, updated_at = clock_timestamp()
WHERE batch_id = %(batch)s AND state = ANY(%(states)s)
"""
# Locked after its rows, and before they are counted: then nobody counts one up meanwhile.
_LOCK_BATCH = "SELECT FROM image_batch WHERE id = %(batch)s FOR UPDATE"
_REOPEN = """
UPDATE image_batch
SET done = counted.done, failed = counted.failed, superseded = counted.superseded,
    state = 'enqueued', finished_at = NULL, retries = retries + 1
FROM (
    SELECT count(*) FILTER (WHERE state = 'done') AS done,
        count(*) FILTER (WHERE state = 'failed') AS failed,
        count(*) FILTER (WHERE state = 'superseded') AS superseded
    FROM image_edit WHERE batch_id = %(batch)s
) AS counted
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
    found = [] if _is_beyond(batch) else _rows(connection, _SHOW, {"batch": batch})
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

    So are rows that wait and have no message any more. `everything`: rows that are done, too.
    Messages of the batch in CRASH are put back with all that waited in them. Written to the audit
    trail. Raises `UsageError` where there is no such batch.
    """
    from cronops.queue.control import retry
    from cronops.queue.enqueue import enqueue_many

    states = ["failed", "done", "superseded"] if everything else ["failed"]
    values: dict[str, Any] = {"batch": batch, "handler": HANDLER, "states": states}
    with connection.transaction():
        sha256, retries = _of_batch(connection, batch)
        # Messages before rows: what ends in between is left to the message it had.
        messages_of = _messages(connection, values)
        crashed = [one for one in messages_of if one.in_crash]
        held = as_multirange((one.first, one.last) for one in messages_of)
        connection.execute(_FAIL_LOST, {**values, "held": held})
        row = connection.execute(_COUNT_LOCKED, values).fetchone()
        rows = row[0] if row else 0
        if not rows and not crashed:
            return 0, 0
        messages = 0
        if rows:
            # Before these rows wait again: those that wait already have their messages, and so
            # have those whose message is in CRASH.
            in_crash = [(one.first, one.last) for one in crashed]
            chunks = list(chunks_of(connection, batch, chunk_rows, states=states, besides=in_crash))
            connection.execute(_WAIT_AGAIN, values)
            connection.execute(_LOCK_BATCH, values)
            connection.execute(_REOPEN, values)
            again = chunk_messages(iter(chunks), batch, sha256, None, retry=retries + 1)
            messages = enqueue_many(connection, again)
        if crashed:
            ids = [one.id for one in crashed]
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


class _Message(NamedTuple):
    """A message of a batch that is not done yet."""

    id: int
    in_crash: bool
    first: int
    last: int


def _messages(
    connection: "psycopg.Connection[Any]", values: Mapping[str, Any]
) -> Sequence[_Message]:
    found = [_Message(*row) for row in connection.execute(_MESSAGES, values).fetchall()]
    return [
        one
        for one in found
        if type(one.first) is type(one.last) is int and 0 < one.first <= one.last <= _LAST_LINE
    ]


def _of_batch(connection: "psycopg.Connection[Any]", batch: int) -> tuple[str, int]:
    """A batch's content's hash, and how often it was retried; nobody else retries it meanwhile."""
    found = None
    if not _is_beyond(batch):
        connection.execute(_ONE_RETRY, {"batch": str(batch)})
        found = connection.execute(_BATCH, {"batch": batch}).fetchone()
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


def _is_beyond(batch: int | None) -> bool:
    """Whether a number is larger than any that the table could hold."""
    return batch is not None and batch >= 1 << 63


def _no_batch(connection: "psycopg.Connection[Any]", batch: int | None) -> str:
    if batch is None:
        return "no batch has come yet"
    latest = [str(row[0]) for row in connection.execute(_LATEST).fetchall()]
    hint = f"the latest are {', '.join(latest)}" if latest else "there is none yet"
    return f"there is no batch {batch}; {hint}"

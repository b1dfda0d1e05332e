"""Puts messages into the queue: one, or any number of them by COPY.

Any other program may do the same with a plain INSERT; the defaults are enough::

    INSERT INTO queue_message (handler, payload) VALUES ('orders.process', '{"order": 7}')
    ON CONFLICT DO NOTHING

It needs no more than a grant on the columns it may fill::

    GRANT INSERT (queue, direction, handler, payload, priority, available_at, max_attempts,
                  dedupe_key, correlation_id) ON queue_message TO shop;
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any

import psycopg

from cronops.db.connect import first_line
from cronops.errors import BadInput
from cronops.queue.message import NewMessage, payload_of

_COLUMNS = """queue, direction, handler, payload, priority, available_at, max_attempts,
    dedupe_key, correlation_id"""

_INSERT = f"""
INSERT INTO queue_message ({_COLUMNS})
VALUES (%(queue)s, %(direction)s, %(handler)s, %(payload)s::jsonb, %(priority)s,
    coalesce(%(available_at)s, now()), %(max_attempts)s, %(dedupe_key)s, %(correlation_id)s)
ON CONFLICT (queue, dedupe_key)
    WHERE dedupe_key IS NOT NULL AND status IN ('NEW', 'IN_QUEUE', 'PROCESSING')
    DO NOTHING
RETURNING id
"""  # noqa: S608 - made of constants

_COPY = f"COPY queue_message ({_COLUMNS}) FROM STDIN"

# Where keys may repeat: COPY cannot skip a row, INSERT can. The place keeps the order.
_STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS queue_message_stage (
    place bigint GENERATED ALWAYS AS IDENTITY, queue text, direction text, handler text,
    payload jsonb, priority integer, available_at timestamptz, max_attempts integer,
    dedupe_key text, correlation_id text
) ON COMMIT DELETE ROWS
"""
_COPY_TO_STAGE = f"COPY pg_temp.queue_message_stage ({_COLUMNS}) FROM STDIN"
_FROM_STAGE = f"""
INSERT INTO queue_message ({_COLUMNS})
SELECT {_COLUMNS} FROM pg_temp.queue_message_stage ORDER BY place
ON CONFLICT (queue, dedupe_key)
    WHERE dedupe_key IS NOT NULL AND status IN ('NEW', 'IN_QUEUE', 'PROCESSING')
    DO NOTHING
"""  # noqa: S608 - made of constants
_CLEAR_STAGE = "TRUNCATE pg_temp.queue_message_stage"

# The messages of a block are all taken from their source before its COPY begins: the source may
# be reading from the same connection.
_AT_ONCE = 5_000
_PART = 250
_NULL = "\\N"
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_TO_ESCAPE = re.compile(r"[\\\t\n\r]")
_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=True, allow_nan=False, separators=(",", ":")
).encode


def enqueue(connection: psycopg.Connection[Any], message: NewMessage) -> int | None:
    """Put one message in; its id, or None where an unfinished one has the same dedupe key.

    In the connection's transaction, where one is open. Raises `BadInput` where the payload is
    not JSON or a field is out of range.
    """
    values = {
        "queue": message.queue,
        "direction": message.direction,
        "handler": message.handler,
        "payload": _json(message),
        "priority": message.priority,
        "available_at": _instant(message.available_at),
        "max_attempts": message.max_attempts,
        "dedupe_key": message.dedupe_key,
        "correlation_id": message.correlation_id,
    }
    with _refusals_explained():
        row = connection.execute(_INSERT, values).fetchone()
    return int(row[0]) if row else None


def enqueue_many(connection: psycopg.Connection[Any], messages: Iterable[NewMessage]) -> int:
    """Put many messages in by COPY, all or none; how many there were.

    Reads `messages` as a stream: memory stays flat. A message whose dedupe key an unfinished
    one has is left out. Raises `BadInput` as `enqueue` does.
    """
    stream = iter(messages)
    total = 0
    with _refusals_explained(), connection.transaction():
        row = connection.execute("SELECT now()").fetchone()
        now = str(row[0]) if row else "now"
        while block := list(islice(stream, _AT_ONCE)):
            with connection.cursor() as cursor:
                if any(message.dedupe_key is not None for message in block):
                    cursor.execute(_STAGE)
                    _copy(cursor, _COPY_TO_STAGE, block, now)
                    cursor.execute(_FROM_STAGE)
                    total += cursor.rowcount
                    cursor.execute(_CLEAR_STAGE)
                else:
                    _copy(cursor, _COPY, block, now)
                    total += len(block)
    return total


def _copy(
    cursor: psycopg.Cursor[Any], statement: str, block: Sequence[NewMessage], now: str
) -> None:
    with cursor.copy(statement) as copy:
        # In parts, so that the server is at work while the next part is written out.
        for first in range(0, len(block), _PART):
            lines = [_line(message, now) for message in block[first : first + _PART]]
            copy.write("".join(lines).encode())


def _line(message: NewMessage, now: str) -> str:
    available = message.available_at
    limit = message.max_attempts
    return (
        f"{_label(message.queue)}\t{_label(message.direction)}\t{_label(message.handler)}\t"
        f"{_text(_json(message))}\t{message.priority}\t"
        f"{now if available is None else _instant(available)}\t"
        f"{_NULL if limit is None else limit}\t"
        f"{_text(message.dedupe_key)}\t{_label(message.correlation_id)}\n"
    )


def _text(value: str | None) -> str:
    if value is None:
        return _NULL
    if _TO_ESCAPE.search(value):
        return _TO_ESCAPE.sub(lambda found: _ESCAPES[found.group()], value)
    return value


# For texts that most messages share.
_label = lru_cache(maxsize=256)(_text)


def _json(message: NewMessage) -> str:
    try:
        return _encode(payload_of(message.payload))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(
            f"the payload of a message for {message.handler!r} is not JSON: {error}; "
            "use objects, lists, text, numbers, true, false and null"
        ) from error


def _instant(value: datetime | None) -> datetime | None:
    if value is not None and value.tzinfo is None:
        raise BadInput(f"available_at {value.isoformat()} has no time zone; give one, as in +00:00")
    return value.astimezone(UTC) if value else None


@contextmanager
def _refusals_explained() -> Iterator[None]:
    try:
        yield
    except (psycopg.DataError, psycopg.errors.CheckViolation, UnicodeEncodeError) as error:
        raise BadInput(f"the queue refused a message: {first_line(error)}") from error

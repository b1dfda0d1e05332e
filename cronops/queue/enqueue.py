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

# What a block's messages leave to its default is left out of the COPY: the server then need
# not read it row by row.
_ALWAYS_COPIED = ("queue", "direction", "handler", "payload", "priority")
_COPIED_IF_GIVEN = ("available_at", "max_attempts", "dedupe_key", "correlation_id")
_COPY = "COPY {table} ({columns}) FROM STDIN"

# Where keys may repeat: COPY cannot skip a row, INSERT can. The place keeps the order.
_STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS queue_message_stage (
    place bigint GENERATED ALWAYS AS IDENTITY, queue text, direction text, handler text,
    payload jsonb, priority integer, available_at timestamptz DEFAULT now(), max_attempts integer,
    dedupe_key text, correlation_id text
) ON COMMIT DELETE ROWS
"""
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
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
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
            given = [
                name
                for name in _COPIED_IF_GIVEN
                if any(getattr(message, name) is not None for message in block)
            ]
            with connection.cursor() as cursor:
                if "dedupe_key" in given:
                    cursor.execute(_STAGE)
                    _copy(cursor, "pg_temp.queue_message_stage", block, given, now)
                    cursor.execute(_FROM_STAGE)
                    total += cursor.rowcount
                    cursor.execute(_CLEAR_STAGE)
                else:
                    _copy(cursor, "queue_message", block, given, now)
                    total += len(block)
    return total


def _copy(
    cursor: psycopg.Cursor[Any],
    table: str,
    block: Sequence[NewMessage],
    given: Sequence[str],
    now: str,
) -> None:
    columns = ", ".join((*_ALWAYS_COPIED, *given))
    with cursor.copy(_COPY.format(table=table, columns=columns)) as copy:
        # In parts, so that the server is at work while the next part is written out.
        for first in range(0, len(block), _PART):
            part = block[first : first + _PART]
            copy.write("".join([_line(message, given, now) for message in part]).encode())


def _line(message: NewMessage, given: Sequence[str], now: str) -> str:
    line = (
        f"{_label(message.queue)}\t{_label(message.direction)}\t{_label(message.handler)}\t"
        f"{_text(_json(message))}\t{message.priority}"
    )
    for name in given:
        line += f"\t{_field(message, name, now)}"
    return line + "\n"


def _field(message: NewMessage, name: str, now: str) -> str:
    value = getattr(message, name)
    if name == "available_at":
        return now if value is None else str(_instant(value))
    if name == "correlation_id":
        return _label(value)
    return _text(None if value is None else str(value))


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

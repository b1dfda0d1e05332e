"""Putting messages in: one, many, and from any other program."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from pydantic import BaseModel

from cronops.errors import BadInput
from cronops.queue.enqueue import enqueue, enqueue_many
from cronops.queue.message import NewMessage
from tests.databases import Database

TEXT = 'tab\t newline\n return\r backslash\\ \\N quote" é 轮胎 \\u0041'
SOON = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
FULL = NewMessage(
    handler="orders.process",
    payload={"text": TEXT, "list": [1, 2.5, None, True]},
    queue="orders\twith tab",
    direction="outgoing",
    priority=-7,
    available_at=SOON,
    max_attempts=9,
    correlation_id="cause\\1",
)
COLUMNS = (
    "handler, payload, queue, direction, priority, available_at, max_attempts, dedupe_key,"
    " correlation_id"
)


def expected(message: NewMessage, dedupe_key: str | None = None) -> tuple[object, ...]:
    return (
        message.handler, message.payload, message.queue, message.direction, message.priority,
        message.available_at, message.max_attempts, dedupe_key, message.correlation_id,
    )  # fmt: skip


def test_every_field_arrives_one_by_one_and_in_bulk(database: Database) -> None:
    with database.connect() as connection:
        message_id = enqueue(connection, FULL)
        assert enqueue_many(connection, [FULL]) == 1
        keyed = replace(FULL, dedupe_key="key\t1")
        assert enqueue_many(connection, [keyed]) == 1
    rows = database.query(f"SELECT {COLUMNS} FROM queue_message ORDER BY id")
    assert rows == [expected(FULL), expected(FULL), expected(FULL, "key\t1")]
    assert database.query("SELECT min(id) FROM queue_message") == [(message_id,)]


def test_defaults_are_those_of_a_plain_insert(database: Database) -> None:
    with database.connect() as connection:
        enqueue(connection, NewMessage(handler="work", payload={}))
        enqueue_many(connection, [NewMessage(handler="work", payload={})])
    database.query("INSERT INTO queue_message (handler) VALUES ('work')")
    assert len(database.query(
        "SELECT DISTINCT queue, direction, payload, priority, status, attempts, max_attempts"
        " FROM queue_message"
    )) == 1  # fmt: skip
    assert database.query("SELECT DISTINCT available_at <= now() FROM queue_message") == [(True,)]


class Order(BaseModel):
    number: int
    at: datetime


def test_a_pydantic_model_is_a_payload(database: Database) -> None:
    message = NewMessage(handler="work", payload=Order(number=1, at=SOON))
    with database.connect() as connection:
        enqueue(connection, message)
        enqueue_many(connection, [message])
    payload = {"number": 1, "at": "2030-01-02T03:04:05Z"}
    assert database.query("SELECT payload FROM queue_message") == [(payload,), (payload,)]


BAD = {
    "a set": NewMessage(handler="work", payload={1, 2}),
    "not a number": NewMessage(handler="work", payload=float("nan")),
    "NUL": NewMessage(handler="work", payload="\x00"),
    "half a character": NewMessage(handler="work", payload="\ud800"),
    "no handler": NewMessage(handler=""),
    "direction": NewMessage(handler="work", direction="sideways"),
    "priority": NewMessage(handler="work", priority=5000),
    "no zone": NewMessage(handler="work", available_at=datetime(2030, 1, 1)),
}


@pytest.mark.parametrize("message", BAD.values(), ids=BAD)
def test_what_the_queue_cannot_take_is_refused_whole(
    database: Database, message: NewMessage
) -> None:
    good = NewMessage(handler="work")
    with database.connect() as connection:
        with pytest.raises(BadInput):
            enqueue(connection, message)
        with pytest.raises(BadInput):
            enqueue_many(connection, [good] * 6000 + [message])
    assert database.query("SELECT count(*) FROM queue_message") == [(0,)]


def test_a_circular_payload_is_refused(database: Database) -> None:
    payload: list[object] = []
    payload.append(payload)
    with database.connect() as connection, pytest.raises(BadInput, match="not JSON"):
        enqueue(connection, NewMessage(handler="work", payload=payload))


def test_a_key_is_unique_among_unfinished_messages_of_a_queue(database: Database) -> None:
    message = NewMessage(handler="work", dedupe_key="a")
    elsewhere = NewMessage(handler="work", dedupe_key="a", queue="other")
    with database.connect() as connection:
        assert enqueue(connection, message) is not None
        assert enqueue(connection, message) is None
        assert enqueue_many(connection, [message, message]) == 0
        assert enqueue(connection, elsewhere) is not None
        for unfinished in ("IN_QUEUE", "PROCESSING"):
            database.query("UPDATE queue_message SET status = %s", (unfinished,))
            assert enqueue(connection, message) is None
        for finished in ("PROCESSED", "CRASH"):
            database.query("UPDATE queue_message SET status = %s", (finished,))
            assert enqueue_many(connection, [message, message]) == 1


def test_bulk_with_and_without_keys_keeps_its_order(database: Database) -> None:
    messages = [
        NewMessage(handler="work", payload=n, dedupe_key=str(n // 2) if n > 7000 else None)
        for n in range(12_000)
    ]
    with database.connect() as connection:
        count = enqueue_many(connection, messages)
    rows = [row[0] for row in database.query("SELECT payload FROM queue_message ORDER BY id")]
    assert rows == sorted(rows)
    assert count == len(rows) == 7001 + 2500


def test_bulk_streams(database: Database) -> None:
    taken = 0

    def messages() -> Iterator[NewMessage]:
        nonlocal taken
        for n in range(100_000):
            taken += 1
            yield NewMessage(handler="work", payload={"n": n})
            if n == 60_000:
                # Long before the last one is made, the first are on the server.
                assert database.query("SELECT pg_relation_size('queue_message') > 1000000") == [
                    (True,)
                ]

    with database.connect() as connection:
        assert enqueue_many(connection, messages()) == 100_000
    assert taken == 100_000
    assert database.query("SELECT count(*) FROM queue_message") == [(100_000,)]


def test_it_joins_the_callers_transaction(database: Database) -> None:
    with database.connect() as connection:
        with connection.transaction(force_rollback=True):
            enqueue(connection, NewMessage(handler="work"))
            enqueue_many(connection, [NewMessage(handler="work", dedupe_key="a")])
        with connection.transaction():
            enqueue_many(connection, [NewMessage(handler="work", dedupe_key="a")])
            enqueue_many(connection, [NewMessage(handler="work", dedupe_key="b")])
    assert database.query("SELECT count(*) FROM queue_message") == [(2,)]


def test_another_program_needs_no_more_than_its_columns(database: Database) -> None:
    database.query("DROP ROLE IF EXISTS cronops_test_shop")
    database.query("CREATE ROLE cronops_test_shop")
    schema = database.query("SELECT current_schema()")[0][0]
    database.query(f'GRANT USAGE ON SCHEMA "{schema}" TO cronops_test_shop')
    database.query(
        "GRANT INSERT (handler, payload, dedupe_key) ON queue_message TO cronops_test_shop"
    )
    try:
        with database.connect() as shop:
            shop.execute("SET ROLE cronops_test_shop")
            insert = (
                "INSERT INTO queue_message (handler, payload, dedupe_key)"
                " VALUES ('work', '{}', 'a') ON CONFLICT DO NOTHING"
            )
            assert shop.execute(insert).rowcount == 1
            assert shop.execute(insert).rowcount == 0
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                shop.execute("SELECT FROM queue_message")
    finally:
        database.query("DROP OWNED BY cronops_test_shop")
        database.query("DROP ROLE cronops_test_shop")


def test_a_message_for_later(database: Database) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    with database.connect() as connection:
        enqueue(connection, NewMessage(handler="work", available_at=later))
    assert database.query("SELECT available_at FROM queue_message") == [(later,)]

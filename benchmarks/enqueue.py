"""Enqueueing one by one and in bulk, against plain statements into the same table, and peers."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence

import psycopg

from benchmarks.database import ROOT, Database
from benchmarks.harness import Goal, Section, Unmeasurable, alternate
from benchmarks.workers import PEERS, PeerEnvironment, command_of
from cronops.queue.enqueue import enqueue, enqueue_many
from cronops.queue.message import NewMessage

HANDLER = "bench.batch"
BULK = 1_000
INSERT = "INSERT INTO queue_message (handler, payload) VALUES (%s, %s) RETURNING id"
INSERT_MANY = "INSERT INTO queue_message (handler, payload) VALUES (%s, %s)"
INSERT_UNNEST = """
    INSERT INTO queue_message (handler, payload) SELECT * FROM unnest(%s::text[], %s::jsonb[])
"""
COPY = "COPY queue_message (handler, payload) FROM STDIN"

Enqueuer = Callable[[psycopg.Connection, int], None]


def run(database: Database, peers: PeerEnvironment, quick: bool) -> Sequence[Section]:
    """Singles; calls of 1,000; one call of 100,000."""
    rounds = 2 if quick else 5
    return [
        _singles(database, peers, 200 if quick else 2_000, rounds),
        _calls_of_a_thousand(database, peers, 3_000 if quick else 20_000, rounds),
        _at_once(database, 5_000 if quick else 100_000, rounds),
    ]


def _singles(database: Database, peers: PeerEnvironment, count: int, rounds: int) -> Section:
    section = Section(
        "Enqueue, one by one",
        "messages/s",
        f"{count:,} messages, each durable before the next.",
    )
    subjects: dict[str, Callable[[], float]] = {
        "raw INSERT": lambda: _rate(database, count, _raw_singles),
        "cronops enqueue": lambda: _rate(database, count, _our_singles),
        **_of_peers(database, peers, count, 1),
    }
    section.add(alternate(subjects, rounds), peers.versions)
    section.compare("enqueue / raw INSERT", "cronops enqueue", "raw INSERT")
    return section


def _calls_of_a_thousand(
    database: Database, peers: PeerEnvironment, count: int, rounds: int
) -> Section:
    section = Section(
        "Enqueue, 1,000 a call",
        "messages/s",
        f"{count:,} messages, durable after each call. The raw statements go into the queue's own "
        "table, with all its indexes.",
    )
    subjects: dict[str, Callable[[], float]] = {
        "raw COPY": lambda: _rate(database, count, _in_bulk(_raw_copy)),
        "cronops enqueue_many": lambda: _rate(database, count, _in_bulk(_our_bulk)),
        "raw INSERT … unnest": lambda: _rate(database, count, _in_bulk(_raw_unnest)),
        "raw executemany": lambda: _rate(database, count, _in_bulk(_raw_executemany)),
        **_of_peers(database, peers, count, BULK),
    }
    section.add(alternate(subjects, rounds), peers.versions)
    section.compare("enqueue_many / COPY", "cronops enqueue_many", "raw COPY", Goal(0.8))
    return section


def _at_once(database: Database, count: int, rounds: int) -> Section:
    section = Section(
        f"Enqueue, {count:,} at once",
        "messages/s",
        "One call, one transaction. The command reads JSON lines, and its time is that of the "
        "whole process.",
    )
    subjects: dict[str, Callable[[], float]] = {
        "raw COPY": lambda: _rate(database, count, _raw_copy),
        "cronops enqueue_many": lambda: _rate(database, count, _our_bulk),
        "cronops queue enqueue --payload -": lambda: _command_rate(database, count),
    }
    section.add(alternate(subjects, rounds))
    section.compare("enqueue_many / COPY", "cronops enqueue_many", "raw COPY", Goal(0.8))
    section.compare("command / COPY", "cronops queue enqueue --payload -", "raw COPY")
    return section


def _rate(database: Database, count: int, put: Enqueuer) -> float:
    _start_afresh(database)
    with database.connect() as connection:
        began = time.perf_counter()
        put(connection, count)
        seconds = time.perf_counter() - began
    _check(database, count)
    return count / seconds


def _command_rate(database: Database, count: int) -> float:
    _start_afresh(database)
    lines = "".join(json.dumps(payload) + "\n" for payload in _payloads(count))
    command = [command_of("cronops"), "queue", "enqueue", "--queue=general"]
    began = time.perf_counter()
    done = subprocess.run(
        [*command, f"--handler={HANDLER}", "--payload=-"],
        cwd=ROOT,
        env=database.env,
        input=lines,
        text=True,
        capture_output=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise Unmeasurable(f"exit {done.returncode}: {done.stderr.strip()[-200:]}")
    _check(database, count)
    return count / seconds


def _of_peers(
    database: Database, peers: PeerEnvironment, count: int, bulk: int
) -> dict[str, Callable[[], float]]:
    def rate(peer: str) -> float:
        peers.call(peer, "fill", database.url, 0)
        database.settle()
        return count / peers.call(peer, "enqueue", database.url, count, bulk)["seconds"]

    return {peer: lambda peer=peer: rate(peer) for peer in PEERS}  # type: ignore[misc]


def _raw_singles(connection: psycopg.Connection, count: int) -> None:
    for payload in _payloads(count):
        connection.execute(INSERT, (HANDLER, json.dumps(payload)), prepare=True).fetchone()


def _our_singles(connection: psycopg.Connection, count: int) -> None:
    for message in _messages(count):
        enqueue(connection, message)


def _in_bulk(put: Enqueuer) -> Enqueuer:
    def put_all(connection: psycopg.Connection, count: int) -> None:
        for _ in range(count // BULK):
            put(connection, BULK)

    return put_all


def _raw_executemany(connection: psycopg.Connection, count: int) -> None:
    rows = [(HANDLER, json.dumps(payload)) for payload in _payloads(count)]
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(INSERT_MANY, rows)


def _raw_unnest(connection: psycopg.Connection, count: int) -> None:
    payloads = [json.dumps(payload) for payload in _payloads(count)]
    connection.execute(INSERT_UNNEST, ([HANDLER] * count, payloads), prepare=True)


def _raw_copy(connection: psycopg.Connection, count: int) -> None:
    lines = "".join([f"{HANDLER}\t{json.dumps(payload)}\n" for payload in _payloads(count)])
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        copy.write(lines)


def _our_bulk(connection: psycopg.Connection, count: int) -> None:
    enqueue_many(connection, _messages(count))


def _payloads(count: int) -> Iterator[dict[str, int]]:
    return ({"n": n} for n in range(count))


def _messages(count: int) -> Iterator[NewMessage]:
    return (NewMessage(handler=HANDLER, payload=payload) for payload in _payloads(count))


def _start_afresh(database: Database) -> None:
    database.execute("TRUNCATE queue_message RESTART IDENTITY")
    database.settle("queue_message")


def _check(database: Database, count: int) -> None:
    with database.connect() as connection:
        row = connection.execute("SELECT count(*) FROM queue_message").fetchone()
    if row != (count,):
        raise Unmeasurable(f"{row} messages are in the queue, not {count}")

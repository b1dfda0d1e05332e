"""The claim beside ten million old messages and a million delayed ones, against an empty table."""

import statistics
import time
from collections.abc import Callable, Sequence

import psycopg

from benchmarks.database import Database
from benchmarks.harness import Goal, Section, alternate, progress
from cronops.queue.store import Store

DUE = 5_000
BATCH = 100
EMPTY = "no history"
OLD = "beside old and delayed messages"
# Finished over the last month, in order of time, as a queue would have left them.
PROCESSED = """
    INSERT INTO queue_message (handler, payload, status, attempts, created_at, available_at,
        claim_token, claimed_by, claimed_at, started_at, heartbeat_at, finished_at)
    SELECT 'bench.batch', jsonb_build_object('n', n), 'PROCESSED', 1, at, at, 1, 1, at, at, at, at
    FROM generate_series(1, {count}) AS n,
        LATERAL (SELECT now() - interval '30 days' * (1 - n::float8 / {count}) AS at) AS t
"""
# Due within the next week, a hundredth of them of another priority.
DELAYED = """
    INSERT INTO queue_message (handler, payload, available_at, priority)
    SELECT 'bench.batch', jsonb_build_object('n', n),
        now() + interval '2 hours' + interval '7 days' * n / {count},
        CASE WHEN n % 100 = 0 THEN n % 41 - 20 ELSE 0 END
    FROM generate_series(1, {count}) AS n
"""
NEW = """
    INSERT INTO queue_message (handler, payload)
    SELECT 'bench.batch', jsonb_build_object('n', n) FROM generate_series(1, {count}) AS n
"""
LEASE = """
    INSERT INTO lease (key, owner_token, run_id, job, holder, expires_at)
    VALUES ('bench.claim', 0, 'bench', 'bench', 'bench', clock_timestamp() + interval '1 hour')
    RETURNING token
"""


def run(database: Database, quick: bool) -> Sequence[Section]:
    """The median time of one claim of 100, committed, with and without a history."""
    processed, delayed = (100_000, 10_000) if quick else (10_000_000, 1_000_000)
    section = Section(
        "Claim time beside a history",
        "ms",
        f"One claim of {BATCH} messages by the worker's own statement, fence and commit included: "
        f"the median of {DUE // BATCH} claims a run, in a table with nothing else and in one "
        f"with {processed:,} PROCESSED and {delayed:,} delayed messages.",
        digits=2,
    )
    with database.sibling("history") as history:
        database.execute("TRUNCATE queue_message")
        began = time.perf_counter()
        history.execute(PROCESSED.format(count=processed))
        history.execute(DELAYED.format(count=delayed))
        progress(f"{processed + delayed:,} rows written in {time.perf_counter() - began:.1f} s")
        for one in (database, history):
            one.settle("queue_message")
        with database.connect() as empty, history.connect() as old:
            subjects: dict[str, Callable[[], float]] = {
                EMPTY: lambda: _claims(empty),
                OLD: lambda: _claims(old),
            }
            section.add(alternate(subjects, 3 if quick else 7))
    section.compare("beside history / without", OLD, EMPTY, Goal(1.2, at_most=True))
    return [section]


def _claims(connection: psycopg.Connection) -> float:
    connection.execute(NEW.format(count=DUE))
    connection.execute("CHECKPOINT")
    connection.execute("DELETE FROM lease WHERE key = 'bench.claim'")
    row = connection.execute(LEASE).fetchone()
    assert row is not None
    store = Store(connection, queue="general", direction=None, tokens=[row[0]], worker=0)
    milliseconds = []
    for _ in range(DUE // BATCH):
        began = time.perf_counter()
        step = store.step(claim=BATCH, batch_handlers=["bench.batch"])
        milliseconds.append(1000 * (time.perf_counter() - began))
        assert len(step.claimed) == BATCH, "the claim must find the due messages"
        settled = store.step(settle=step.claimed)
        assert settled.settled == BATCH
    return statistics.median(milliseconds)

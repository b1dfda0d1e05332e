"""cronops as it is run: the command line against the database, its results read from the table."""

import subprocess
import time
from pathlib import Path

from benchmarks.database import Database
from benchmarks.harness import Unmeasurable
from benchmarks.workers import command_of

LIMIT_SECONDS = 600
FILL = """
    INSERT INTO queue_message (handler, payload)
    SELECT '{handler}', jsonb_build_object('n', n) FROM generate_series(1, {count}) AS n
"""
DONE = """
    SELECT count(*) FILTER (WHERE status = 'PROCESSED'), count(*),
        extract(epoch FROM max(finished_at))::float8
    FROM queue_message
"""


def install_handlers(database: Database) -> None:
    """Make `benchmarks.handlers` findable by entry point, as a package's handlers are."""
    metadata = database.scratch / "handlers" / "bench_handlers-1.dist-info"
    metadata.mkdir(parents=True, exist_ok=True)
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: bench-handlers\nVersion: 1\n", encoding="utf-8"
    )
    _first_messages(database).mkdir(exist_ok=True)
    entries = (
        "bench.batch = benchmarks.handlers:batch",
        "bench.each = benchmarks.handlers:each",
        "bench.write = benchmarks.writing_handlers:write",
    )
    (metadata / "entry_points.txt").write_text(
        "\n".join(["[cronops.handlers]", *entries, ""]), encoding="utf-8"
    )


def fill(database: Database, handler: str, count: int) -> None:
    """Nothing in the queue but so many messages for `handler`."""
    database.execute("TRUNCATE queue_message RESTART IDENTITY")
    database.execute(FILL.format(handler=handler, count=count))


def process(database: Database, *arguments: str, batch: int = 100) -> float:
    """Run ``cronops queue process``; when, by `time.time`, its first message was in hand."""
    directory = _first_messages(database)
    for old in directory.iterdir():
        old.unlink()
    done = subprocess.run(
        command(*arguments),
        env=environment(database, batch),
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Unmeasurable(f"exit {done.returncode}: {last[:200]}")
    return min(float(noted.read_text(encoding="ascii")) for noted in directory.iterdir())


def environment(database: Database, batch: int = 100) -> dict[str, str]:
    """The environment of a worker whose handlers note their first message."""
    return {
        **database.env,
        "CRONOPS_QUEUE__BATCH_SIZE": str(batch),
        "BENCH_FIRST_MESSAGES": str(_first_messages(database)),
    }


def command(*arguments: str) -> list[str]:
    """The command line of a worker."""
    return [command_of("cronops"), "queue", "process", "--queue=general", *arguments]


def rate(database: Database, handler: str, count: int, batch: int = 100, workers: int = 1) -> float:
    """Messages a second, from the first in a handler to the last one done, as in the raw loops."""
    fill(database, handler, count)
    database.settle("queue_message")
    began = process(database, *(() if workers == 1 else (f"--concurrency={workers}",)), batch=batch)
    return count / (all_processed_at(database, count) - began)


def all_processed_at(database: Database, count: int) -> float:
    """When the last message was done; raises `Unmeasurable` where not every one is."""
    with database.connect() as connection:
        row = connection.execute(DONE).fetchone()
    assert row is not None
    done, total, last = row
    if done != count or total != count:
        raise Unmeasurable(f"{done} of {count} messages were processed")
    return float(last)


def first_message(database: Database) -> float:
    """Milliseconds from the process's start to its first message in a handler."""
    fill(database, "bench.each", 1)
    began = time.time()
    return 1000 * (process(database) - began)


def _first_messages(database: Database) -> Path:
    return database.scratch / "first-messages"

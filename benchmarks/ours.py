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
# The same clock that the raw loops read: from the first claim to the last message done.
DONE = """
    SELECT count(*) FILTER (WHERE status = 'PROCESSED'), count(*),
        extract(epoch FROM max(finished_at) - min(claimed_at))::float8
    FROM queue_message
"""


def install_handlers(database: Database) -> None:
    """Make `benchmarks.handlers` findable by entry point, as a package's handlers are."""
    metadata = database.scratch / "handlers" / "bench_handlers-1.dist-info"
    metadata.mkdir(parents=True, exist_ok=True)
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: bench-handlers\nVersion: 1\n", encoding="utf-8"
    )
    names = ("batch", "each", "write", "first")
    entries = [f"bench.{name} = benchmarks.handlers:{name}" for name in names]
    (metadata / "entry_points.txt").write_text(
        "\n".join(["[cronops.handlers]", *entries, ""]), encoding="utf-8"
    )


def fill(database: Database, handler: str, count: int) -> None:
    """Nothing in the queue but so many messages for `handler`."""
    database.execute("TRUNCATE queue_message RESTART IDENTITY")
    database.execute(FILL.format(handler=handler, count=count))


def process(database: Database, *arguments: str, batch: int = 100, **env: str) -> float:
    """Run ``cronops queue process``; the seconds the whole process took."""
    began = time.perf_counter()
    done = subprocess.run(
        command(*arguments),
        env={**database.env, "CRONOPS_QUEUE__BATCH_SIZE": str(batch), **env},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Unmeasurable(f"exit {done.returncode}: {last[:200]}")
    return seconds


def command(*arguments: str) -> list[str]:
    """The command line of a worker."""
    return [command_of("cronops"), "queue", "process", "--queue=general", *arguments]


def rate(
    database: Database, handler: str, count: int, *, batch: int = 100, workers: int = 1
) -> float:
    """Messages a second of `count` worked by the command line, all of them checked as done."""
    fill(database, handler, count)
    database.settle("queue_message")
    process(database, *(() if workers == 1 else (f"--concurrency={workers}",)), batch=batch)
    return count / check_all_processed(database, count)


def check_all_processed(database: Database, count: int) -> float:
    """Seconds from the first claim to the last message done; `Unmeasurable` if any is not."""
    with database.connect() as connection:
        row = connection.execute(DONE).fetchone()
    assert row is not None
    done, total, seconds = row
    if done != count or total != count:
        raise Unmeasurable(f"{done} of {count} messages were processed")
    return float(seconds)


def first_message(database: Database) -> float:
    """Milliseconds from the process's start to its first message in a handler."""
    fill(database, "bench.first", 1)
    found = Path(database.scratch / "first-message")
    found.unlink(missing_ok=True)
    began = time.time()
    process(database, BENCH_FIRST_MESSAGE=str(found))
    return 1000 * (float(found.read_text(encoding="utf-8")) - began)

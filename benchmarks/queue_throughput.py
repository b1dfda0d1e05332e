"""Messages a second: ours in both settle modes, the raw loops, the peers; one worker and two."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks import ours, raw
from benchmarks.database import Database
from benchmarks.harness import Goal, Section, alternate
from benchmarks.workers import PEERS, PeerEnvironment, together

ONE_BY_ONE = "a commit for each message or more"
ABOUT_TWO = (
    "The same with two processes, for cronops `--concurrency=2`. On two cores they share them with "
    "the server."
)


@dataclass(frozen=True)
class Sizes:
    """How many messages each kind of subject is given, and how often."""

    batched: int
    committed_singly: int
    chancy: int
    procrastinate: int
    rounds: int
    slow_rounds: int


FULL = Sizes(20_000, 3_000, 5_000, 1_500, rounds=7, slow_rounds=5)
QUICK = Sizes(4_000, 500, 1_000, 500, rounds=2, slow_rounds=2)


def run(database: Database, peers: PeerEnvironment, quick: bool) -> Sequence[Section]:
    """No-op handlers with one worker and with two; handlers that write."""
    sizes = QUICK if quick else FULL
    return [
        _workers(database, peers, sizes, 1),
        _workers(database, peers, sizes, 2),
        _writing(database, sizes),
    ]


def _workers(database: Database, peers: PeerEnvironment, sizes: Sizes, workers: int) -> Section:
    section = Section(
        f"Queue throughput, {'one worker' if workers == 1 else 'two workers'}",
        "messages/s",
        _about(sizes) if workers == 1 else ABOUT_TWO,
    )
    many, few = sizes.batched, sizes.committed_singly
    fast: dict[str, Callable[[], float]] = {
        "raw fused, 100": lambda: raw_rate(database, "fused", many, 100, workers),
        "cronops batch, 100": lambda: ours.rate(database, "bench.batch", many, 100, workers),
        "raw fused, 500": lambda: raw_rate(database, "fused", many, 500, workers),
        "cronops batch, 500": lambda: ours.rate(database, "bench.batch", many, 500, workers),
        "pgqueuer": lambda: peers.rate(database, "pgqueuer", many, workers),
    }
    slow: dict[str, Callable[[], float]] = {
        "raw states": lambda: raw_rate(database, "states", few, 100, workers),
        "cronops each": lambda: ours.rate(database, "bench.each", few, 100, workers),
        "raw onetx": lambda: raw_rate(database, "onetx", few, 1, workers),
        "chancy": lambda: peers.rate(database, "chancy", sizes.chancy, workers),
        "procrastinate": lambda: peers.rate(
            database, "procrastinate", sizes.procrastinate, workers
        ),
    }
    section.add(alternate(fast, sizes.rounds), _remarks(peers))
    section.add(alternate(slow, sizes.slow_rounds), _remarks(peers))
    for batch in (100, 500):
        section.compare(
            f"batch / fused, {batch}",
            f"cronops batch, {batch}",
            f"raw fused, {batch}",
            Goal(0.6),
            Goal(0.8),
        )
    section.compare("each / states", "cronops each", "raw states", Goal(0.9))
    measured = [peer for peer in PEERS if section.median(peer) is not None]
    best = max(measured, key=lambda peer: section.median(peer) or 0.0, default="pgqueuer")
    section.compare(
        f"batch, 500 / best peer ({best})", "cronops batch, 500", best, Goal(1.5), Goal(2)
    )
    section.compare("batch, 500 / procrastinate", "cronops batch, 500", "procrastinate", Goal(30))
    return section


def _writing(database: Database, sizes: Sizes) -> Section:
    many = sizes.batched
    section = Section(
        "Queue throughput, handlers that write",
        "messages/s",
        f"{many:,} messages in batches of 100, one INSERT by each handler, effect and settle in "
        "one transaction.",
    )
    subjects: dict[str, Callable[[], float]] = {
        "raw psycopg": lambda: raw_rate(database, "writing", many, 100),
        "bare SQLAlchemy connection": lambda: raw_rate(database, "writing_sqlalchemy", many, 100),
        "cronops batch, 100": lambda: ours.rate(database, "bench.write", many, 100),
    }
    section.add(alternate(subjects, sizes.rounds))
    section.compare(
        "cronops / SQLAlchemy", "cronops batch, 100", "bare SQLAlchemy connection", Goal(0.8)
    )
    section.compare("cronops / psycopg", "cronops batch, 100", "raw psycopg")
    return section


def raw_rate(database: Database, loop: str, count: int, batch: int, workers: int = 1) -> float:
    """Messages a second of a raw loop."""
    for statement in raw.CREATE:
        database.execute(statement)
    database.execute(raw.FILL.format(count=count))
    database.settle("raw_message")
    command = [sys.executable, "-m", "benchmarks.raw", loop, database.url, str(batch)]
    return together([command] * workers, count, env=database.env)


def _about(sizes: Sizes) -> str:
    return (
        f"{sizes.batched:,} messages whose handler does nothing ({sizes.committed_singly:,} where "
        f"each costs a commit, {sizes.chancy:,} for chancy, {sizes.procrastinate:,} for "
        "procrastinate), from the first message in hand to the last one durably done. cronops is "
        "run from its command line under the whole contract: supervised child, lease, run record, "
        "fence. The raw loops are psycopg alone, prepared and binary, on a table of the queue's "
        "columns with the two indexes that a claim and a stale message need."
    )


def _remarks(peers: PeerEnvironment) -> dict[str, str]:
    settings = {
        "pgqueuer": "batch 500, asyncpg, uvloop, completions buffered",
        "chancy": "asyncio executor, 100 at once",
        "procrastinate": "10 at once",
    }
    shown = {peer: f"{version}, {settings[peer]}" for peer, version in peers.versions.items()}
    return {
        "raw states": ONE_BY_ONE,
        "cronops each": ONE_BY_ONE,
        "raw onetx": ONE_BY_ONE,
        **shown,
    }

"""Messages a second: ours in both settle modes, the raw loops, the peers; one worker and two."""

import sys
from collections.abc import Callable, Sequence

from benchmarks import ours, raw
from benchmarks.database import Database
from benchmarks.harness import Goal, Section, alternate
from benchmarks.workers import PEERS, PeerEnvironment, together

ONE_BY_ONE = "a commit for each message or more"


def run(database: Database, peers: PeerEnvironment, quick: bool) -> Sequence[Section]:
    """No-op handlers with one worker and with two; handlers that write."""
    many = 4_000 if quick else 20_000
    few = 1_000 if quick else 5_000
    rounds = 2 if quick else 5
    return [
        _one_worker(database, peers, many, few, rounds),
        _two_workers(database, peers, many, few, rounds),
        _writing(database, many, rounds),
    ]


def _one_worker(
    database: Database, peers: PeerEnvironment, many: int, few: int, rounds: int
) -> Section:
    section = Section(
        "Queue throughput, one worker",
        "messages/s",
        f"{many:,} messages whose handler does nothing ({few:,} where each costs a commit and for "
        "chancy, half of those for procrastinate), from the first message in hand to the last one "
        "durably done. cronops is run from its command line under the whole contract: supervised "
        "child, lease, run record, fence. The raw loops are psycopg alone, prepared and binary, on "
        "a table of the queue's columns with the two indexes that a claim and a stale message "
        "need.",
    )
    subjects: dict[str, Callable[[], float]] = {
        "raw fused, 100": lambda: raw_rate(database, "fused", many, 100),
        "cronops batch, 100": lambda: ours.rate(database, "bench.batch", many, batch=100),
        "raw fused, 500": lambda: raw_rate(database, "fused", many, 500),
        "cronops batch, 500": lambda: ours.rate(database, "bench.batch", many, batch=500),
        "raw states": lambda: raw_rate(database, "states", few, 100),
        "cronops each": lambda: ours.rate(database, "bench.each", few),
        "raw onetx": lambda: raw_rate(database, "onetx", few, 1),
        "pgqueuer": lambda: peers.rate(database, "pgqueuer", many, 1),
        "chancy": lambda: peers.rate(database, "chancy", few, 1),
        "procrastinate": lambda: peers.rate(database, "procrastinate", few // 2, 1),
    }
    section.add(alternate(subjects, rounds), _remarks(peers))
    goal, stretch = Goal(0.6), Goal(0.8)
    section.compare("batch / fused, 100", "cronops batch, 100", "raw fused, 100", goal, stretch)
    section.compare("batch / fused, 500", "cronops batch, 500", "raw fused, 500", goal, stretch)
    section.compare("each / states", "cronops each", "raw states", Goal(0.9))
    _against_peers(section)
    return section


def _two_workers(
    database: Database, peers: PeerEnvironment, many: int, few: int, rounds: int
) -> Section:
    section = Section(
        "Queue throughput, two workers",
        "messages/s",
        "The same with two processes, for cronops `--concurrency=2`. On two cores they share them "
        "with the server.",
    )
    subjects: dict[str, Callable[[], float]] = {
        "raw fused, 100": lambda: raw_rate(database, "fused", many, 100, workers=2),
        "cronops batch, 100": lambda: ours.rate(
            database, "bench.batch", many, batch=100, workers=2
        ),
        "raw fused, 500": lambda: raw_rate(database, "fused", many, 500, workers=2),
        "cronops batch, 500": lambda: ours.rate(
            database, "bench.batch", many, batch=500, workers=2
        ),
        "raw states": lambda: raw_rate(database, "states", few, 100, workers=2),
        "cronops each": lambda: ours.rate(database, "bench.each", few, workers=2),
        "pgqueuer": lambda: peers.rate(database, "pgqueuer", many, 2),
        "chancy": lambda: peers.rate(database, "chancy", few, 2),
        "procrastinate": lambda: peers.rate(database, "procrastinate", few // 2, 2),
    }
    section.add(alternate(subjects, rounds), _remarks(peers))
    section.compare("batch / fused, 100", "cronops batch, 100", "raw fused, 100", Goal(0.6))
    section.compare("batch / fused, 500", "cronops batch, 500", "raw fused, 500", Goal(0.6))
    section.compare("each / states", "cronops each", "raw states", Goal(0.9))
    _against_peers(section)
    return section


def _writing(database: Database, many: int, rounds: int) -> Section:
    section = Section(
        "Queue throughput, handlers that write",
        "messages/s",
        f"{many:,} messages in batches of 100, one INSERT by each handler, effect and settle in "
        "one transaction.",
    )
    subjects: dict[str, Callable[[], float]] = {
        "raw psycopg": lambda: raw_rate(database, "writing", many, 100),
        "bare SQLAlchemy connection": lambda: raw_rate(database, "writing_sqlalchemy", many, 100),
        "cronops batch, 100": lambda: ours.rate(database, "bench.write", many, batch=100),
    }
    section.add(alternate(subjects, rounds))
    section.compare(
        "cronops / SQLAlchemy", "cronops batch, 100", "bare SQLAlchemy connection", Goal(0.8)
    )
    section.compare("cronops / psycopg", "cronops batch, 100", "raw psycopg")
    return section


def raw_rate(database: Database, loop: str, count: int, batch: int, *, workers: int = 1) -> float:
    """Messages a second of a raw loop."""
    for statement in raw.CREATE:
        database.execute(statement)
    database.execute(raw.FILL.format(count=count))
    database.settle("raw_message")
    command = [sys.executable, "-m", "benchmarks.raw", loop, database.url, str(batch)]
    return together([command] * workers, count, env=database.env)


def _against_peers(section: Section) -> None:
    measured = [peer for peer in PEERS if section.median(peer) is not None]
    best = max(measured, key=lambda peer: section.median(peer) or 0.0, default="pgqueuer")
    ours_best = "cronops batch, 500"
    section.compare(f"batch / best peer ({best})", ours_best, best, Goal(1.5), Goal(2))
    section.compare("batch / procrastinate", ours_best, "procrastinate", Goal(30))


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

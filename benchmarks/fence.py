"""The fence: what it costs the heartbeat and a successor, by row lock and by place.

Justifies the fence of `cronops.contract.lock`: ``FOR KEY SHARE``, last, with a takeover that
deletes the lease's row.
"""

import contextlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from typing import Any

import psycopg

from benchmarks.database import Database
from benchmarks.harness import Missing, Result, Row, Section, Series, progress

WORKERS = 8
WORK_SECONDS = 0.02
HEARTBEAT_PAUSE = 0.05
IDLE_LIMIT_SECONDS = 3

WRITE = "INSERT INTO fence_work DEFAULT VALUES"
WORK = f"WITH w AS ({WRITE}) SELECT pg_sleep({WORK_SECONDS})"
HEARTBEAT = """
    UPDATE lease SET renewed_at = clock_timestamp(),
        expires_at = clock_timestamp() + interval '60 seconds'
    WHERE token = %s
"""
NEW_LEASE = """
    INSERT INTO lease (key, owner_token, run_id, job, holder, expires_at)
    VALUES ('bench.fence', 0, 'bench', 'bench', 'bench', clock_timestamp() + interval '60 seconds')
    RETURNING token
"""
DELETE_TAKEOVER = "DELETE FROM lease WHERE token = %s"
END_SESSION = "SELECT pg_terminate_backend(%s)"
UPDATE_TAKEOVER = "UPDATE lease SET holder = 'successor' WHERE token = %s"


@dataclass(frozen=True)
class Fence:
    """A way to fence a transaction."""

    name: str
    lock: str | None
    at_start: bool = False

    @property
    def statement(self) -> str:
        return f"SELECT 1 FROM lease WHERE token = %s {self.lock}"


NONE = Fence("no fence", None)
SHARE_FIRST = Fence("FOR SHARE at the start", "FOR SHARE", at_start=True)
SHARE_LAST = Fence("FOR SHARE last", "FOR SHARE")
KEY_SHARE_LAST = Fence("FOR KEY SHARE last (ours)", "FOR KEY SHARE")
FENCES = (NONE, SHARE_FIRST, SHARE_LAST, KEY_SHARE_LAST)


def run(database: Database, quick: bool) -> Sequence[Section]:
    """Heartbeats under fencing transactions; successors of a stopped holder; does it fence?"""
    database.execute(
        "CREATE TABLE IF NOT EXISTS fence_work (id bigint GENERATED ALWAYS AS IDENTITY)"
    )
    long = f"{WORKERS} processes commit fenced transactions of {WORK_SECONDS * 1000:.0f} ms each"
    short = f"{WORKERS} processes commit fenced transactions of one INSERT each"
    return [
        _heartbeats(database, quick, WORK, long),
        _heartbeats(database, quick, WRITE, short),
        _stopped_holders(database),
        _soundness(database),
    ]


def _heartbeats(database: Database, quick: bool, work: str, load: str) -> Section:
    section = Section(
        "The fence: heartbeats under " + ("long" if work == WORK else "short") + " transactions",
        "ms",
        f"Latency of the heartbeat's UPDATE while {load}, without a pause.",
        digits=1,
    )
    rounds, seconds = (2, 2.0) if quick else (5, 3.0)
    latencies: dict[Fence, list[float]] = {fence: [] for fence in FENCES}
    commits: dict[Fence, list[float]] = {fence: [] for fence in FENCES}
    for _ in range(rounds):
        for fence in FENCES:
            found, committed = _one_heartbeat_round(database, fence, work, seconds)
            latencies[fence] += found
            commits[fence].append(committed)
    for fence in FENCES:
        series = Series(tuple(latencies[fence]))
        rate = Series(tuple(commits[fence])).median
        section.rows.append(Row(fence.name, series, f"{rate:,.0f} transactions/s meanwhile"))
        progress(f"{fence.name}: median {series.median:.1f} ms, max {series.highest:.1f} ms")
    return section


def _one_heartbeat_round(
    database: Database, fence: Fence, work: str, seconds: float
) -> tuple[list[float], float]:
    with database.connect() as connection:
        token = _new_lease(connection)
    context = multiprocessing.get_context("fork")
    stop = context.Event()
    done = [context.Value("i", 0) for _ in range(WORKERS)]
    workers = [
        context.Process(target=_work, args=(database, fence, work, token, stop, count))
        for count in done
    ]
    for worker in workers:
        worker.start()
    latencies: list[float] = []
    try:
        with database.connect() as connection:
            time.sleep(0.3)
            before, began = sum(count.value for count in done), time.perf_counter()
            while time.perf_counter() - began < seconds:
                latencies.append(1000 * _timed(lambda: connection.execute(HEARTBEAT, (token,))))
                time.sleep(HEARTBEAT_PAUSE)
            rate = (sum(count.value for count in done) - before) / (time.perf_counter() - began)
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    return latencies, rate


def _work(database: Database, fence: Fence, work: str, token: int, stop: Event, count: Any) -> None:
    with database.connect(autocommit=False) as connection:
        while not stop.is_set():
            _fenced(connection, fence, token, work)
            connection.commit()
            count.value += 1


def _fenced(connection: psycopg.Connection, fence: Fence, token: int, work: str = WORK) -> bool:
    """Do the work in an open transaction; whether the fence held."""
    held = True
    if fence.lock and fence.at_start:
        held = connection.execute(fence.statement, (token,)).fetchone() is not None
    connection.execute(work)
    if fence.lock and not fence.at_start:
        held = connection.execute(fence.statement, (token,)).fetchone() is not None
    return held


def _stopped_holders(database: Database) -> Section:
    section = Section(
        "The fence: how long a stopped holder keeps its successor waiting",
        "ms",
        "The holder's process stops in the middle of a transaction, its connection open, its lease "
        f"past its end; idle_in_transaction_session_timeout is {IDLE_LIMIT_SECONDS} s here. "
        "The successor takes over by DELETE.",
        digits=1,
    )
    places = ("during its work", "between fence and COMMIT")
    for fence in FENCES[1:]:
        for place in places:
            found: Result
            if fence.at_start and place != places[0]:
                found = Missing("the same: it holds the lock from the start")
            else:
                found = Series(
                    tuple(
                        _successor_waits(database, fence, fenced=place == places[1])
                        for _ in range(3)
                    )
                )
                progress(f"{fence.name}, {place}: {found.median:.1f} ms")
            section.rows.append(Row(f"{fence.name}, stopped {place}", found))
    ended = Series(
        tuple(
            _successor_waits(database, KEY_SHARE_LAST, fenced=True, ends_session=True)
            for _ in range(3)
        )
    )
    name = f"{KEY_SHARE_LAST.name}, stopped {places[1]}, its session ended by the successor"
    section.rows.append(Row(name, ended, "what a takeover does"))
    return section


def _successor_waits(
    database: Database, fence: Fence, *, fenced: bool, ends_session: bool = False
) -> float:
    with (
        database.connect(autocommit=False) as holder,
        database.connect() as successor,
    ):
        token = _new_lease(successor)
        holder.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_LIMIT_SECONDS}s'")
        holder.commit()
        if fence.at_start or fenced:
            _fenced(holder, fence, token)
        else:
            holder.execute(WORK)

        def take_over() -> None:
            if ends_session:
                successor.execute(END_SESSION, (holder.info.backend_pid,))
            successor.execute(DELETE_TAKEOVER, (token,))

        waited = 1000 * _timed(take_over)
        _quietly(holder.rollback)
    return waited


def _soundness(database: Database) -> Section:
    section = Section(
        "The fence: does it fence?",
        "",
        "Two transactions, a holder's and a successor's, in the two orders that matter.",
    )
    verdicts = []
    for lock in ("FOR SHARE", "FOR KEY SHARE"):
        for takeover, name in ((DELETE_TAKEOVER, "DELETE"), (UPDATE_TAKEOVER, "UPDATE")):
            fence = Fence(lock, lock)
            waits = _takeover_waits_for_fence(database, fence, takeover)
            late = _late_fence_holds(database, fence, takeover)
            sound = waits and not late
            found = (
                f"a takeover by {name} {'waits' if waits else 'does not wait'} for a fenced "
                f"transaction to end; a fence after it finds {'its' if late else 'no'} row"
            )
            verdicts.append(f"- {lock}: {found}: **{'fences' if sound else 'does not fence'}**")
            progress(f"{lock}: {found}")
    section.notes.append("\n".join(verdicts))
    return section


def _takeover_waits_for_fence(database: Database, fence: Fence, takeover: str) -> bool:
    with database.connect(autocommit=False) as holder, database.connect() as successor:
        token = _new_lease(successor)
        _fenced(holder, fence, token)
        taken = threading.Event()

        def take_over() -> None:
            successor.execute(takeover, (token,))
            taken.set()

        thread = threading.Thread(target=take_over)
        thread.start()
        waited = not taken.wait(0.5)
        holder.commit()
        thread.join()
    return waited


def _late_fence_holds(database: Database, fence: Fence, takeover: str) -> bool:
    with database.connect(autocommit=False) as holder, database.connect() as successor:
        token = _new_lease(successor)
        holder.execute(WORK)
        successor.execute(takeover, (token,))
        held = _fenced(holder, fence, token)
        holder.rollback()
    return held


def _new_lease(connection: psycopg.Connection) -> int:
    connection.execute("DELETE FROM lease WHERE key = 'bench.fence'")
    row = connection.execute(NEW_LEASE).fetchone()
    assert row is not None
    return row[0]


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _quietly(action: Callable[[], object]) -> None:
    # The server has cut the connection: that is what was measured.
    with contextlib.suppress(psycopg.Error):
        action()

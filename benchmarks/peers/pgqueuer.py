"""PgQueuer: asyncpg, batches of 500, completions buffered; its fastest setting."""

import time
from collections.abc import Awaitable, Callable

import asyncpg
from pgqueuer.models import Job
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

from benchmarks.peers.protocol import Clock, main

BATCH = 500
TABLES = ("pgqueuer", "pgqueuer_log", "pgqueuer_statistics")


class PgQueuer:
    """See `benchmarks.peers.protocol.Peer`."""

    async def install(self, url: str) -> None:
        connection = await asyncpg.connect(url)
        await Queries.from_asyncpg_connection(connection).install()
        await connection.close()

    async def fill(self, url: str, count: int) -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(f"TRUNCATE {', '.join(TABLES)}")
        await _enqueue(Queries.from_asyncpg_connection(connection), count, 1000)
        await connection.close()

    async def work(self, url: str, clock: Clock, ready: Callable[[], Awaitable[None]]) -> None:
        connection = await asyncpg.connect(url)
        manager = QueueManager(Queries.from_asyncpg_connection(connection))

        @manager.entrypoint("noop")
        async def noop(job: Job) -> None:  # noqa: ARG001 - the library hands it in
            clock.tick()

        await ready()
        await manager.run(batch_size=BATCH, mode=QueueExecutionMode.drain)

    async def enqueue(self, url: str, count: int, bulk: int) -> float:
        connection = await asyncpg.connect(url)
        queries = Queries.from_asyncpg_connection(connection)
        began = time.perf_counter()
        await _enqueue(queries, count, bulk)
        seconds = time.perf_counter() - began
        await connection.close()
        return seconds


async def _enqueue(queries: Queries, count: int, bulk: int) -> None:
    for start in range(0, count, bulk):
        size = min(bulk, count - start)
        if size == 1:
            await queries.enqueue("noop", b'{"n": 1}')
        else:
            await queries.enqueue(["noop"] * size, [b'{"n": 1}'] * size, [0] * size)


if __name__ == "__main__":
    main(PgQueuer())

"""Chancy: its asyncio executor, 100 jobs at once (more are no faster), polling eagerly."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from chancy import Chancy, Queue, Worker, job

from benchmarks.peers.protocol import Clock, main

CONCURRENCY = 100
POLL_SECONDS = 0.005
LEFT = "SELECT count(*) FROM chancy_jobs WHERE state NOT IN ('succeeded', 'failed')"

clock = Clock()


@job()
async def noop(*, n: int) -> None:  # noqa: ARG001 - a payload of the same shape
    clock.tick()


class ChancyPeer:
    """See `benchmarks.peers.protocol.Peer`."""

    async def install(self, url: str) -> None:
        async with _chancy(url) as chancy:
            await chancy.migrate()
            await chancy.declare(_queue(), upsert=True)

    async def fill(self, url: str, count: int) -> None:
        async with _chancy(url) as chancy:
            async with chancy.pool.connection() as connection:
                await connection.execute("TRUNCATE chancy_jobs")
            await _enqueue(chancy, count, 1000)

    async def work(
        self,
        url: str,
        given: Clock,
        ready: Callable[[], Awaitable[None]],
    ) -> None:
        global clock
        import benchmarks.peers.chancy as imported

        clock = imported.clock = given
        async with _chancy(url) as chancy:
            await ready()
            async with (
                Worker(chancy, register_signal_handlers=False),
                chancy.pool.connection() as connection,
            ):
                await connection.set_autocommit(True)
                while await _left(connection):
                    await asyncio.sleep(POLL_SECONDS)

    async def enqueue(self, url: str, count: int, bulk: int) -> float:
        async with _chancy(url) as chancy:
            began = time.perf_counter()
            await _enqueue(chancy, count, bulk)
            return time.perf_counter() - began


def _chancy(url: str) -> Chancy:
    log = logging.getLogger("chancy")
    log.setLevel(logging.ERROR)
    return Chancy(url, log=log)


def _queue() -> Queue:
    return Queue(
        "default",
        concurrency=CONCURRENCY,
        executor=Chancy.Executor.Async,
        polling_interval=1,
        eager_polling=True,
    )


async def _left(connection) -> int:
    return (await (await connection.execute(LEFT)).fetchone())[0]


async def _enqueue(chancy: Chancy, count: int, bulk: int) -> None:
    one = noop.job.with_kwargs(n=1)
    if bulk == 1:
        for _ in range(count):
            await chancy.push(one)
        return
    async for _ in chancy.push_many([one] * count, batch_size=bulk):
        pass


if __name__ == "__main__":
    main(ChancyPeer())

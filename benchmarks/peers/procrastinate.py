"""Procrastinate: its psycopg connector and 10 jobs at once, as fast as any number from 1 to 30."""

import time
from collections.abc import Awaitable, Callable

from procrastinate import App, PsycopgConnector

from benchmarks.peers.protocol import Clock, main

CONCURRENCY = 10
TABLES = ("procrastinate_jobs", "procrastinate_events", "procrastinate_workers")


class Procrastinate:
    """See `benchmarks.peers.protocol.Peer`."""

    def __init__(self) -> None:
        self.clock = Clock()

    async def install(self, url: str) -> None:
        app = self._app(url)
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    async def fill(self, url: str, count: int) -> None:
        app = self._app(url)
        async with app.open_async():
            await app.connector.execute_query_async(f"TRUNCATE {', '.join(TABLES)} CASCADE")
            await _enqueue(app, count, 1000)

    async def work(
        self,
        url: str,
        clock: Clock,
        ready: Callable[[], Awaitable[None]],
    ) -> None:
        self.clock = clock
        app = self._app(url)
        async with app.open_async():
            await ready()
            await app.run_worker_async(
                wait=False,
                concurrency=CONCURRENCY,
                install_signal_handlers=False,
                listen_notify=False,
            )

    async def enqueue(self, url: str, count: int, bulk: int) -> float:
        app = self._app(url)
        async with app.open_async():
            began = time.perf_counter()
            await _enqueue(app, count, bulk)
            return time.perf_counter() - began

    def _app(self, url: str) -> App:
        app = App(connector=PsycopgConnector(conninfo=url))

        @app.task(name="noop")
        async def noop(n: int) -> None:  # noqa: ARG001 - a payload of the same shape
            self.clock.tick()

        return app


async def _enqueue(app: App, count: int, bulk: int) -> None:
    task = app.tasks["noop"]
    for start in range(0, count, bulk):
        size = min(bulk, count - start)
        if size == 1:
            await task.defer_async(n=1)
        else:
            await task.batch_defer_async(*[{"n": 1}] * size)


if __name__ == "__main__":
    main(Procrastinate())

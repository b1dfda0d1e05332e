"""A run as the worker sees it, without supervisor or command line."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import structlog

from cronops.config import Settings
from cronops.db.connect import connect
from cronops.queue.message import Message

ADD_LEASE = """
INSERT INTO lease (key, shared, owner_token, run_id, job, holder, expires_at)
VALUES (%s, true, 0, 'run', 'queue process', 'test', clock_timestamp() + %s * interval '1 second')
RETURNING token
"""


class PlainContext:
    """What handlers get: the psycopg connection as `db`, opened when first used."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self.in_transaction = False
        self.message: Message | None = None

    def use(self, message: Message) -> None:
        self.message = message

    @property
    def db(self) -> psycopg.Connection:
        self.begin()
        return self._connection

    def begin(self) -> None:
        if not self.in_transaction:
            self._connection.execute("BEGIN", prepare=False)
            self.in_transaction = True

    def commit(self) -> None:
        self._end(self._connection.commit)

    def rollback(self) -> None:
        self._end(self._connection.rollback)

    def _end(self, how: Callable[[], None]) -> None:
        if not self.in_transaction:
            return
        self.in_transaction = False
        if not self._connection.closed:
            how()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        self.begin()
        with self._connection.transaction():
            yield


class PlainHost:
    """Fulfils `WorkerHost`."""

    def __init__(self, settings: Settings, *, worker: int = 0, token: int | None = None) -> None:
        self.settings = settings
        self.worker = worker
        self.run_id = "run"
        self.correlation_id = "correlation"
        self.log = structlog.get_logger()
        self.stopping = False
        self.counts: dict[str, int] = {}
        self.units: list[tuple[int, float] | None] = []
        self.connections: list[psycopg.Connection] = []
        self.tokens = [self._lease() if token is None else token]

    def _lease(self) -> int:
        with connect(self.settings, "test") as connection:
            row = connection.execute(ADD_LEASE, ("cron.queue.process", 300)).fetchone()
        assert row
        return int(row[0])

    def connect(self, purpose: str) -> psycopg.Connection:
        connection = connect(self.settings, purpose)
        self.connections.append(connection)
        return connection

    def handler_context(self, connection: psycopg.Connection) -> PlainContext:
        return PlainContext(connection)

    def begin_unit(self, unit: int, seconds: float) -> None:
        self.units.append((unit, seconds))

    def end_unit(self) -> None:
        self.units.append(None)

    def count(self, name: str, by: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + by

    def progress(self, done: int, total: int | None = None) -> None:
        pass

    def pause(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < until:
            time.sleep(min(0.01, seconds))
        return not self.stopping

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the worker asked its host for {name}")

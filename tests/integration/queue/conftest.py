"""A queue on a real PostgreSQL, and workers in this process to work it."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cronops.queue.handler import Handler, handler
from cronops.queue.tally import Tally
from cronops.queue.worker import WorkOptions, work_queue
from tests.commands import CommandLine
from tests.databases import Database
from tests.integration.queue.faults import Faults
from tests.integration.queue.worker_host import PlainHost


class Bed:
    """A database with a queue, the handlers of a test, and what was told of crashes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.handlers: dict[str, Handler] = {}
        self.crashes: list[tuple[str, tuple[str, ...], int, str]] = []
        self.query("CREATE TABLE public.effect (message_id bigint, note text)")

    def query(self, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        return self.database.query(statement, parameters)

    def handle(self, name: str, **declared: Any) -> Callable[[Any], Handler]:
        """Declare a handler for this test."""
        declared = {
            "timeout": timedelta(seconds=30),
            "accountable": "Vehicle Data",
            **declared,
        }

        def declare(function: Any) -> Handler:
            made = self.handlers[name] = handler(name, **declared)(function)
            return made

        return declare

    def add(self, handler_name: str, count: int = 1, **columns: Any) -> list[int]:
        """Insert messages as any program would; their ids."""
        columns = {"handler": handler_name, **columns}
        if "payload" in columns:
            columns["payload"] = json.dumps(columns["payload"])
        names = ", ".join(columns)
        values = ", ".join(f"%({name})s" for name in columns)
        rows = self.query(
            f"INSERT INTO queue_message ({names}) SELECT {values} FROM generate_series(1, {count})"
            " RETURNING id",
            columns,
        )
        return [row[0] for row in rows]

    def host(self, *, worker: int = 0, token: int | None = None, **settings: Any) -> PlainHost:
        return PlainHost(self.database.settings(**settings), worker=worker, token=token)

    def work(self, host: PlainHost | None = None, **options: Any) -> Tally:
        """Work the queue until it is empty."""
        return work_queue(
            host or self.host(),
            WorkOptions(**options),
            find_handler=self.handlers.__getitem__,
            on_crash=self._on_crash,
        )

    def start(self, host: PlainHost, **options: Any) -> "Running":
        """Work the queue in a thread."""
        return Running(lambda: self.work(host, **options))

    def counts(self) -> dict[str, int]:
        """Messages per status."""
        return dict(self.query("SELECT status, count(*) FROM queue_message GROUP BY status"))

    def row(self, message_id: int) -> dict[str, Any]:
        """One message's row."""
        found = self.query("SELECT to_jsonb(m) FROM queue_message m WHERE id = %s", (message_id,))
        row: dict[str, Any] = found[0][0]
        return row

    def effects(self) -> dict[int, int]:
        """Effects per message."""
        return dict(
            self.query("SELECT message_id, count(*) FROM public.effect GROUP BY message_id")
        )

    def _on_crash(
        self, connection: Any, name: str, owners: tuple[str, ...], message_id: int, error: str
    ) -> None:
        assert connection.info.transaction_status.name == "INTRANS"
        self.crashes.append((name, owners, message_id, error))


class Running:
    """A worker in a thread; `result` waits for it and raises what it raised."""

    def __init__(self, work: Callable[[], Tally]) -> None:
        self._tally: Tally | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,))
        self._thread.start()

    def _run(self, work: Callable[[], Tally]) -> None:
        try:
            self._tally = work()
        except BaseException as error:
            self._error = error

    def result(self, timeout: float = 60) -> Tally:
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "the worker did not end"
        if self._error is not None:
            raise self._error
        assert self._tally is not None
        return self._tally


@pytest.fixture
def bed(database: Database) -> Bed:
    return Bed(database)


@pytest.fixture
def faults(cli: CommandLine, probe: Path, database: Database, tmp_path: Path) -> Faults:
    return Faults(cli, database, tmp_path)


def write_effect(ctx: Any, message: Any) -> None:
    """A handler's body: one row in the database for each message handled."""
    ctx.db.execute("INSERT INTO public.effect (message_id) VALUES (%s)", (message.id,))

"""A stage for faults: real runs of ``cronops queue process``, and what they leave behind."""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cronops.contract.process import descendants
from tests.commands import CommandLine
from tests.databases import Database

AMPLE_SECONDS = 60.0
QUICK = {
    # A machine may be too busy to renew a shorter one.
    "CRONOPS_LOCK__TTL": "15",
    "CRONOPS_QUEUE__BACKOFF": "0.05",
    "CRONOPS_QUEUE__MAX_ATTEMPTS": "2",
    "CRONOPS_QUEUE__MAX_CRASHES": "2",
    "CRONOPS_LOG_FORMAT": "json",
}

# For runs that die with their lease: their successors wait for its end.
SHORT_LEASE = {"CRONOPS_LOCK__TTL": "2"}


class Faults:
    """Messages in, faults in the middle, the truth from the database at the end."""

    def __init__(self, cli: CommandLine, database: Database, directory: Path) -> None:
        self.cli = cli
        self.database = database
        self.directory = directory

    def query(self, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        return self.database.query(statement, parameters)

    def add(self, handler: str, count: int = 1, payload: Any = None, **columns: Any) -> list[int]:
        """Insert messages as any program would; their ids."""
        columns = {"handler": handler, "payload": json.dumps(payload or {}), **columns}
        values = ", ".join(f"%({name})s" for name in columns)
        rows = self.query(
            f"INSERT INTO queue_message ({', '.join(columns)}) SELECT {values}"
            f" FROM generate_series(1, {count}) RETURNING id",
            columns,
        )
        return [row[0] for row in rows]

    def process(self, *options: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """Run ``queue process`` to its end."""
        return self.cli("queue", "process", *options, env=QUICK | env, timeout=AMPLE_SECONDS)

    def start(self, *options: str, **env: str) -> "subprocess.Popen[str]":
        """Start ``queue process``."""
        return self.cli.start("queue", "process", *options, env=QUICK | env)

    def process_until_empty(self, *options: str, **env: str) -> None:
        """Undisturbed runs until nothing is unfinished."""

        def finished() -> bool:
            done = self.process(*options, **env)
            assert done.returncode == 0, done.stderr
            return not self.unfinished()

        wait_for(finished, "the queue to be empty")

    def unfinished(self) -> int:
        rows = self.query(
            "SELECT count(*) FROM queue_message WHERE status NOT IN ('PROCESSED', 'CRASH')"
        )
        return int(rows[0][0])

    def counts(self) -> dict[str, int]:
        """Messages per status."""
        return dict(self.query("SELECT status, count(*) FROM queue_message GROUP BY status"))

    def effects(self, note: str = "") -> dict[int, int]:
        """How often each message has written."""
        return dict(
            self.query(
                "SELECT message_id, count(*) FROM public.probe_effect"
                " WHERE coalesce(note, '') = %s GROUP BY message_id",
                (note,),
            )
        )

    def row(self, message_id: int) -> dict[str, Any]:
        """One message."""
        found = self.query("SELECT to_jsonb(m) FROM queue_message m WHERE id = %s", (message_id,))
        row: dict[str, Any] = found[0][0]
        return row

    def charges(self, ids: list[int]) -> set[tuple[str, int, int]]:
        """Status, attempts and crashes that occur among these messages."""
        return set(
            self.query(
                "SELECT status, attempts, crashes FROM queue_message WHERE id = ANY(%s)", (ids,)
            )
        )

    def last_run(self) -> dict[str, Any]:
        found = self.query("SELECT to_jsonb(r) FROM run r ORDER BY started_at DESC LIMIT 1")
        run: dict[str, Any] = found[0][0]
        return run

    def wait_for_status(self, status: str, count: int = 1) -> None:
        wait_for(lambda: self.counts().get(status, 0) >= count, f"{count} messages {status}")

    def gate(self) -> "Gate":
        """Where messages of ``{"do": "gate"}`` wait."""
        return Gate(self.directory / "started", self.directory / "until")

    def cut(self, purpose: str) -> None:
        """Cut the run's connections of that purpose; there must be one within the deadline."""
        wait_for(lambda: self._terminate(purpose), f"a connection {purpose!r}")

    def _terminate(self, purpose: str) -> int:
        return len(
            self.query(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND application_name LIKE %s",
                (f"cronops {purpose}",),
            )
        )


class Gate:
    """Handlers say that they are here, and wait until the gate is opened."""

    def __init__(self, started: Path, until: Path) -> None:
        self._started = started
        self._until = until

    @property
    def payload(self) -> dict[str, str]:
        return {"do": "gate", "started": str(self._started), "until": str(self._until)}

    @property
    def reached(self) -> list[int]:
        """The messages that have come, as often as they have come."""
        return [int(line) for line in self._lines()]

    def wait(self, count: int = 1) -> int:
        """Wait until so many have come; the last of them."""
        wait_for(lambda: len(self.reached) >= count, f"{count} handlers at the gate")
        return self.reached[-1]

    def open(self) -> None:
        self._until.touch()

    def close(self) -> None:
        self._until.unlink()

    def _lines(self) -> list[str]:
        return self._started.read_text().splitlines() if self._started.exists() else []


def wait_for(condition: Callable[[], Any], what: str, seconds: float = AMPLE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


def end_of(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait for its end; exit code, and all that it said."""
    out, err = process.communicate(timeout=AMPLE_SECONDS)
    return process.returncode, out + err


def kill_some(process: "subprocess.Popen[str]", chance: random.Random, whom: str) -> None:
    """SIGKILL a run's parent, one of its children, or both."""
    children = descendants(process.pid)
    victims = [chance.choice(children)] if children and whom != "parent" else []
    if whom != "child":
        victims.append(process.pid)
    for victim in victims:
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            continue


def is_gone(pid: int) -> bool:
    """Whether no living process has this id; a zombie does not live."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in ("Z", "X")

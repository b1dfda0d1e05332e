"""A stage for runs: real processes on a real database, and what can be seen of them outside."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from cronops.contract.process import descendants
from cronops.db.upgrade import upgrade
from tests.commands import CommandLine
from tests.databases import Database, OwnServer
from tests.servers import wait_until

QUICK = {"CRONOPS_SUPERVISOR__GRACE": "1"}
AMPLE_SECONDS = 60.0


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that it said."""
        return self.out + self.err


@dataclass(frozen=True)
class Gate:
    """Where a ``probe gate`` job waits: it says that it is there, and goes on when told."""

    started: Path
    until: Path

    @property
    def arguments(self) -> tuple[str, ...]:
        return (f"--started={self.started}", f"--until={self.until}")

    @property
    def is_reached(self) -> bool:
        return self.started.exists()

    @property
    def pid(self) -> int:
        """The worker process; waits until there is one."""
        wait_until(self.started.exists, AMPLE_SECONDS)
        return int(self.started.read_text())

    def open(self) -> None:
        self.until.touch()


class Stage:
    """Runs the command line, and looks at what is left of it."""

    def __init__(self, cli: CommandLine, database: Database, directory: Path) -> None:
        self.cli = cli
        self.database = database
        self.directory = directory
        self.receipt_path = directory / "receipt.json"
        self.environment = QUICK | {"CRONOPS_TERMINATION_LOG": str(self.receipt_path)}
        self._gates = 0

    def __call__(self, *arguments: str, **environment: str) -> Ended:
        """Run ``cronops ARGUMENTS`` to its end."""
        done = self.cli(*arguments, env=self.environment | environment)
        return Ended(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """Start it."""
        return self.cli.start(*arguments, env=self.environment | environment)

    def gate(self) -> Gate:
        """A new gate, closed."""
        self._gates += 1
        return Gate(
            self.directory / f"started-{self._gates}", self.directory / f"until-{self._gates}"
        )

    def query(self, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        return self.database.query(statement, parameters)

    def rows(self, statement: str, parameters: Any = None) -> list[dict[str, Any]]:
        with self.database.connect() as connection:
            return connection.cursor(row_factory=dict_row).execute(statement, parameters).fetchall()

    def runs(self, job: str) -> list[dict[str, Any]]:
        """The runs of `job`, the oldest first."""
        return self.rows("SELECT * FROM run WHERE job = %s ORDER BY started_at", (job,))

    def run(self, job: str) -> dict[str, Any]:
        """The only run of `job`."""
        (only,) = self.runs(job)
        return only

    def alerts(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM alert ORDER BY id")

    def told(self) -> list[tuple[str, str, str]]:
        """Kind, owner and role of every alert."""
        return [(row["kind"], row["owner"], row["role"]) for row in self.alerts()]

    def receipt(self) -> dict[str, Any]:
        """What Kubernetes would show as the container's message."""
        found: dict[str, Any] = json.loads(self.receipt_path.read_text())
        return found

    def effects(self) -> int:
        """How many rows the probe has committed."""
        return int(self.query("SELECT count(*) FROM public.probe_effect")[0][0])

    def hold(self, key: str, *, run_id: str = "somebody-else") -> None:
        """Take a lock, as a run elsewhere would."""
        self.query(
            "INSERT INTO lease (key, owner_token, run_id, job, holder, expires_at) VALUES"
            " (%s, 0, %s, 'other job', 'node-7 pid 1', clock_timestamp() + interval '1 hour')",
            (key, run_id),
        )

    def workers_of(self, process: "subprocess.Popen[str]") -> list[int]:
        """Every process below a run's."""
        return descendants(process.pid)

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    def expire_leases(self) -> None:
        """Let the leases' time pass."""
        self.query("UPDATE lease SET expires_at = clock_timestamp()")

    def sessions(self, purpose: str) -> list[int]:
        """The server processes of connections whose name contains `purpose`."""
        found = self.query(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE %s",
            (f"cronops %{purpose}%",),
        )
        return [pid for (pid,) in found]

    def wait_for_session(self, purpose: str, count: int = 1) -> None:
        wait_until(lambda: len(self.sessions(purpose)) >= count, AMPLE_SECONDS)

    def wait_for_refusal(self) -> None:
        """Wait until a run has found its lock held, and is between two attempts to get it."""
        asked = (
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'cronops supervisor' AND state = 'idle'"
            " AND query = 'ROLLBACK'"
        )
        wait_until(lambda: bool(self.query(asked)), AMPLE_SECONDS)

    def cut(self, purpose: str) -> None:
        """Cut the connections whose name contains `purpose`; there must be one."""
        self.wait_for_session(purpose)
        for pid in self.sessions(purpose):
            self.query("SELECT pg_terminate_backend(%s, 10000)", (pid,))

    def blocked_sessions(self) -> int:
        """How many connections wait for somebody else's lock."""
        rows = self.query(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND cardinality(pg_blocking_pids(pid)) > 0"
        )
        return int(rows[0][0])


@pytest.fixture
def stage(cli: CommandLine, probe: Path, database: Database, tmp_path: Path) -> Stage:
    return Stage(cli, database, tmp_path)


@pytest.fixture
def own_stage(own_server: OwnServer, probe_package: Path, tmp_path: Path) -> Iterator[Stage]:
    """A stage whose server the test may stop and start."""
    database = Database(own_server.url, tmp_path)
    database.env["PYTHONPATH"] = str(probe_package)
    upgrade(database.settings())
    cli = CommandLine(database, tmp_path)
    yield Stage(cli, database, tmp_path)
    cli.close()
    database.close()


@pytest.fixture
def at_start(stage: Stage, tmp_path: Path) -> Callable[[str], None]:
    """Has every process of the stage execute some lines before anything else."""

    def install(code: str) -> None:
        directory = tmp_path / "at-start"
        directory.mkdir()
        (directory / "sitecustomize.py").write_text(code)
        inherited = stage.database.env["PYTHONPATH"]
        stage.database.env["PYTHONPATH"] = f"{directory}{os.pathsep}{inherited}"

    return install


@pytest.fixture
def blocker(database: Database) -> Iterator[psycopg.Connection]:
    """A connection for holding rows that a run will want."""
    with database.connect() as connection:
        yield connection


def end_of(process: "subprocess.Popen[str]") -> Ended:
    """Wait for the process's end."""
    out, err = process.communicate(timeout=AMPLE_SECONDS)
    return Ended(process.returncode, out, err)


def is_gone(pid: int) -> bool:
    """Whether no living process has this id; a zombie does not live."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in ("Z", "X")


def wait_until_gone(pid: int) -> None:
    wait_until(lambda: is_gone(pid), AMPLE_SECONDS)


def worker_of(process: "subprocess.Popen[str]") -> int:
    """The worker process below a run's process, as soon as there is one."""
    found: list[int] = []

    def look() -> bool:
        found[:] = descendants(process.pid)
        return bool(found)

    wait_until(look, AMPLE_SECONDS)
    return found[0]


def hears(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler for the signal."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) & (1 << (number - 1)))
    return False

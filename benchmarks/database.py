"""The PostgreSQL that everything is measured on: a fresh embedded one, durable as by default."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from cronops.db.embedded import embedded_url, stop_embedded

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Database:
    """One database on one server, migrated; raw tables and peers live in it too."""

    url: str
    scratch: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment of our own processes: this database, quiet logs, no gateway."""
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("CRONOPS_") and key != "PYTHONDONTWRITEBYTECODE"
        }
        return {
            **kept,
            "CRONOPS_DATABASE_URL": self.url,
            "CRONOPS_LOG_LEVEL": "warning",
            "CRONOPS_LOG_FORMAT": "json",
            "PYTHONPATH": os.pathsep.join((str(self.scratch / "handlers"), str(ROOT))),
        }

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection:
        """A connection whose search path starts with our schema."""
        return psycopg.connect(
            self.url, autocommit=autocommit, options="-c search_path=cronops,public"
        )

    def execute(self, statement: str) -> None:
        """Run a statement on a connection of its own."""
        with self.connect() as connection:
            connection.execute(statement)

    @contextmanager
    def sibling(self, name: str) -> Iterator["Database"]:
        """A further migrated database on the same server, dropped afterwards."""
        yield create_database(self.url, name, self.scratch)
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def settle(self, *tables: str) -> None:
        """Put the server into the same state before each measurement."""
        with self.connect() as connection:
            for table in tables:
                connection.execute(f"VACUUM (ANALYZE) {table}")
            connection.execute("CHECKPOINT")


@contextmanager
def temporary_database() -> Iterator[Database]:
    """A migrated database on a server of its own; both gone afterwards."""
    scratch = Path(tempfile.mkdtemp(prefix="cronops-bench-"))
    scratch.chmod(0o755)  # the server may run as a user of its own
    try:
        yield create_database(embedded_url(scratch / "data"), "bench", scratch)
    finally:
        stop_embedded(scratch / "data")
        shutil.rmtree(scratch, ignore_errors=True)


def create_database(server: str, name: str, scratch: Path) -> Database:
    """A new, migrated database on `server`."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    database = Database(urlunsplit(urlsplit(server)._replace(path=f"/{name}")), scratch)
    subprocess.run(
        [sys.executable, "-m", "cronops", "db", "upgrade"],
        env=database.env,
        check=True,
        capture_output=True,
    )
    return database

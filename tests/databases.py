"""Databases for tests: one server a session, one migrated template, one clone a test."""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from cronops.config import Settings
from cronops.db.connect import connect
from cronops.db.embedded import embedded_url, stop_embedded
from tests.places import quick_directory

SERVER_URL_VARIABLE = "CRONOPS_TEST_DATABASE_URL"

# Nothing a test leaves behind has to survive a power cut.
FAST_AND_FORGETFUL = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "max_wal_senders": "0",
    "wal_level": "minimal",
}

# What the shell or a pod may set, and what would make a test's outcome depend on it.
FOREIGN_VARIABLES = (
    "JOB_COMPLETION_INDEX",
    "KUBERNETES_SERVICE_HOST",
    "LOGNAME",
    "SUDO_USER",
    "USER",
)


def clean_environment() -> dict[str, str]:
    """This process's environment without anything that configures cronops."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CRONOPS_") and name not in FOREIGN_VARIABLES
    }


def with_database(url: str, name: str) -> str:
    """`url` with its database replaced."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


class Database:
    """A migrated database of a test's own."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self.url = url
        self.data_dir = data_dir
        self.env = clean_environment() | {
            "CRONOPS_DATABASE_URL": url,
            "CRONOPS_DATA_DIR": str(data_dir),
            "CRONOPS_ENVIRONMENT": "test",
            "NO_COLOR": "1",
            "COLUMNS": "160",
        }
        self._connection: psycopg.Connection | None = None

    def settings(self, **overrides: Any) -> Settings:
        """Settings for this database; `overrides` follow the model: ``lock={"ttl": 2}``."""
        values: dict[str, Any] = {
            "database_url": self.url,
            "data_dir": self.data_dir,
            "environment": "test",
        }
        return Settings(**_merged(values, overrides))

    def connect(self) -> psycopg.Connection:
        """A new connection: autocommit, our schema first."""
        return connect(self.settings(), "test")

    def query(self, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Execute on a connection kept for the test; its rows, or none."""
        if self._connection is None or self._connection.closed:
            self._connection = self.connect()
        cursor = self._connection.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Close the connection of `query`."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class OwnServer:
    """An embedded server of a test's own, which it may stop and start as it likes."""

    def __init__(self) -> None:
        self.data_dir = quick_directory("cronops-own-")
        self.url = self.start()

    def start(self) -> str:
        """Start it where it does not run; its URL stays the same."""
        return embedded_url(self.data_dir)

    def stop(self) -> None:
        """Stop it, cutting every connection."""
        stop_embedded(self.data_dir)

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Stop it and delete its data."""
        self.stop()
        shutil.rmtree(self.data_dir, ignore_errors=True)


class SharedServer:
    """The session's server, shared by all xdist workers through a directory.

    Whoever needs it first starts it; the process that made the directory ends it.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._facts_file = directory / "server.json"

    def template(self) -> tuple[str, str]:
        """The server's URL and the migrated template's name, both made when first asked for."""
        with _locked(self.directory / "lock"):
            if not self._facts_file.exists():
                url = os.environ.get(SERVER_URL_VARIABLE) or self._start()
                facts = {"url": url, "template": f"cronops_template_{secrets.token_hex(4)}"}
                # Written first, so that a template that fails to migrate is removed as well.
                self._facts_file.write_text(json.dumps(facts))
                _make_template(facts["url"], facts["template"], self.directory)
        facts = json.loads(self._facts_file.read_text())
        return facts["url"], facts["template"]

    def remove(self) -> None:
        """Drop the template, stop the server where it is ours, delete the directory."""
        if self._facts_file.exists():
            facts = json.loads(self._facts_file.read_text())
            if os.environ.get(SERVER_URL_VARIABLE):
                drop_database(facts["url"], facts["template"])
            else:
                stop_embedded(self.directory)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _start(self) -> str:
        with psycopg.connect(embedded_url(self.directory), autocommit=True) as connection:
            for name, value in FAST_AND_FORGETFUL.items():
                connection.execute(f"ALTER SYSTEM SET {name} = {value}")
        stop_embedded(self.directory)
        return embedded_url(self.directory)


def clone_database(server_url: str, template: str) -> str:
    """A new database made from `template`; its URL."""
    name = f"cronops_test_{secrets.token_hex(6)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        # Through the log, which is the default from 15 on, it takes twice as long.
        is_choice = connection.info.server_version >= 150000
        how = sql.SQL("STRATEGY file_copy" if is_choice else "")
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} {}").format(
                sql.Identifier(name), sql.Identifier(template), how
            )
        )
    return with_database(server_url, name)


def drop_database(server_url: str, name: str) -> None:
    """Drop a database, whoever is still connected to it."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


def _make_template(server_url: str, name: str, data_dir: Path) -> None:
    from cronops.db.upgrade import upgrade

    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        upgrade(Database(with_database(server_url, name), data_dir).settings())
        # A template that somebody is connected to, autovacuum for one, cannot be cloned.
        connection.execute(
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name))
        )


def _merged(values: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(values)
    for name, value in overrides.items():
        known = result.get(name)
        both_groups = isinstance(known, Mapping) and isinstance(value, Mapping)
        result[name] = _merged(known, value) if both_groups else value
    return result


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

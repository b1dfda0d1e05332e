"""A shop whose pages are looked at, and the command that counts."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from cronops.db.shop import create_shop
from tests.commands import CommandLine
from tests.databases import Database

JOB = ("dwh", "update-counters")
HIT = (
    "INSERT INTO pagehit (ts, tenant, article, path, session_hash, is_bot)"
    " VALUES (%(ts)s, %(tenant)s, %(article)s, '/', %(session)s, %(is_bot)s)"
)


def hit(ts: str, **facts: Any) -> dict[str, Any]:
    """The values of one hit."""
    given = {"tenant": "nord", "article": None, "session": "s1", "is_bot": False}
    return {**given, "ts": ts, **facts}


class Hits:
    """Hits, and the counters made of them."""

    def __init__(self, database: Database, cli: CommandLine) -> None:
        self.database = database
        self.cli = cli
        self.env: dict[str, str] = {}
        with database.connect() as connection:
            create_shop(connection, database.settings().db.shop_schema)

    def add(self, ts: str, **facts: Any) -> None:
        """One hit; `ts` as PostgreSQL reads it."""
        self.database.query(HIT, hit(ts, **facts))

    def count(
        self, *options: str, env: Mapping[str, str] | None = None, code: int = 0
    ) -> "subprocess.CompletedProcess[str]":
        """The job, which is to end with `code`."""
        done = self.cli(*JOB, *options, env=self.env | dict(env or {}))
        assert done.returncode == code, done.stderr
        return done

    def counters(self, metric: str | None = None) -> dict[tuple[str, ...], int]:
        """Value by day, tenant, metric and subject; by day alone where a metric is asked for."""
        rows = self.database.query(
            "SELECT period::text, tenant, metric, subject, value FROM counter"
        )
        if metric is None:
            return {(*key,): value for *key, value in rows}
        return {(day,): value for day, _, of, _, value in rows if of == metric}

    def views(self) -> dict[str, int]:
        """Views by day."""
        return {day: value for (day,), value in self.counters("views").items()}

    def json(self, *command: str) -> Any:
        """An operator's command's JSON."""
        done = self.cli(*command, "--json", env=self.env)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def hits(database: Database, cli: CommandLine) -> Hits:
    """A shop without hits."""
    return Hits(database, cli)

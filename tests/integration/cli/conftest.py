"""Short ways to call the command line and to look at what it printed."""

import json
from typing import Any

import pytest

from tests.commands import CommandLine


class Operator:
    """Somebody at a terminal without a terminal."""

    def __init__(self, cli: CommandLine) -> None:
        self._cli = cli

    def do(self, *words: str, **options: Any) -> str:
        """What a command that succeeds prints."""
        done = self._cli(*words, env={"CRONOPS_OPERATOR": "ada"}, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *words: str, **options: Any) -> Any:
        """The same with ``--json``."""
        return json.loads(self.do(*words, "--json", **options))

    def fail(self, *words: str, **options: Any) -> tuple[int, str]:
        """Exit code and complaint of a command that fails, having printed no result."""
        done = self._cli(*words, env={"CRONOPS_OPERATOR": "ada"}, **options)
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
        return done.returncode, done.stderr

    def audited(self) -> list[tuple[str, str, str | None]]:
        """Action, subject and reason of what this operator changed, in order."""
        rows = self._cli.database.query(
            "SELECT action, subject, reason FROM audit WHERE actor = 'ada' ORDER BY id"
        )
        return [(row[0], row[1], row[2]) for row in rows]


@pytest.fixture
def operator(cli: CommandLine) -> Operator:
    return Operator(cli)

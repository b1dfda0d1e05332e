"""What every scenario may say: the world it happens in, commands that are run, how they ended.

Each feature of `features/` has a module ``test_<feature>.py`` beside this one, which binds its
scenarios and says what only it says. A step drives what a user drives: the command line, in a
process of its own; real servers; a real PostgreSQL.
"""

import json
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pytest_bdd import given, parsers, then, when

from cronops.db.shop import create_shop
from cronops.samples.articles import fill_shop
from tests.commands import CommandLine
from tests.databases import Database


@dataclass
class World:
    """What a scenario's steps hand on to each other."""

    database: Database
    cli: CommandLine
    directory: Path
    """The scenario's own, empty at first."""
    environment: dict[str, str] = field(default_factory=dict)
    """Settings of every command that is run from here on."""
    done: subprocess.CompletedProcess[str] | None = None
    """The last command that came to its end."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What else a step leaves for a later one."""

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run ``cronops`` with these words, to its end."""
        self.done = self.cli(*shlex.split(command), env=self.environment)
        return self.done

    @property
    def ended(self) -> subprocess.CompletedProcess[str]:
        """The last command; there has to be one."""
        assert self.done is not None, "no command was run yet"
        return self.done


@pytest.fixture
def world(database: Database, cli: CommandLine, tmp_path: Path) -> World:
    """A migrated database, the command line, a directory."""
    directory = tmp_path / "world"
    directory.mkdir()
    return World(database, cli, directory)


@given("a shop with articles")
def shop_with_articles(world: World) -> None:
    with world.database.connect() as connection:
        create_shop(connection, world.database.settings().db.shop_schema)
        fill_shop(connection, 200)


@when(parsers.re(r"(?P<who>.+) runs `cronops (?P<command>[^`]+)`"))
def run(world: World, who: str, command: str) -> None:
    world.run(command)


@then("the run succeeds")
def succeeded(world: World) -> None:
    assert world.ended.returncode == 0, world.ended.stderr
    assert _last_outcome(world) == "succeeded"


@then("the run is skipped")
def skipped(world: World) -> None:
    assert world.ended.returncode == 0, world.ended.stderr
    assert _last_outcome(world) == "skipped"


@then("the run fails")
def failed(world: World) -> None:
    assert world.ended.returncode == 1, world.ended.stderr
    assert _last_outcome(world) == "failed"


@then(parsers.parse("the command exits with {code:d}"))
def exited(world: World, code: int) -> None:
    assert world.ended.returncode == code, world.ended.stderr


@then(parsers.parse('it says "{text}"'))
def says(world: World, text: str) -> None:
    assert text in world.ended.stdout + world.ended.stderr


@then(parsers.parse('its JSON says that "{key}" is {value}'))
def json_says(world: World, key: str, value: str) -> None:
    assert json.loads(world.ended.stdout)[key] == json.loads(value)


def _last_outcome(world: World) -> str:
    ((outcome,),) = world.database.query(
        "SELECT outcome FROM run ORDER BY started_at DESC, id DESC LIMIT 1"
    )
    return str(outcome)

"""The fixtures themselves: each test has a database, and a package of probes, to itself."""

import os
from importlib.metadata import distributions
from pathlib import Path

import pytest

from cronops.config import load_settings
from cronops.db.connect import check_schema
from tests.databases import SERVER_URL_VARIABLE, Database, OwnServer
from tests.tools import REQUIRE_TOOLS_VARIABLE


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_migrated_and_empty_database(database: Database, turn: int) -> None:
    with database.connect() as connection:
        check_schema(connection, database.settings())
        assert connection.execute("SELECT count(*) FROM queue_message").fetchone() == (0,)
        connection.execute("INSERT INTO queue_message (handler) VALUES ('sample.echo')")


def test_settings_take_overrides_by_the_models_structure(database: Database) -> None:
    settings = database.settings(lock={"ttl": 2}, db={"schema": "elsewhere"})

    assert settings.lock.ttl.total_seconds() == 2
    assert settings.db.schema_name == "elsewhere"
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == database.url


def test_the_environment_of_commands_selects_the_database(database: Database) -> None:
    loaded = load_settings(database.env)

    assert loaded.settings == database.settings()
    assert loaded.unknown_variables == ()


def test_nothing_of_the_developers_own_environment_is_left() -> None:
    left = [name for name in os.environ if name.startswith("CRONOPS_")]

    # What speaks to the tests themselves never reaches a command.
    assert set(left) <= {SERVER_URL_VARIABLE, REQUIRE_TOOLS_VARIABLE}


def test_the_probe_package_looks_installed(probe_package: Path) -> None:
    (found,) = distributions(path=[str(probe_package)])
    names = {(entry.group, entry.name, entry.value) for entry in found.entry_points}

    assert ("cronops.jobs", "probe.hang", "probe_pkg:hang") in names
    assert ("cronops.handlers", "probe.echo", "probe_pkg:echo") in names


def test_a_server_of_ones_own_survives_a_restart(own_server: OwnServer) -> None:
    before = own_server.url

    own_server.restart()

    assert own_server.start() == before

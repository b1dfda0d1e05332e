"""The fixtures every test may ask for; made of `tests.databases` and `tests.commands`."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cronops.db.shop import create_shop
from cronops.samples.articles import fill_shop
from tests.commands import CommandLine
from tests.databases import (
    SERVER_URL_VARIABLE,
    Database,
    OwnServer,
    SharedServer,
    clean_environment,
    clone_database,
    drop_database,
)
from tests.places import quick_directory
from tests.probe.install import install_probe
from tests.tools import REQUIRE_TOOLS_VARIABLE

_SHARED_SERVER = pytest.StashKey[SharedServer]()
_WORKER_INPUT = "cronops_server_directory"


def pytest_configure(config: pytest.Config) -> None:
    meant_for_tests = {SERVER_URL_VARIABLE, REQUIRE_TOOLS_VARIABLE}
    for name in set(os.environ) - set(clean_environment()) - meant_for_tests:
        if not name.startswith("CRONOPS_E2E_"):
            del os.environ[name]
    given: dict[str, Any] | None = getattr(config, "workerinput", None)
    directory = Path(given[_WORKER_INPUT]) if given else quick_directory("cronops-test-")
    config.stash[_SHARED_SERVER] = SharedServer(directory)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput[_WORKER_INPUT] = str(node.config.stash[_SHARED_SERVER].directory)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[_SHARED_SERVER].remove()


@pytest.fixture(scope="session")
def template(pytestconfig: pytest.Config) -> tuple[str, str]:
    """The server's URL and the name of the migrated database that tests clone."""
    return pytestconfig.stash[_SHARED_SERVER].template()


@pytest.fixture
def database(template: tuple[str, str], tmp_path: Path) -> Iterator[Database]:
    """A database of the test's own, migrated, empty."""
    server_url, template_name = template
    url = clone_database(server_url, template_name)
    made = Database(url, tmp_path)
    yield made
    made.close()
    drop_database(server_url, url.split("?", 1)[0].rsplit("/", 1)[1])


@pytest.fixture
def shop(database: Database) -> Database:
    """The database with the shop's tables, and 200 articles in them."""
    with database.connect() as connection:
        create_shop(connection, database.settings().db.shop_schema)
        fill_shop(connection, 200)
    return database


@pytest.fixture
def empty_database(template: tuple[str, str], tmp_path: Path) -> Iterator[Database]:
    """A database without our schema, as an administrator would hand it over."""
    server_url, _ = template
    url = clone_database(server_url, "template0")
    made = Database(url, tmp_path)
    yield made
    made.close()
    drop_database(server_url, url.split("?", 1)[0].rsplit("/", 1)[1])


@pytest.fixture
def own_server() -> Iterator[OwnServer]:
    """An embedded server that the test may stop, start and restart; takes two seconds."""
    server = OwnServer()
    yield server
    server.remove()


@pytest.fixture
def cli(database: Database, tmp_path: Path) -> Iterator[CommandLine]:
    """The command line in a process of its own, against `database`."""
    line = CommandLine(database, tmp_path)
    yield line
    line.close()


@pytest.fixture(scope="session")
def probe_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that looks like an installed package with jobs and handlers of its own."""
    return install_probe(tmp_path_factory.mktemp("probe"))


@pytest.fixture
def probe(database: Database, probe_package: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The probe package on the path of `cli` and of this process, its tables in `database`."""
    inherited = database.env.get("PYTHONPATH")
    paths = [str(probe_package), *([inherited] if inherited else [])]
    database.env["PYTHONPATH"] = os.pathsep.join(paths)
    monkeypatch.syspath_prepend(str(probe_package))
    database.query(
        "CREATE TABLE public.probe_effect (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " message_id bigint, note text, pid integer, at timestamptz DEFAULT clock_timestamp())"
    )
    database.query("CREATE TABLE public.probe_hot (id integer PRIMARY KEY, n integer NOT NULL)")
    database.query("INSERT INTO public.probe_hot SELECT id, 0 FROM generate_series(1, 10) AS id")
    return probe_package

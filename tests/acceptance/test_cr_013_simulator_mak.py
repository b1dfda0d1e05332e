"""CR-013, as the feature file tells it."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_bdd import given, scenarios, then, when

from cronops.db.shop import create_shop
from cronops.samples.articles import fill_shop
from cronops.samples.vehicles import fill_vehicles
from tests.acceptance.conftest import World
from tests.partners import CUT, Trouble, client_environment, sftp_server

scenarios("features/cr_013_simulator_mak.feature")


class Mak:
    """MAK's server, and the directory behind it."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.directory = directory
        self._stack = stack
        self.trouble = Trouble("rename", CUT, times=0)

    def serve(self, world: World) -> None:
        """Begin to take files."""
        self.directory.mkdir()
        server = self._stack.enter_context(sftp_server(self.directory, trouble=self.trouble))
        world.environment |= client_environment(server) | {
            "CRONOPS_SIMULATOR__DESTINATION": server.url,
            "CRONOPS_SIMULATOR__LOGIN": "partner",
        }


@pytest.fixture
def mak(world: World) -> Iterator[Mak]:
    """MAK, which takes nothing yet."""
    with ExitStack() as stack:
        yield Mak(world.directory / "mak", stack)


@given("vehicles and wheels for the simulator")
def vehicles(world: World) -> None:
    with world.database.connect() as connection:
        create_shop(connection, world.database.settings().db.shop_schema)
        fill_shop(connection, 100)
        fill_vehicles(connection, 20)


@given("MAK takes files by SFTP")
def takes_files(world: World, mak: Mak) -> None:
    mak.serve(world)


@given("MAK takes files by SFTP, but cuts the connection before a file has its name")
def cuts(world: World, mak: Mak) -> None:
    mak.trouble.times = 1_000_000
    mak.serve(world)


@when("MAK's server is in order again")
def in_order(mak: Mak) -> None:
    mak.trouble.times = 0


@then("MAK has the three files that its manifest names")
def has_all(mak: Mak) -> None:
    manifest = json.loads((mak.directory / "manifest.json").read_bytes())
    assert manifest["complete"] is True
    assert [file["name"] for file in manifest["files"]] == [
        "vehicles.csv",
        "wheels.csv",
        "fitments.csv",
    ]
    for file in manifest["files"]:
        content = (mak.directory / file["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]


@then("MAK has no manifest")
def has_no_manifest(mak: Mak) -> None:
    assert not (mak.directory / "manifest.json").exists()


@then("the password is nowhere in what the command said")
def no_password(world: World) -> None:
    assert "pass word" not in world.ended.stdout + world.ended.stderr

"""A shop with vehicles and wheels, and MAK's end of the line."""

import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cronops.db.shop import create_shop
from cronops.samples.articles import fill_shop
from cronops.samples.vehicles import fill_vehicles
from tests.commands import CommandLine
from tests.databases import Database
from tests.partners import client_environment

JOB = ("simulator", "send-mak-files")
FILES = ("vehicles.csv", "wheels.csv", "fitments.csv")


class Mak:
    """The job, and what lies at the other end."""

    def __init__(self, database: Database, cli: CommandLine, directory: Path) -> None:
        self.database = database
        self.cli = cli
        self.there = directory / "mak"
        self.there.mkdir()
        self.env: dict[str, str] = {
            "CRONOPS_SIMULATOR__ROOT": str(directory),
            "CRONOPS_SIMULATOR__DESTINATION": "mak",
        }
        with database.connect() as connection:
            create_shop(connection, database.settings().db.shop_schema)
            fill_shop(connection, 60)
            fill_vehicles(connection, 9)

    def goes_to(self, server: Any, **clients: Any) -> None:
        """Send to a server from here on, whose directory is `there`."""
        self.env |= client_environment(server, **clients) | {
            "CRONOPS_SIMULATOR__DESTINATION": server.url,
            "CRONOPS_SIMULATOR__LOGIN": "partner",
        }

    def send(
        self, *options: str, env: Mapping[str, str] | None = None, code: int = 0
    ) -> "subprocess.CompletedProcess[str]":
        """The job, which is to end with `code`."""
        done = self.cli(*JOB, *options, env=self.env | dict(env or {}))
        assert done.returncode == code, done.stderr
        return done

    def change(self) -> None:
        """Another name for one vehicle, and another fitment."""
        self.database.query("UPDATE vehicle SET make = make || ' II' WHERE id = 1")
        self.database.query("UPDATE fitment SET tyre_width = tyre_width + 400 WHERE id = 1")

    def manifest(self) -> dict[str, Any] | None:
        """What the other end would go by; None where there is none."""
        path = self.there / "manifest.json"
        return json.loads(path.read_bytes()) if path.exists() else None

    def check_is_whole(self) -> dict[str, Any]:
        """Whoever goes by a complete manifest finds all it names, as it says."""
        manifest = self.manifest()
        assert manifest is not None
        assert manifest["complete"] is True
        assert [file["name"] for file in manifest["files"]] == list(FILES)
        for file in manifest["files"]:
            content = (self.there / file["name"]).read_bytes()
            assert len(content) == file["bytes"]
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
            assert content.count(b"\n") - 1 == file["rows"]
        return manifest

    def states(self) -> list[str]:
        """Of the sets that were sent, in order."""
        return [state for (state,) in self.database.query("SELECT state FROM mak_set ORDER BY id")]


@pytest.fixture
def mak(database: Database, cli: CommandLine, tmp_path: Path) -> Mak:
    """Nine vehicles, some wheels, a directory that is MAK's."""
    return Mak(database, cli, tmp_path)

"""DriveRight's service, a mail server, and the command that syncs."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.commands import CommandLine
from tests.databases import Database
from tests.partners import MailServer, mail_server
from tests.partners.driveright import DriveRightServer, driveright_server

JOB = ("driveright", "sync")


class Vehicles:
    """The sync, and our vehicles."""

    def __init__(
        self, database: Database, cli: CommandLine, there: DriveRightServer, mails: MailServer
    ) -> None:
        self.database = database
        self.cli = cli
        self.there = there
        self.mails = mails
        self.env = {
            **there.environment,
            **mails.environment,
            "CRONOPS_DRIVERIGHT__REPORT_TO": "vehicles@shop.example",
            "CRONOPS_DRIVERIGHT__REPORT_FROM": "cronops@shop.example",
            "CRONOPS_CLIENTS__ATTEMPTS": "2",
            "CRONOPS_CLIENTS__READ_TIMEOUT": "2s",
        }

    def sync(
        self, *options: str, env: Mapping[str, str] | None = None, code: int = 0
    ) -> "subprocess.CompletedProcess[str]":
        """The job, which is to end with `code`."""
        done = self.cli(*JOB, *options, env=self.env | dict(env or {}))
        assert done.returncode == code, done.stderr + done.stdout
        assert "drive key" not in done.stdout + done.stderr
        return done

    def ours(self) -> dict[str, bool]:
        """Whether a vehicle is active, by its id at DriveRight's, or its model."""
        rows = self.database.query("SELECT coalesce(external_id, model), active FROM vehicle")
        return dict(rows)

    def fitments(self, external_id: str) -> list[tuple[str, str, str]]:
        """What fits a vehicle: product type, a measure, source."""
        return self.database.query(
            "SELECT product_type, coalesce(tyre_width, wheel_width)::text, fitment.source"
            " FROM fitment JOIN vehicle ON vehicle.id = vehicle_id"
            " WHERE external_id = %(id)s OR model = %(id)s ORDER BY 1, 2",
            {"id": external_id},
        )

    def everything(self) -> list[tuple[Any, ...]]:
        """All of our vehicles and fitments, without ids and times."""
        return self.database.query(
            "SELECT external_id, make, model, built_until, active, vehicle.source, fitment.source,"
            " product_type, position, tyre_width, wheel_width, pcd, offset_max"
            " FROM vehicle LEFT JOIN fitment ON vehicle.id = vehicle_id"
            " ORDER BY external_id, model, product_type, position, tyre_width, wheel_width"
        )

    def status(self) -> dict[str, Any]:
        """``driveright status --json``."""
        done = self.cli("driveright", "status", "--json", env=self.env)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def changes(self, *options: str) -> list[dict[str, Any]]:
        """``driveright changes --json``."""
        done = self.cli("driveright", "changes", "--json", *options, env=self.env)
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found


@pytest.fixture
def vehicles(database: Database, cli: CommandLine) -> Iterator[Vehicles]:
    """No vehicles with us, ten with DriveRight."""
    with driveright_server(10) as there, mail_server("plain") as mails:
        yield Vehicles(database, cli, there, mails)

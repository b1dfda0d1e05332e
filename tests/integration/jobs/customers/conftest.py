"""A shop with licences that end soon, a mail server, and the command that reminds."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cronops.db.shop import create_shop
from tests.commands import CommandLine
from tests.databases import Database
from tests.partners import MailServer, mail_server

JOB = ("customers", "notify-license-expiration")
_QUICK = {
    "CRONOPS_CLIENTS__ATTEMPTS": "1",
    "CRONOPS_CLIENTS__READ_TIMEOUT": "5s",
    "CRONOPS_CLIENTS__CONNECT_TIMEOUT": "5s",
}


class Reminders:
    """Licences of one tenant, in Brussels unless it is said otherwise, and what is sent."""

    def __init__(self, database: Database, cli: CommandLine, server: MailServer) -> None:
        self.database = database
        self.server = server
        self.cli = cli
        self.env: dict[str, str] = {**_QUICK, **server.environment}
        with database.connect() as connection:
            create_shop(connection, database.settings().db.shop_schema)

    def tenant(self, code: str = "nord", **facts: Any) -> int:
        """Add a tenant; its id."""
        given = {"zone": "Europe/Brussels", "language": "de", "sender": f"{code}@shop.example"}
        given |= facts
        return int(
            self.database.query(
                "INSERT INTO tenant (code, name, zone, language, sender)"
                " VALUES (%s, %s, %s, %s, %s) RETURNING id",
                (code, f"Reifen {code}", given["zone"], given["language"], given["sender"]),
            )[0][0]
        )

    def license(self, days: int, *, tenant: int = 1, **facts: Any) -> int:
        """Add a licence that ends in so many days in the tenant's zone, and its customer; its id.

        The customer's address is ``<licence's number>@example.org``.
        """
        given: dict[str, Any] = {"status": "active", "auto_renew": False, "approved": "approved"}
        given |= {"language": None, "firstname": "Anna", "lastname": "Räder", "email": ""} | facts
        ((number,),) = self.database.query("SELECT coalesce(max(id), 0) + 1 FROM customer")
        email = f"{number}@example.org" if given["email"] == "" else given["email"]
        self.database.query(
            "INSERT INTO customer (id, tenant_id, email, firstname, lastname, language, status)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (
                *(number, tenant, email),
                *(given[one] for one in ("firstname", "lastname", "language", "approved")),
            ),
        )
        self.database.query(
            "INSERT INTO license (id, tenant_id, customer_id, valid_until, auto_renew, status)"
            " SELECT %(id)s, id, %(id)s,"
            "   (clock_timestamp() AT TIME ZONE zone)::date + %(days)s, %(renews)s, %(status)s"
            " FROM tenant WHERE id = %(tenant)s",
            {
                "id": number,
                "days": days,
                "renews": given["auto_renew"],
                "status": given["status"],
                "tenant": tenant,
            },
        )
        return int(number)

    def run(
        self, *options: str, env: Mapping[str, str] | None = None, code: int = 0
    ) -> "subprocess.CompletedProcess[str]":
        """The job, which is to end with `code`."""
        done = self.cli(*JOB, *options, env=self.env | dict(env or {}))
        assert done.returncode == code, done.stderr + done.stdout
        return done

    def counts(self) -> dict[str, int]:
        """What the last run counted, without what it met none of."""
        found = self.database.query("SELECT counts FROM run ORDER BY started_at DESC LIMIT 1")
        return {name: count for name, count in found[0][0].items() if count}

    def states(self) -> dict[tuple[int, int], str]:
        """By licence and offset."""
        rows = self.database.query("SELECT license_id, days_before, state FROM reminder")
        return {(license_id, days): state for license_id, days, state in rows}

    def listed(self, *options: str) -> list[dict[str, Any]]:
        """``customers reminders --json``."""
        done = self.cli("customers", "reminders", "--json", *options, env=self.env)
        assert done.returncode == 0, done.stderr
        listed: list[dict[str, Any]] = json.loads(done.stdout)
        return listed


@pytest.fixture
def reminders(database: Database, cli: CommandLine) -> Iterator[Reminders]:
    """A tenant without licences, and a mail server in clear on this machine."""
    with mail_server("plain") as server:
        made = Reminders(database, cli, server)
        made.tenant()
        yield made


@pytest.fixture
def template_dir(tmp_path: Path, reminders: Reminders) -> Path:
    """A directory for wording of one's own, which the job is told of."""
    directory = tmp_path / "wording"
    directory.mkdir()
    reminders.env["CRONOPS_CUSTOMERS__TEMPLATE_DIR"] = str(directory)
    return directory

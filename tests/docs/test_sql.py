"""The SQL in the pages does what they say: grants that suffice, and no more than suffice."""

import re
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from cronops.db.upgrade import upgrade
from tests.commands import CommandLine
from tests.databases import Database
from tests.docs.test_pages import ROOT, blocks

# The pages' roles belong to the whole server, which tests share: here they get names of their own.
ROLES = re.compile(r"\b(?P<before>ROLE|TO|AUTHORIZATION) (?P<role>\w+)")


class Page:
    """The SQL of one page, for roles of this test's own."""

    def __init__(self, name: str) -> None:
        self._suffix = f"_{secrets.token_hex(4)}"
        text = "\n".join(blocks(ROOT / "docs" / name, "sql"))
        sql = re.sub(r"--.*", "", text)
        self.roles = {self.role(found["role"]) for found in ROLES.finditer(sql)}
        renamed = ROLES.sub(rf"\g<before> \g<role>{self._suffix}", sql)
        self.statements = [one.strip() for one in renamed.split(";") if one.strip()]

    def role(self, name: str) -> str:
        return f"{name}{self._suffix}"

    def starting(self, *verbs: str) -> list[str]:
        return [one for one in self.statements if one.startswith(verbs)]

    def forget_roles(self, database: Database) -> None:
        for role in self.roles:
            database.query(f"DROP OWNED BY {role}")
            database.query(f"DROP ROLE {role}")


@pytest.fixture
def queue_page(database: Database) -> Iterator[Page]:
    page = Page("queue.md")
    for role in page.roles:
        database.query(f"CREATE ROLE {role}")
    yield page
    page.forget_roles(database)


@pytest.fixture
def operations_page(empty_database: Database) -> Iterator[Page]:
    page = Page("operations.md")
    yield page
    page.forget_roles(empty_database)


def test_another_program_can_enqueue_and_nothing_else(database: Database, queue_page: Page) -> None:
    for grant in queue_page.starting("GRANT"):
        database.query(grant)
    inserts = queue_page.starting("INSERT")
    assert len(inserts) == 2
    with database.connect() as program:
        program.execute(f"SET ROLE {queue_page.role('shop')}")
        for insert in [*inserts, inserts[1]]:
            program.execute(insert)
        for refused in (
            "SELECT * FROM cronops.queue_message",
            "UPDATE cronops.queue_message SET payload = '{}'",
            "INSERT INTO cronops.queue_message (handler, status) VALUES ('x', 'PROCESSED')",
            "INSERT INTO cronops.queue_message (handler) VALUES ('x') RETURNING id",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                program.execute(refused)

    assert database.query(
        "SELECT queue, direction, handler, payload, status, dedupe_key FROM queue_message"
    ) == [
        ("general", "incoming", "orders.process", {"order": 7}, "NEW", None),
        ("general", "incoming", "orders.process", {"order": 7}, "NEW", "order-7-v1"),
    ]


def test_two_roles_are_enough(
    empty_database: Database, operations_page: Page, cli: CommandLine
) -> None:
    def url_as(role: str) -> str:
        options = f"-c role={operations_page.role(role)}"
        return make_conninfo(empty_database.url, options=options)

    for statement in operations_page.starting("CREATE"):
        empty_database.query(statement)
    upgrade(empty_database.settings(database_url=url_as("cronops_owner")))
    for statement in operations_page.starting("GRANT", "ALTER"):
        empty_database.query(statement)

    as_app = {"CRONOPS_DATABASE_URL": url_as("cronops_app")}
    for command in (
        ["queue", "enqueue", "--handler", "sample.echo", "--payload", '{"greeting": "hello"}'],
        ["queue", "enqueue", "--messages", "--payload", "-"],
        ["queue", "process"],
        ["queue", "clean"],
        ["pause", "queue", "clean", "--reason", "trying out"],
        ["resume", "queue", "clean"],
        ["doctor"],
    ):
        lines = '{"handler": "sample.echo", "dedupe_key": "a"}\n' if "-" in command else None
        done = cli(*command, env=as_app, input=lines)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    assert empty_database.query(
        "SELECT status, count(*) FROM cronops.queue_message GROUP BY 1"
    ) == [("PROCESSED", 2)]

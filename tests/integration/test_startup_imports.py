"""A cron pod starts every minute: it may not import what its run does not need."""

import re
import subprocess
import sys

import pytest

from tests.databases import Database

IMPORTED = re.compile(r"^import time: +\d+ \| +\d+ \| +(?P<module>\S+)$", re.MULTILINE)
HEAVY = {
    "alembic",
    "apprise",
    "httpx",
    "jinja2",
    "kubernetes",
    "prometheus_client",
    "pydantic",
    "rich",
    "sqlalchemy",
    "tenacity",
}
# Help and version need no database, no settings and no log.
NEEDED_BY_RUNS = {"psycopg", "structlog"}


def imported_by(database: Database, *arguments: str) -> tuple[set[str], set[str]]:
    """The modules that the command imported, and the packages it got any module of.

    A package by itself may be no more than an import that was tried and refused.
    """
    completed = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cronops", *arguments],
        env=database.env,
        cwd=database.data_dir,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    modules = {match["module"] for match in IMPORTED.finditer(completed.stderr)}
    return modules, {module.partition(".")[0] for module in modules if "." in module}


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_help_and_version_import_next_to_nothing(database: Database, option: str) -> None:
    modules, packages = imported_by(database, option)

    assert "cronops.cli.main" in modules
    assert packages & (HEAVY | NEEDED_BY_RUNS) == set()


def test_a_run_over_an_empty_queue_imports_nothing_heavy(database: Database) -> None:
    modules, packages = imported_by(database, "queue", "process", "--queue=general")

    assert "cronops.queue.store" in modules
    assert packages & HEAVY == set()
    assert database.query("SELECT job, outcome FROM run") == [("queue process", "succeeded")]


def test_a_pull_without_an_active_platform_imports_nothing_heavy(database: Database) -> None:
    modules, packages = imported_by(database, "platform", "pull-orders")

    assert "cronops.jobs.platform.platforms" in modules
    assert packages & (HEAVY | {"paramiko", "defusedxml"}) == set()

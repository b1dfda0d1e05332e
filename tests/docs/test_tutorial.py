"""The tutorial's package, installed and run, does what the page shows."""

import os
import re
from pathlib import Path

import pytest

from tests.commands import CommandLine
from tests.databases import Database
from tests.docs.test_pages import ROOT, install

PAGE = ROOT / "docs" / "tutorial.md"


@pytest.fixture
def hello_jobs(database: Database, tmp_path: Path) -> Path:
    site = tmp_path / "site"
    install(PAGE, site)
    assert (site / "hello_jobs.py").is_file()
    inherited = database.env.get("PYTHONPATH")
    database.env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(site), inherited]))
    return site


def shown(command: str) -> list[str]:
    """What the page shows the command to print, its changing parts left out."""
    found = re.findall(
        rf"^\$ {re.escape(command)}\n((?:(?!\$ |```|…).*\n)+)", PAGE.read_text(), re.M
    )
    assert found, f"the tutorial shows no output of {command}"
    return [steady(one) for one in found]


def steady(text: str) -> str:
    return re.sub(r"\d+(?:\.\d+)?s\b|(?<=hello-greet-)\w+-\w+", "#", text).strip()


@pytest.mark.usefixtures("hello_jobs")
def test_letters_are_written_and_sent(cli: CommandLine, database: Database) -> None:
    greet = cli("hello", "greet", "--to", "Anna", "--to", "Ben")
    assert steady(greet.stdout) in shown("cronops hello greet --to Anna --to Ben")

    worker = cli("queue", "process", "--queue=general")
    assert steady(worker.stdout) in shown("cronops queue process --queue=general")

    assert database.query("SELECT payload ->> 'to', status FROM queue_message ORDER BY id") == [
        ("Anna", "PROCESSED"),
        ("Ben", "PROCESSED"),
    ]


@pytest.mark.usefixtures("hello_jobs")
def test_a_scheduled_time_is_worked_once(cli: CommandLine) -> None:
    command = "cronops hello greet --scheduled-at 2026-11-23T06:00:00Z"
    first, second = (cli(*command.split()[1:]) for _ in range(2))

    assert [steady(first.stdout), steady(second.stdout)] == shown(command)


@pytest.mark.usefixtures("hello_jobs")
def test_a_timeout_leaves_no_letter(cli: CommandLine, database: Database) -> None:
    late = cli("hello", "greet", "--to", "Carl", "--pause", "60")

    assert late.returncode == 124
    assert steady(late.stdout) in [
        one.removesuffix("[exit 124]").strip()
        for one in shown("cronops hello greet --to Carl --pause 60")
    ]
    assert database.query("SELECT count(*) FROM queue_message") == [(0,)]


@pytest.mark.usefixtures("hello_jobs")
def test_a_letter_to_nobody_goes_to_crash_and_can_be_put_back(
    cli: CommandLine, database: Database
) -> None:
    cli("queue", "enqueue", "--handler", "hello.letter", "--payload", '{"to": "nobody"}')
    cli("queue", "process")
    [(status, error)] = database.query("SELECT status, error FROM queue_message")
    assert status == "CRASH"
    assert error in PAGE.read_text()

    cli("queue", "retry", "--handler", "hello.letter", "--reason", "Nobody has moved in")

    assert database.query("SELECT status FROM queue_message") == [("NEW",)]

"""The code in CONTRIBUTING.md works: installed as somebody else's package, run by the commands."""

import re
import tomllib
from pathlib import Path

import pytest

from cronops.jobs import JobEntry
from tests.commands import CommandLine
from tests.databases import Database

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"
BLOCK = re.compile(r"^```(?P<language>python|toml)\n# (?P<title>.+)\n(?P<code>(?s:.*?))^```$", re.M)

SHOP_TABLES = """
CREATE SCHEMA shop;
CREATE TABLE shop.vehicle_count (day date PRIMARY KEY, vehicles bigint);
CREATE TABLE shop.announcement (message_id bigint, vehicles integer);
INSERT INTO vehicle (make, model, source)
VALUES ('VW', 'Golf', 'manual'), ('VW', 'Polo', 'manual'), ('VW', 'Up', 'manual');
"""


def blocks(title_ending: str) -> list[tuple[str, str]]:
    found = [(match["title"], match["code"]) for match in BLOCK.finditer(PAGE.read_text())]
    return [(title, code) for title, code in found if title.endswith(title_ending)]


@pytest.fixture
def shop_package(database: Database, tmp_path: Path) -> Path:
    """The page's modules and entry points, laid out as an installer would."""
    site = tmp_path / "site"
    for title, code in blocks(".py"):
        module = site / title
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(code)
    metadata = site / "shop_jobs-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-jobs\nVersion: 1.0\n")
    lines: list[str] = []
    for _, code in blocks("pyproject.toml"):
        for group, entries in tomllib.loads(code)["project"]["entry-points"].items():
            lines += [f"[{group}]", *(f"{name} = {target}" for name, target in entries.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    database.env["PYTHONPATH"] = str(site)
    database.query(SHOP_TABLES)
    return site


@pytest.mark.usefixtures("shop_package")
def test_the_job_and_the_handler_do_what_the_page_says(
    cli: CommandLine, database: Database
) -> None:
    job = cli("vehicles", "recount", "--announce")
    assert job.returncode == 0, job.stderr
    worker = cli("queue", "process", "--queue=general")
    assert worker.returncode == 0, worker.stderr

    assert database.query("SELECT vehicles FROM shop.vehicle_count") == [(3,)]
    assert database.query("SELECT vehicles FROM shop.announcement") == [(3,)]
    assert database.query("SELECT handler, status FROM queue_message") == [
        ("vehicles.announce", "PROCESSED")
    ]
    assert database.query("SELECT job, outcome, counts FROM run WHERE cr = 'CR-901'") == [
        ("vehicles recount", "succeeded", {"vehicles": 3})
    ]


@pytest.mark.usefixtures("shop_package")
def test_a_payload_that_does_not_fit_goes_to_crash(cli: CommandLine, database: Database) -> None:
    payload = '{"vehicles": "many"}'
    enqueued = cli(
        "queue", "enqueue", "--queue=general", "--handler=vehicles.announce", f"--payload={payload}"
    )
    assert enqueued.returncode == 0, enqueued.stderr

    cli("queue", "process", "--queue=general")

    [(status, error)] = database.query("SELECT status, error FROM queue_message")
    assert status == "CRASH"
    assert "vehicles" in error


def test_the_lines_for_the_tables_of_contents_are_lines_of_them() -> None:
    [(_, job_line)] = blocks("JOBS")
    [(_, handler_line)] = blocks("HANDLERS")
    entry_points = [tomllib.loads(code)["project"]["entry-points"] for _, code in blocks(".toml")]

    [(name, entry)] = eval(f"{{{job_line}}}", {"JobEntry": JobEntry}).items()
    handlers = eval(f"{{{handler_line}}}")

    assert isinstance(entry, JobEntry)
    assert entry_points == [
        {"cronops.jobs": {name.replace(" ", "."): entry.target}},
        {"cronops.handlers": handlers},
    ]

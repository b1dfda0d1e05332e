"""``cronops schedules simulate``, as an operator runs it."""

import json
import shutil
from pathlib import Path

from tests.commands import CommandLine
from tests.databases import Database

ROOT = Path(__file__).parents[3]
WEEK = ("--from", "2026-11-30T00:00:00Z")


def test_the_repositorys_own_schedules(
    database: Database, cli: CommandLine, tmp_path: Path
) -> None:
    svg = tmp_path / "load.svg"
    words = ("schedules", "simulate", "--file", str(ROOT / "schedules.yaml"), *WEEK)
    shown = cli(*words, "--svg", str(svg))
    assert shown.returncode == 0, shown.stderr
    assert "Starts by day and hour, in UTC, 2026-11-30 00:00Z and on:" in shown.stdout
    assert "Sun 12-06" in shown.stdout
    assert "<svg" in svg.read_text()

    made = json.loads(cli(*words, "--json").stdout)
    declared = {one["name"] for one in made["meetings"]}
    assert "queue-process-general" in declared
    assert sum(map(sum, (day["starts"] for day in made["by_hour"]))) > 10_000
    # By what its runs really took, it meets itself no more.
    database.query(
        "INSERT INTO run (id, job, cr, schedule, arguments_hash, correlation_id, lock_key, holder,"
        " retry_safe, started_at, finished_at, outcome)"
        " SELECT n::text, 'queue process', 'CR-006', 'queue-process-general', '', '', '', '', true,"
        " now() - interval '1 hour', now() - interval '1 hour' + interval '20 seconds', 'succeeded'"
        " FROM generate_series(1, 5) AS n"
    )
    known = json.loads(cli(*words, "--json", "--durations", "history").stdout)
    assert declared - {one["name"] for one in known["meetings"]} == {"queue-process-general"}


def test_what_is_proposed_is_written_and_nothing_else(cli: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "schedules.yaml"
    shutil.copy(ROOT / "schedules.yaml", file)
    file.write_text(file.read_text().replace('"50 3 * * *"', '"40 3 * * *"  # why not'))
    before = file.read_text().splitlines()
    words = ("schedules", "simulate", "--file", str(file), *WEEK, "--most", "3")
    proposed = json.loads(cli(*words, "--json").stdout)["moves"]
    assert proposed
    assert file.read_text().splitlines() == before
    written = cli(*words, "--write")
    assert written.returncode == 0, written.stderr
    after = file.read_text().splitlines()
    changed = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert len(changed) == len(proposed)
    assert all("schedule:" in one and "schedule:" in other for one, other in changed)


def test_bad_calls(cli: CommandLine) -> None:
    words = ("schedules", "simulate", "--file", str(ROOT / "schedules.yaml"))
    for more in (
        ("--for", "0"),
        ("--for", "9999d"),
        ("--durations", "guess"),
        ("--env", "nowhere"),
        ("--most", "0"),
        ("--svg", "/nowhere/at/all.svg"),
    ):
        assert cli(*words, *more).returncode in (2, 64), more

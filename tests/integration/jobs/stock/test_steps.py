"""Killed at any step, a run that follows brings the end that an unbroken one brings."""

from pathlib import Path
from typing import Any

import pytest

from tests.commands import CommandLine
from tests.databases import Database
from tests.integration.jobs.stock.exports import add_export, files_below, runs
from tests.stepping import run_to_step

STEPS = ["generate", "keep", "record", "deliver", "confirm", "prune"]
STEPS_OF_SENDING_AGAIN = ["record", "deliver", "confirm"]

# The lease of a run that was killed takes a while to end.
EXPORT = ("stock", "export", "--wait", "30s")


@pytest.fixture
def delivered(goods: Database, export_dir: Path, tmp_path: Path) -> Database:
    """An export whose content has changed since it was delivered."""
    add_export(goods)
    run_to_step(goods, tmp_path, 0, *EXPORT)
    goods.query("UPDATE supplier_stock SET qty = 99 WHERE article_id = 1")
    return goods


def last_sent(database: Database) -> tuple[Any, ...]:
    return database.query(
        "SELECT state, sha256 FROM export_run WHERE sending_at IS NOT NULL ORDER BY id DESC LIMIT 1"
    )[0]


def test_the_steps_are_those(delivered: Database, tmp_path: Path) -> None:
    assert run_to_step(delivered, tmp_path, 0, *EXPORT) == STEPS
    again = run_to_step(delivered, tmp_path, 0, *EXPORT, "--skip-generation")
    assert again == STEPS_OF_SENDING_AGAIN


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_nothing_is_lost_and_nothing_twice(
    delivered: Database, export_dir: Path, tmp_path: Path, step: str
) -> None:
    there = export_dir / "out/stock_1.csv"
    before = there.read_bytes()

    run_to_step(delivered, tmp_path, STEPS.index(step) + 1, *EXPORT)

    # Whatever it died at, what is there is one or the other, whole.
    assert there.read_bytes() == before or b";99;" in there.read_bytes()
    run_to_step(delivered, tmp_path, 0, *EXPORT)

    assert b";99;" in there.read_bytes()
    state, sha256 = last_sent(delivered)
    assert state == "delivered"
    files = files_below(export_dir)
    assert files[f"generated/1/{sha256}.csv"] == there.read_bytes()
    assert len(files) == 3  # both contents, and the one delivered; no part of any
    assert "generated" not in {row[0] for row in runs(delivered, "state")}
    confirmed = [row for row in runs(delivered, "state", "sha256") if row == ("delivered", sha256)]
    assert len(confirmed) == 1
    # And from then on it is known to be there.
    run_to_step(delivered, tmp_path, 0, *EXPORT)
    assert runs(delivered, "state")[-1] == ("unchanged",)


@pytest.mark.parametrize("step", STEPS_OF_SENDING_AGAIN)
def test_killed_while_sending_again(
    delivered: Database, export_dir: Path, tmp_path: Path, step: str
) -> None:
    there = export_dir / "out/stock_1.csv"
    before = there.read_bytes()
    there.unlink()
    number = STEPS_OF_SENDING_AGAIN.index(step) + 1

    run_to_step(delivered, tmp_path, number, *EXPORT, "--skip-generation")
    run_to_step(delivered, tmp_path, 0, *EXPORT, "--skip-generation")

    assert there.read_bytes() == before
    assert last_sent(delivered)[0] == "delivered"


def test_after_an_upload_that_nobody_confirmed_the_old_content_is_sent_again(
    delivered: Database, export_dir: Path, tmp_path: Path
) -> None:
    there = export_dir / "out/stock_1.csv"
    before = there.read_bytes()
    run_to_step(delivered, tmp_path, STEPS.index("confirm") + 1, *EXPORT)
    assert there.read_bytes() != before
    delivered.query("UPDATE supplier_stock SET qty = 8 WHERE article_id = 1")

    run_to_step(delivered, tmp_path, 0, *EXPORT)

    # Its record says that this was delivered already; but the other content came after it.
    assert there.read_bytes() == before


def test_what_a_killed_run_left_goes_even_where_the_next_one_refuses(
    delivered: Database, cli: CommandLine, export_dir: Path, tmp_path: Path
) -> None:
    before = files_below(export_dir)
    run_to_step(delivered, tmp_path, STEPS.index("keep") + 1, *EXPORT)
    assert len(files_below(export_dir)) == len(before) + 1
    delivered.query("UPDATE article SET is_active = false")

    assert cli(*EXPORT).returncode == 65

    assert files_below(export_dir) == before

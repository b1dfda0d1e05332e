"""Killed at any step, supervisor and all: the next run brings the same end state."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.jobs.suppliers.conftest import Suppliers
from tests.stepping import run_to_step

# One file that is imported, one that is rejected, one that is out of date; in `REMOTE`, fetched.
LOCAL = (
    *("claim", "read", "record", "keep listing", "keep result", "keep file"),
    *("claim", "read", "match", "merge", "commit", "keep listing", "keep result", "keep file"),
    *("claim", "record", "keep listing", "keep result", "keep file"),
)
REMOTE = (
    "fetch",
    *("claim", "read", "match", "merge", "commit", "keep listing", "keep result", "keep file"),
    "back up",
)
ARGUMENTS = ("suppliers", "import-stock", "--supplier=1")


def end_state(suppliers: Suppliers) -> dict[str, Any]:
    """Everything that lasts, but when it happened."""
    home = suppliers.home(1)
    files = {
        str(path.relative_to(suppliers.root)): path.read_bytes() if path.suffix == ".csv" else None
        for path in sorted(suppliers.root.rglob("*"))
        if path.is_file()
    }
    stock = "SELECT sku, qty, price, delivery_days, article_id FROM supplier_stock ORDER BY sku"
    history = "SELECT name, result, sha256, counts, kept_as FROM import_file ORDER BY name, id"
    return {
        "home": sorted(path.name for path in home.iterdir()),
        "files": files,
        "stock": suppliers.database.query(stock),
        "history": suppliers.database.query(history),
        "reviews": suppliers.database.query("SELECT sku, state FROM supplier_match_review"),
    }


def _put_local(suppliers: Suppliers) -> None:
    suppliers.add(1)
    suppliers.arrive(1, "1_old.csv", "A1;;;1;;")
    suppliers.arrive(1, "2_good.csv", "A1;;;5;1.50;2", "A2;;;x;;", "A3;4E12;;7;;")
    suppliers.arrive(1, "3_bad.csv")


def _put_remote(suppliers: Suppliers) -> None:
    suppliers.add(1, source="partner")
    outside = suppliers.root / "partner"
    outside.mkdir(parents=True)
    made = suppliers.arrive(1, "stock.csv", "A1;;;5;1.50;2", "A2;;;x;;")
    made.rename(outside / "stock.csv")


def test_these_are_the_steps(suppliers: Suppliers, tmp_path: Path) -> None:
    _put_local(suppliers)

    with pytest.raises(AssertionError, match=r"3_bad\.csv"):  # it ends with 65
        run_to_step(suppliers.database, tmp_path, 0, *ARGUMENTS)

    assert tuple((tmp_path / "steps.txt").read_text().splitlines()) == LOCAL


def test_these_are_the_steps_of_what_is_fetched(suppliers: Suppliers, tmp_path: Path) -> None:
    _put_remote(suppliers)

    assert tuple(run_to_step(suppliers.database, tmp_path, 0, *ARGUMENTS)) == REMOTE
    assert (suppliers.root / "partner" / "backup" / "stock.csv").exists()


@pytest.mark.parametrize("number", range(1, len(LOCAL) + 1))
def test_killed_at_a_step_the_next_run_completes_it(
    suppliers: Suppliers, tmp_path: Path, number: int
) -> None:
    _put_local(suppliers)

    steps = run_to_step(suppliers.database, tmp_path, number, *ARGUMENTS)
    assert tuple(steps) == LOCAL[:number]
    suppliers.take_over()
    suppliers.run("--supplier=1", code=None)

    state = end_state(suppliers)
    assert state["stock"] == [
        ("A1", 5, 1.5, 2, None),
        ("A3", 7, None, None, None),
    ]
    assert [(name, result) for name, result, *_ in state["history"]] == [
        ("1_old.csv", "superseded"),
        ("2_good.csv", "imported"),
        ("3_bad.csv", "rejected"),
    ]
    assert sorted(state["files"]) == [
        "1/processed/1_old.csv",
        "1/processed/1_old.csv.result.json",
        "1/processed/2_good.csv",
        "1/processed/2_good.csv.rejects.csv",
        "1/processed/2_good.csv.result.json",
        "1/rejected/3_bad.csv",
        "1/rejected/3_bad.csv.result.json",
    ]
    listing = state["files"]["1/processed/2_good.csv.rejects.csv"].decode()
    assert [line.split(";")[:3] for line in listing.splitlines()] == [
        ["line", "row", "reason"],
        ["3", "rejected", "qty"],
        ["4", "taken", "ean_scientific"],
    ]
    assert suppliers.result(1, "processed/2_good.csv")["counts"]["new"] == 2


@pytest.mark.parametrize("number", range(1, len(REMOTE) + 1))
def test_killed_while_files_are_fetched_the_next_run_completes_it(
    suppliers: Suppliers, tmp_path: Path, number: int
) -> None:
    _put_remote(suppliers)

    run_to_step(suppliers.database, tmp_path, number, *ARGUMENTS)
    suppliers.take_over()
    suppliers.run("--supplier=1")

    state = end_state(suppliers)
    assert suppliers.stock(1) == {"A1": 5}
    assert [(name, result) for name, result, *_ in state["history"]] == [("stock.csv", "imported")]
    assert sorted(state["files"]) == [
        "1/processed/stock.csv",
        "1/processed/stock.csv.rejects.csv",
        "1/processed/stock.csv.result.json",
        "partner/backup/stock.csv",
    ]


def test_a_file_moved_back_is_imported_although_the_first_run_that_took_it_died(
    suppliers: Suppliers, tmp_path: Path
) -> None:
    suppliers.add(1, min_rows=2)
    suppliers.arrive(1, "stock.csv", "A1;;;5;1.50;2")
    suppliers.run("--supplier=1", code=65)
    # As the documentation says: the setting is mended, and the file moved back.
    suppliers.change(1, min_rows=1)
    home = suppliers.home(1)
    (home / "rejected" / "stock.csv").rename(home / "incoming" / "stock.csv")

    assert run_to_step(suppliers.database, tmp_path, 2, *ARGUMENTS) == ["claim", "read"]
    suppliers.take_over()
    suppliers.run("--supplier=1")

    assert suppliers.stock(1) == {"A1": 5}
    assert suppliers.files(1, "processed") == ["stock.csv"]

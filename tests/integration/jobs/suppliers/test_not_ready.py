"""Files that are still being written when the import comes."""

import os
import time
from pathlib import Path
from threading import Event, Thread

import pytest

from cronops.jobs.suppliers.folders import ChangedWhileRead, Folders, check_unchanged, sha256_of
from tests.integration.jobs.suppliers.conftest import HEADER, Suppliers


def test_a_file_that_grows_is_left_for_the_next_run(suppliers: Suppliers) -> None:
    suppliers.add(1, quiet="1 second")
    path = suppliers.arrive(1, "stock.csv", "A1;;;5;;", age=0)
    stop = Event()

    def write() -> None:
        with path.open("a") as file:
            while not stop.wait(0.1):
                file.write("A2;;;5;;\n")
                file.flush()

    writer = Thread(target=write)
    writer.start()
    try:
        done = suppliers.run("--supplier=1")
    finally:
        stop.set()
        writer.join()

    assert "stock.csv is still being written" in done.told
    assert suppliers.stock(1) == {}
    assert suppliers.files(1, "incoming") == ["stock.csv"]
    time.sleep(1)
    suppliers.run("--supplier=1")
    assert suppliers.stock(1) == {"A1": 5, "A2": 5}


def test_a_file_that_grows_while_it_is_read_is_given_back(suppliers: Suppliers) -> None:
    """Somebody still holds it open: moving it aside does not keep them from writing."""
    suppliers.add(1)
    path = suppliers.arrive(1, "stock.csv", *(f"A{n};;;5;;" for n in range(10_000)))
    claimed = suppliers.home(1) / "processing" / "stock.csv"
    stop = Event()

    def write() -> None:
        with path.open("a") as file:
            while not claimed.exists() and not stop.wait(0.001):
                pass
            while claimed.exists() and not stop.wait(0.01):
                file.write("B1;;;5;;\n")
                file.flush()

    writer = Thread(target=write)
    writer.start()
    try:
        done = suppliers.run("--supplier=1")
    finally:
        stop.set()
        writer.join()

    assert "is still being written" in done.told
    assert suppliers.stock(1) == {}
    assert suppliers.results(1) == []
    assert suppliers.files(1, "incoming") == ["stock.csv"]
    assert suppliers.files(1, "processing") == []


def test_a_change_is_noticed_whatever_it_is(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    path.write_text(HEADER)
    arrival = Folders.look(path)
    assert arrival is not None
    assert len(sha256_of(arrival)) == 64
    path.write_text(HEADER.lower())

    with pytest.raises(ChangedWhileRead):
        sha256_of(arrival)
    with pytest.raises(ChangedWhileRead):
        check_unchanged(arrival)


def test_a_delta_keeps_its_name_beside_another_of_it_that_a_run_left(
    suppliers: Suppliers,
) -> None:
    suppliers.add(1, delta_glob="delta.csv")
    suppliers.arrive(1, "full.csv", "A1;;;1;;", "A2;;;2;;")
    suppliers.run("--supplier=1")
    older = suppliers.arrive(1, "delta.csv", "A1;;;3;;")
    left = older.rename(suppliers.home(1) / "processing" / "delta.csv")
    suppliers.arrive(1, "delta.csv", "A1;;;4;;", age=990)
    newer = time.time()
    os.utime(left, (newer, newer))

    suppliers.run("--supplier=1")

    assert suppliers.stock(1) == {"A1": 3, "A2": 2}
    assert suppliers.files(1, "processed") == ["delta-2.csv", "delta.csv", "full.csv"]
    assert [path for path in (suppliers.home(1) / "processing").rglob("*") if path.is_file()] == []

    # The last of them is asked for again: kept under another name, it still is a delta.
    suppliers.run("--supplier=1", "--update-anyway")

    assert suppliers.stock(1) == {"A1": 3, "A2": 2}


def test_a_file_of_a_day_to_come_does_not_outdate_those_of_the_years_until_then(
    suppliers: Suppliers,
) -> None:
    suppliers.add(1)
    suppliers.arrive(1, "a.csv", "A1;;;1;;", age=-400 * 86_400)
    suppliers.run("--supplier=1")
    suppliers.arrive(1, "b.csv", "A1;;;2;;", age=0)

    suppliers.run("--supplier=1")

    assert suppliers.stock(1) == {"A1": 2}


def test_what_a_file_becomes_after_it_was_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    for become, said in (
        (lambda: None, "is gone"),
        (lambda: os.mkfifo(path), "still being written"),
        (lambda: path.symlink_to("/etc/passwd"), "has become a link"),
    ):
        path.write_bytes(b"x")
        arrival = Folders.look(path)
        assert arrival is not None
        path.unlink()
        become()
        with pytest.raises(ChangedWhileRead, match=said):
            sha256_of(arrival)
        path.unlink(missing_ok=True)


def test_a_delta_that_comes_late_does_not_overwrite_a_newer_full_file(
    suppliers: Suppliers,
) -> None:
    suppliers.add(1, delta_glob="delta*")
    suppliers.arrive(1, "full.csv", "A1;;;1;;", age=100)
    suppliers.run("--supplier=1")
    suppliers.arrive(1, "delta_late.csv", "A1;;;9;;", age=200)

    suppliers.run("--supplier=1")

    assert suppliers.stock(1) == {"A1": 1}
    assert suppliers.results(1)[-1] == ("delta_late.csv", "superseded")

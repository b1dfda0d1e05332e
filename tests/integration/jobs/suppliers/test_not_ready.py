"""Files that are still being written when the import comes."""

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

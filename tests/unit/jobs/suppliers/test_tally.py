"""The list of rows that were left out, as people open it."""

import csv
from pathlib import Path

from cronops.jobs.suppliers import tally as home
from cronops.jobs.suppliers.tally import MOST_LISTED, Tally


def listed(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=";"))


def test_what_is_listed_steers_neither_a_terminal_nor_a_spreadsheet(tmp_path: Path) -> None:
    with Tally(tmp_path / "list.csv") as tally:
        tally.reject(2, "qty", "=HYPERLINK(1);x\r\n")
        tally.reject(3, "nul", "a\x1b[31m\x00;b")
        tally.note(4, "ean_length", "A1;4")

    assert listed(tmp_path / "list.csv") == [
        ["line", "row", "reason", "raw"],
        ["2", "rejected", "qty", "'=HYPERLINK(1);x"],
        ["3", "rejected", "nul", "a\ufffd[31m\ufffd;b"],
        ["4", "taken", "ean_length", "A1;4"],
    ]
    assert tally.examples[0] == (2, "qty", "=HYPERLINK(1);x")


def test_the_list_is_capped_and_says_how_many_more_there_are(tmp_path: Path) -> None:
    with Tally(tmp_path / "list.csv") as tally:
        for line in range(MOST_LISTED + 3):
            tally.reject(line, "qty", "x" * (home.LONGEST_SHOWN + 9) if line == 0 else "x")

    rows = listed(tmp_path / "list.csv")
    assert len(rows) == MOST_LISTED + 2
    assert rows[-1] == ["", "", "3 more", ""]
    assert len(rows[1][3]) == home.LONGEST_SHOWN
    assert tally.rejected == {"qty": MOST_LISTED + 3}


def test_where_nothing_is_wrong_there_is_no_list(tmp_path: Path) -> None:
    with Tally(tmp_path / "list.csv"):
        pass

    assert not (tmp_path / "list.csv").exists()

"""Names that are taken from partners, and given to them."""

from itertools import islice

import pytest

from cronops.clients.transfer.names import check_name, is_listed, numbered
from cronops.errors import BadInput

HOSTILE = [
    "",
    ".",
    "..",
    ".hidden",
    "../up",
    "a/b",
    "a\\b",
    "a\0b",
    "a\r\nDELE x",
    "a\x1b[2J",
    "\udcff.csv",
    "x" * 300,
    "ä" * 150,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused_and_not_listed(name):
    with pytest.raises(BadInput, match="is no name of a file"):
        check_name(name)
    assert not is_listed(name, "*")


@pytest.mark.parametrize("name", ["stock.csv", "Bestände vom 3. Mai.csv", "a'b\"c;d", "-rf", "~"])
def test_names_with_blanks_umlauts_and_quotes_are_names(name):
    assert check_name(name) == name
    assert is_listed(name, "*")


def test_unfinished_files_are_not_listed_and_patterns_know_their_case():
    names = ["a.csv", "a.csv.part", "b.tmp", "B.TMP", "A.CSV"]
    assert [name for name in names if is_listed(name, "*")] == ["a.csv", "A.CSV"]
    assert [name for name in names if is_listed(name, "*.csv")] == ["a.csv"]


def test_a_taken_name_is_numbered_before_its_ending():
    assert [*islice(numbered("a.csv"), 3)] == ["a.csv", "a.1.csv", "a.2.csv"]
    assert [*islice(numbered("README"), 2)] == ["README", "README.1"]

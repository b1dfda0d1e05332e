"""Lines of a batch: whatever they hold, they are an edit or a reason."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.errors import BadInput
from cronops.jobs.images.batches import _copied
from cronops.jobs.images.rows import COLUMNS, Edit, Reject, joined, read_header, split
from cronops.jobs.images.sources import normal_source
from cronops.jobs.images.store import place_of

READER = read_header(";".join(COLUMNS), delimiter=";", root="/sources")


@given(st.text(max_size=200))
def test_every_line_is_an_edit_a_reject_or_empty(line: str) -> None:
    row = READER.read(line.replace("\n", " "))
    assert row is None or isinstance(row, Edit | Reject)
    if isinstance(row, Edit):
        assert 1 <= row.position <= 9_999
        assert row.source is None or not row.source.startswith("/")
    if row is not None:
        # One line of COPY, with eight fields, whatever is in it.
        copied = _copied(2, row)
        assert copied.endswith("\n")
        assert copied.count("\n") == 1
        assert copied.count("\t") == 7


def test_the_largest_that_fits() -> None:
    number, source = "A" * 50, "x" * 2_000
    assert READER.read(f"{number};9999;add;{source}") == Edit(number, 9999, "add", source)
    assert READER.read(" A1 ; 1 ; Delete ; ") == Edit("A1", 1, "delete", None)
    assert isinstance(READER.read(f"{number}A;1;delete;"), Reject)
    assert isinstance(READER.read("A1;10000;delete;"), Reject)
    assert isinstance(READER.read(f"A1;1;add;{source}x"), Reject)


@given(st.lists(st.text(st.characters(exclude_characters="\r\n\0"), max_size=20), min_size=1))
def test_what_is_joined_is_split_again(fields: list[str]) -> None:
    assert split(joined(fields, ";"), ";") == fields


@given(st.text(st.characters(exclude_characters="\r\n\0"), max_size=60))
def test_a_line_is_split_as_the_csv_module_does(line: str) -> None:
    found = split(line, ";")
    if found is not None and line:
        assert found == next(csv.reader(io.StringIO(line), delimiter=";"))


@pytest.mark.parametrize(
    ("source", "normal"),
    [
        ("a.jpg", "a.jpg"),
        ("a//b/./c.jpg", "a/b/c.jpg"),
        ("/sources/a.jpg", "a.jpg"),
        ("https://example.com/a%20b.jpg?size=1", "https://example.com/a%20b.jpg?size=1"),
        ("a..b/c.jpg", "a..b/c.jpg"),
    ],
)
def test_sources(source: str, normal: str) -> None:
    assert normal_source(source, "/sources") == normal


@given(st.text(min_size=1, max_size=100))
def test_no_path_leads_out_of_the_root(source: str) -> None:
    try:
        normal = normal_source(source, "/sources")
    except ValueError:
        return
    if "://" not in normal:
        assert not normal.startswith("/")
        assert ".." not in normal.split("/")


def test_the_root_of_everything_is_a_root() -> None:
    assert normal_source("/etc/a.jpg", "/") == "etc/a.jpg"


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=50))
def test_an_articles_directory_is_one_name_and_its_own(article: str) -> None:
    shard, name = place_of(article)
    assert len(shard) == 2
    assert "/" not in name
    assert name not in (".", "..")
    assert len(name.encode()) <= 255
    assert place_of(article + "x") != (shard, name)


@pytest.mark.parametrize("header", ["", "article_number", "a;b;c;d", "article_number,position"])
def test_a_header_without_the_columns(header: str) -> None:
    with pytest.raises(BadInput, match="line 1 does not name the columns"):
        read_header(header, delimiter=";", root="/sources")

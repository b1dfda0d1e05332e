"""Suppliers' CSV files: well formed, odd, broken and hostile."""

import io
import re
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronops.errors import BadInput
from cronops.jobs.suppliers.csv_rows import MOST_LINES_OF_A_ROW, CsvRows
from cronops.jobs.suppliers.setting import ImportSetting
from cronops.jobs.suppliers.tally import Tally
from cronops.jobs.suppliers.text_blocks import LONGEST_LINE, blocks, encoding_of

MAP = {"sku": "Item", "ean": "EAN", "mpn": "MPN", "qty": "Stock", "price": "Price"}
HEADER = "Item;EAN;MPN;Stock;Price\n"
GOOD = "A1;4006381333931;M-1;5;1.50\n"
STAGED = "A1\t4006381333931\tM-1\t5\t1.50\n"


def setting(**fields: Any) -> ImportSetting:
    values: dict[str, Any] = {"supplier_id": 1, "name": "Test", "column_map": MAP}
    return ImportSetting(**(values | fields))


class Read:
    """What came of reading some bytes."""

    def __init__(self, content: str | bytes, by: ImportSetting | None = None) -> None:
        by = by or setting()
        data = content if isinstance(content, bytes) else content.encode()
        encoding = by.encoding
        if encoding == "auto":
            encoding = encoding_of(lambda: io.BytesIO(data))
        self.tally = Tally()
        rows = CsvRows(by, blocks(io.BytesIO(data), encoding), self.tally, name="stock.csv")
        self.order = rows.order
        self.text = "".join(rows)
        self.may_repeat = rows.may_repeat

    @property
    def lines(self) -> list[dict[str, str]]:
        rows = [line.split("\t") for line in self.text.splitlines()]
        return [dict(zip(self.order, row, strict=True)) for row in rows]


def test_a_well_formed_file() -> None:
    read = Read(HEADER + GOOD * 3)

    assert read.text == STAGED * 3
    assert read.tally.taken == 3
    assert not read.tally.rejected


def test_columns_are_found_by_name_whatever_its_case_and_order() -> None:
    by = setting(column_map={"sku": "Item", "qty": "Stock", "price": "price"})

    read = Read(" PRICE ;stock;Colour;item\n1.5;7;red;B2\n", by)

    assert read.lines == [{"price": "1.5", "qty": "7", "sku": "B2"}]


def test_columns_are_found_by_position_without_a_header() -> None:
    by = setting(header=False, column_map={"sku": 2, "qty": 3})

    assert Read("x;A1;5\ny;A2;6\n", by).lines == [
        {"sku": "A1", "qty": "5"},
        {"sku": "A2", "qty": "6"},
    ]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("Itm;EAN;MPN;Stock;Price\n", "lacks 'Item' for sku (is it 'Itm' now?)"),
        ("a,b,c\n", "lacks 'Item'"),
    ],
)
def test_a_header_that_lacks_a_column_names_the_nearest(header: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        Read(header + GOOD)

    assert said in str(caught.value)


def test_a_delta_may_lack_what_is_not_needed() -> None:
    read = Read("Item;Stock\nA1;4\n", setting(mode="delta"))

    assert read.order == ("sku", "qty")
    assert read.lines == [{"sku": "A1", "qty": "4"}]


def test_a_delta_in_a_zip_is_known_by_the_name_of_the_zip() -> None:
    by = setting(delta_glob="delta_*.zip")
    content = io.BytesIO(b"Item;Stock\nA1;4\n")

    rows = CsvRows(by, blocks(content, "utf-8"), Tally(), name="delta_1.zip/stock.csv")

    assert rows.order == ("sku", "qty")


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("utf-8", "Ü1;;;5;1\n".encode()),
        ("utf-8-sig", "Ü1;;;5;1\n".encode()),
        ("windows-1252", "Ü1;;;5;1\n".encode("windows-1252")),
        ("latin-1", "Ü1;;;5;1\n".encode("latin-1")),
        ("utf-16", "Ü1;;;5;1\n".encode("utf-16-le")),
    ],
)
@pytest.mark.parametrize("is_told", [True, False])
def test_encodings(encoding: str, content: bytes, is_told: bool) -> None:
    data = HEADER.encode(encoding) + content

    read = Read(data, setting(encoding=encoding if is_told else "auto"))

    assert read.lines[0]["sku"] == "Ü1"


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("delimiter", [";", "\t", ",", "|"])
def test_delimiters_and_quotes(delimiter: str, quote: str) -> None:
    cells = ["A1", "", f"M{delimiter}{quote}{quote}1", "5", "1.5"]
    line = delimiter.join(f"{quote}{cell}{quote}" for cell in cells)
    header = HEADER.replace(";", delimiter)

    read = Read(f"{header}{line}\n{line}\n", setting(delimiter=delimiter, quote=quote))

    expected = f"M{delimiter}{quote}1"
    if delimiter == "\t":
        assert read.tally.rejected == {"control_character": 2}
    else:
        assert [row["mpn"] for row in read.lines] == [expected, expected]


def test_a_quote_inside_a_cell_is_a_letter() -> None:
    by = setting(column_map={"sku": "Item", "qty": "Stock"})

    read = Read('Item;Name;Stock\nA1;wheel 8x18";3\nA2;tyre;4\n', by)

    assert read.lines == [{"sku": "A1", "qty": "3"}, {"sku": "A2", "qty": "4"}]


def test_without_quotes_a_quote_is_a_letter_everywhere() -> None:
    read = Read(HEADER + '"A1;;M"1";5;1\n', setting(quote=""))

    assert (read.lines[0]["sku"], read.lines[0]["mpn"]) == ('"A1', 'M"1"')


def test_a_decimal_comma_between_commas_is_in_quotes() -> None:
    by = setting(delimiter=",", decimal=",")

    read = Read(HEADER.replace(";", ",") + '"A1",,,"5","1,5"\n"A2",,,"6","2,25"\n', by)

    assert [row["price"].rstrip("0") for row in read.lines] == ["1.5", "2.25"]


def test_a_row_of_several_lines() -> None:
    by = setting(column_map={"sku": "Item", "qty": "Stock"})

    read = Read('Item;Name;Stock\nA1;"two\nlines; here";3\nA2;x;4\n', by)

    assert [row["sku"] for row in read.lines] == ["A1", "A2"]


def test_a_quote_that_is_never_closed_costs_its_own_row_only() -> None:
    read = Read(HEADER + 'A0;"oops;M;5;1\n' + GOOD * 200)

    assert read.tally.rejected == {"quoting": 1}
    assert read.tally.taken == 200
    assert read.tally.examples[0][:2] == (2, "quoting")


@pytest.mark.parametrize(
    "last",
    [
        'A9;;8x18";9;1\n',  # a quote that could close the one that was opened
        "A9;;\ufffd;9;1\n",
        "A9;;\0;9;1\n",
    ],
)
def test_a_stray_quote_does_not_swallow_the_rows_behind_it(last: str) -> None:
    rows = "".join(f"A{n};;M-1;{n};1\n" for n in range(1, 9))

    read = Read(HEADER + 'A0;"oops;M;5;1\n' + rows + last, setting(encoding="utf-8"))

    assert [row["sku"] for row in read.lines] == [f"A{n}" for n in range(10)]
    assert read.tally.rejected["quoting"] == 1
    assert read.tally.rows == 10


@pytest.mark.parametrize(("lines", "taken"), [(MOST_LINES_OF_A_ROW - 2, 2), (60, 1)])
def test_a_cell_has_so_many_lines_at_most(lines: int, taken: int) -> None:
    by = setting(column_map={"sku": "Item", "qty": "Stock"})

    read = Read('Item;Name;Stock\nA0;"one' + "\nmore" * lines + '\nlast";5\nA1;x;4\n', by)

    assert read.tally.taken == taken
    assert {row["sku"] for row in read.lines} >= {"A0", "A1"}


def test_rows_behind_a_quote_that_the_end_leaves_open_may_repeat_others() -> None:
    read = Read(HEADER + 'A1;;;5;1\nA2;"oops;M;5;1\nA1;;; 7 ;1\n')

    assert [row["sku"] for row in read.lines] == ["A1", "A2", "A1"]
    assert read.may_repeat


def test_an_ean_of_zeros_is_no_ean_in_a_well_formed_line_either() -> None:
    read = Read(HEADER + "A1;0000000000000;;5;1\n" + GOOD)

    assert [row["ean"] for row in read.lines] == ["", "4006381333931"]
    assert read.tally.noted == {"ean_placeholder": 1}


def test_a_sku_that_cannot_be_read_is_not_staged() -> None:
    read = Read(HEADER + "A\ufffd;;;5;1\n" + GOOD, setting(encoding="utf-8"))

    assert read.text == STAGED
    assert read.tally.rejected == {"encoding": 1}


def test_a_row_of_several_lines_with_a_bad_cell_is_named_by_its_first_line() -> None:
    read = Read(HEADER + 'A0;"two\nlines\ufffd";M;5;1\n' + GOOD, setting(encoding="utf-8"))

    assert read.tally.examples[0][:2] == (2, "quoting")
    assert read.lines[0] == {"sku": "A0", "ean": "", "mpn": "", "qty": "", "price": ""}
    assert read.tally.taken == 1


def test_a_byte_order_mark_in_the_middle_is_no_part_of_a_sku() -> None:
    half = (HEADER + GOOD).encode("utf-8-sig")

    read = Read(half + half)

    assert [row["sku"] for row in read.lines] == ["A1", "Item", "A1"]
    assert read.tally.rejected == {"qty": 1}


@pytest.mark.parametrize("header", ['"a"b;c', "Item;a\rb;Stock\x1b[31m"])
def test_a_first_line_that_is_no_row(header: str) -> None:
    with pytest.raises(BadInput, match="the first line cannot be cut") as refused:
        Read(f"{header}\n{GOOD}")

    assert str(refused.value).isprintable()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_bytes_that_cannot_be_of_the_encoding(encoding: str) -> None:
    with pytest.raises(BadInput, match=f"not in {encoding}"):
        Read(HEADER + GOOD, setting(encoding=encoding))


@pytest.mark.parametrize("returns", ["\r\n", "\r"])
def test_line_ends(returns: str) -> None:
    assert Read((HEADER + GOOD * 2).replace("\n", returns)).text == STAGED * 2


def test_blank_lines_are_no_rows() -> None:
    read = Read(f"\n\n{HEADER}\n{GOOD}\n\n{GOOD}\n")

    assert read.tally.rows == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A1;;;x;1\n", "qty"),
        ("A1;;;;1\n", "qty"),
        ("A1;;;1;1.234,56\n", "price"),
        (";;;1;1\n", "sku_missing"),
        ("A1;;;1\n", "columns"),
        ("A1;;;1;1;surplus\n", "columns"),
        ("A\x001;;;1;1\n", "nul"),
        ("A1;;\x07;1;1\n", "control_character"),
        (f"{'A' * 101};;;1;1\n", "sku_too_long"),
        (f"A1;;{'M' * 101};1;1\n", "mpn_too_long"),
        ('"A1"x;;;1;1\n', "quoting"),
    ],
)
def test_a_bad_row_is_counted_with_its_line_and_the_others_are_taken(row: str, reason: str) -> None:
    read = Read(HEADER + GOOD + row + GOOD)

    assert read.tally.rejected == {reason: 1}
    assert read.tally.taken == 2
    assert read.tally.examples == [(3, reason, row.rstrip("\n"))]


def test_a_rejected_row_says_that_its_stock_is_not_known() -> None:
    read = Read(HEADER + "A7;;;x;1\n")

    assert read.lines == [{"sku": "A7", "ean": "", "mpn": "", "qty": "", "price": ""}]


def test_surplus_empty_cells_do_no_harm() -> None:
    assert Read(HEADER + "A1;4006381333931;M-1;5;1.50;;\n").tally.taken == 1


def test_wrong_encoding_half_way_costs_those_rows_only() -> None:
    bad = "Ü;;;1;1\n".encode("windows-1252")

    read = Read(HEADER.encode() + "Ä1;;;1;1\n".encode() * 50 + bad + GOOD.encode() * 50)

    assert read.tally.rejected == {"encoding": 1}
    assert read.tally.taken == 100
    assert read.tally.examples[0][0] == 52


def test_an_endless_line_is_one_bad_row() -> None:
    read = Read(HEADER + GOOD + "x" * (3 * LONGEST_LINE) + "\n" + GOOD * 2)

    assert read.tally.rejected == {"line_too_long": 1}
    assert read.text == STAGED * 3


def test_the_stock_of_an_endless_line_is_not_known() -> None:
    read = Read(HEADER + "A7;" + "x" * (2 * LONGEST_LINE) + "\n" + GOOD)

    assert read.lines[0] == {"sku": "A7", "ean": "", "mpn": "", "qty": "", "price": ""}


def test_an_endless_first_line_is_no_header() -> None:
    with pytest.raises(BadInput, match="line 1 is longer than"):
        Read("x" * (2 * LONGEST_LINE))


@pytest.mark.parametrize("content", ["", "\n\n", " \n"])
def test_an_empty_file_is_said_to_be(content: str) -> None:
    with pytest.raises(BadInput, match="is empty"):
        Read(content)


def test_a_header_alone_has_no_rows() -> None:
    assert Read(HEADER).tally.rows == 0
    assert Read(HEADER.rstrip()).tally.rows == 0


@pytest.mark.parametrize("end", ["A2;40063", "A2;;;", '"A2;;;1;1', "A2;;;1;"[:5]])
def test_a_last_line_without_end_that_is_no_whole_row_means_truncated(end: str) -> None:
    with pytest.raises(BadInput, match="truncated"):
        Read(HEADER + GOOD + end)


def test_a_last_line_without_end_that_is_whole_is_taken() -> None:
    assert Read(HEADER + GOOD + GOOD.rstrip()).tally.taken == 2


def test_a_trailer_tells_the_rows() -> None:
    by = setting(trailer="END;")

    assert Read(HEADER + GOOD * 3 + "END;3\n", by).tally.taken == 3
    for wrong in (HEADER + GOOD * 2 + "END;3\n", HEADER + GOOD * 3):
        with pytest.raises(BadInput, match="truncated"):
            Read(wrong, by)


def test_rows_behind_the_trailer_are_not_taken() -> None:
    read_by = setting(trailer="END;")

    with pytest.raises(BadInput, match="truncated"):
        Read(HEADER + GOOD + "END;1\n" + GOOD, read_by)


def test_prices_in_another_currency_are_not_taken_for_euros() -> None:
    by = setting(column_map=MAP | {"currency": "Cur"})
    header = "Item;EAN;MPN;Stock;Price;Cur\n"

    read = Read(header + "A1;;;1;1.5;EUR\nA2;;;1;1.5;CHF\nA3;;;1;1.5;eur\n", by)

    assert read.tally.rejected == {"currency": 1}
    assert read.tally.taken == 2
    assert "currency" not in read.order


def test_what_copy_would_take_for_an_escape_is_escaped() -> None:
    assert Read(HEADER + "A\\N1;;\\.;1;1\n").text.startswith("A\\\\N1\t\t\\\\.\t")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["A1", "B 2", " C3", "D\\4", "É5", "F,6", "", "G" * 99]),
            st.sampled_from(["", "4006381333931", "4006381333932", "36000291452", "4E12"]),
            st.sampled_from(["", "M-1", 'x"y', '"q;q"', "1,5"]),
            st.sampled_from(["5", ">20", "20+", "Y", "-1", "x", "007", "3,0"]),
            st.sampled_from(["", "1,5", "12", "1.5", "0,12345", "99999999,9999"]),
        ),
        min_size=1,
        max_size=12,
    ),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_lines_that_are_read_fast_mean_the_same_as_those_read_with_patience(
    rows: list[tuple[str, ...]], is_quoted: bool
) -> None:
    """One file at a time is read whole, or line by line: rows do not depend on their neighbours."""
    quote = '"' if is_quoted else ""
    lines = [
        ";".join(cell if '"' in cell else f"{quote}{cell}{quote}" for cell in row) for row in rows
    ]
    by = setting(decimal=",")
    together = Read(HEADER + "".join(f"{line}\n" for line in lines), by)
    alone = [_patiently(line, by) for line in lines]

    assert _values(together) == [value for one in alone for value in _values(one)]
    assert together.tally.rejected == sum((one.tally.rejected for one in alone), Counter())
    assert together.tally.noted == sum((one.tally.noted for one in alone), Counter())


def _patiently(line: str, by: ImportSetting) -> Read:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cronops.jobs.suppliers.csv_rows.row_pattern", lambda *_: re.compile("(?!)"))
        return Read(f"{HEADER}{line}\n", by)


def _values(read: Read) -> list[dict[str, Any]]:
    return [
        row
        | {"qty": row["qty"] and int(row["qty"]), "price": row["price"] and Decimal(row["price"])}
        for row in read.lines
    ]


@given(
    st.lists(
        st.sampled_from(["A1", "A2", "A3", "B 1", "É", " A2", "x\\y", "", "A3;bad"]), max_size=9
    ),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_where_no_sku_may_have_come_twice_none_has(skus: list[str], is_sorted: bool) -> None:
    rows = sorted(skus) if is_sorted else skus

    read = Read(HEADER + "".join(f"{sku};;;1;1\n" for sku in rows))

    staged = [row["sku"] for row in read.lines]
    assert read.may_repeat or len(staged) == len(set(staged))
    if is_sorted and len(set(skus)) == len(skus) and set(skus) <= {"A1", "A2", "A3", "B 1"}:
        assert not read.may_repeat

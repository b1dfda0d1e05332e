"""Margin rules from words and from files."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.errors import BadInput
from cronops.jobs.stock.pricing import Rule
from cronops.jobs.stock.rule_file import read_rules, rule_from


def test_a_rule_is_made_of_words() -> None:
    words = {"kind": "percent", "value": "12,5", "brand": " OZ ", "valid_from": "2026-12-01"}

    assert rule_from({**words, "category": "", "tyre_size": None}) == Rule(
        id=0, kind="percent", value=Decimal("12.5"), brand="OZ", valid_from=date(2026, 12, 1)
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"value": "-100"}, "above -100"),
        ({"value": "-250"}, "above -100"),
        ({"value": "1e9"}, "makes sense"),
        ({"value": "1.234,56"}, "no number"),
        ({"value": "1,234,567"}, "no number"),
        ({"value": "NaN"}, "makes sense"),
        ({"value": "0.00001"}, "decimal places"),
        ({"value": ""}, "value is missing"),
        ({"kind": "double"}, "none of percent"),
        ({"article_number": "A1", "brand": "OZ"}, "names no category"),
        ({"product_type": "boat"}, "none of tyre"),
        ({"wheel_diameter": "0"}, "no diameter"),
        ({"wheel_diameter": "17.25"}, "decimal places"),
        ({"valid_from": "2026-02-01", "valid_until": "2026-01-01"}, "before valid_from"),
        ({"valid_from": "1.2.2026"}, "no date"),
        ({"supplier_id": "0"}, "at least 1"),
        ({"priority": "99999999999"}, "too large"),
        ({"brand": "O\x00Z"}, "printable"),
        ({"brand": "x" * 201}, "200 characters"),
        ({"active": "perhaps"}, "neither true nor false"),
        ({"marge": "1"}, "no column 'marge'"),
    ],
)
def test_what_makes_no_sense_is_refused(words: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError) as refused:
        rule_from({"kind": "percent", "value": "5", **words})

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "must name the columns"),
        (b"brand;value\nOZ;1\n", "kind and value"),
        (b"kind;value\n", "holds no rule"),
        (b"kind;value;kind\na;b;c\n", "occurs twice"),
        (b"kind;value\npercent;1;2\n", "line 2: it has 3 cells"),
        (b"kind;value;brand\npercent;1;\xe4\n", "not UTF-8: line 2"),
        (b"kind;value\npercent;\x00\n", "NUL"),
        (b'kind;value\npercent;"1\n', "line 2"),
        (b"kind;value;id\npercent;1;4\npercent;1;4\n", "rule 4 occurs twice"),
        (b"kind;value\n" + b"percent;x\n" * 15, "and 5 more"),
        (b"k" * (17 << 20), "larger than 16 MiB"),
    ],
)
def test_a_broken_file_is_refused_with_line_and_reason(
    tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "rules.csv"
    file.write_bytes(content)

    with pytest.raises(BadInput) as refused:
        read_rules(file)

    assert said in str(refused.value)
    assert str(file) in str(refused.value)


@pytest.mark.parametrize("delimiter", [";", ","])
def test_a_file_is_read_whichever_separator_it_has(tmp_path: Path, delimiter: str) -> None:
    file = tmp_path / "rules.csv"
    lines = [["Kind", "value", "brand", "id"], ["amount", "2.50", 'O"Z', ""], ["", "", "", ""]]
    quoted = [[cell.replace('"', '""') for cell in line] for line in lines]
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in quoted)
    file.write_text(text, encoding="utf-8-sig")

    assert read_rules(file) == [Rule(id=0, kind="amount", value=Decimal("2.5"), brand='O"Z')]


@given(st.binary(max_size=200))
def test_whatever_the_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "whatever.csv"
    file.write_bytes(b"kind;value;brand\n" + content)
    try:
        read_rules(file)
    except BadInput as refused:
        assert str(file) in str(refused)  # noqa: PT017 - either is right

"""What an export may be set to, and what of it is refused."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.errors import BadInput
from cronops.jobs.stock.setting import ExportSetting, problems_of
from cronops.jobs.stock.setting_file import read_setting, setting_from
from cronops.jobs.stock.shelf import check_is_not_ours

GIVEN: dict[str, Any] = {
    "name": "acme",
    "platform": "tyre24",
    "column_map": ["sku=article_number", "stock=qty", "cond==new=good"],
    "transport": "out",
    "file_pattern": "stock_{id}_{date}.csv",
}


def test_a_setting_is_made_of_words() -> None:
    made = setting_from({**GIVEN, "delimiter": "tab", "max_drop_pct": "30%"}, before=None)

    assert made == ExportSetting(
        id=0,
        name="acme",
        platform="tyre24",
        column_map=[("sku", "article_number"), ("stock", "qty"), ("cond", "=new=good")],
        transport="out",
        file_pattern="stock_{id}_{date}.csv",
        delimiter="\t",
        max_drop_pct=Decimal(30),
    )
    assert made.file_name("20261123T040000Z") == "stock_0_20261123.csv"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"file_pattern": "../stock.csv"}, "names no directory"),
        ({"file_pattern": "a\\stock.csv"}, "names no directory"),
        ({"file_pattern": "/etc/passwd"}, "names no directory"),
        ({"file_pattern": ".hidden"}, "begin with none"),
        ({"file_pattern": "stock.csv.part"}, "neither in .part"),
        ({"file_pattern": "stock\n.csv"}, "file name"),
        ({"file_pattern": "{supplyer}.csv"}, "{supplyer} is none of"),
        ({"name": "a/b", "file_pattern": "{name}.csv"}, "names no directory"),
        ({"name": "..", "file_pattern": "{name}"}, "begin with none"),
        ({"column_map": ["sku=artikel"]}, "'artikel' is none of"),
        ({"column_map": ["a=qty", "a=price"]}, "'a' occurs twice"),
        ({"column_map": []}, "no columns"),
        ({"column_map": "sku"}, "must be"),
        ({"column_map": ["sku"]}, "NAME=SOURCE"),
        ({"format": "xml", "column_map": ["1st=qty"]}, "XML element"),
        ({"format": "xml", "column_map": ["a><b=qty"]}, "XML element"),
        ({"format": "xml", "column_map": ["XmlStock=qty"]}, "XML element"),
        ({"format": "jsonl", "encoding": "latin-1"}, "always UTF-8"),
        ({"format": "jsonl", "decimal_mark": ","}, "decimal point"),
        ({"format": "xlsx"}, "is none of csv"),
        ({"delimiter": "ab"}, "delimiter"),
        ({"delimiter": '"'}, "delimiter"),
        ({"delimiter": "\n"}, "delimiter"),
        ({"delimiter": "5"}, "delimiter"),
        ({"encoding": "ebcdic"}, "is none of utf-8"),
        ({"quoting": "some"}, "is none of minimal"),
        ({"transport_surcharge": "-1"}, "negative"),
        ({"transport_surcharge": "1.234"}, "decimal places"),
        ({"transport_surcharge": "NaN"}, "makes sense"),
        ({"transport_surcharge": 1.5}, "must be a number"),
        ({"max_drop_pct": "120"}, "0 to 100"),
        ({"min_rows": "0"}, "no whole number"),
        ({"min_rows": True}, "no whole number"),
        ({"header": "yes"}, "true or false"),
        ({"name": "  "}, "printable"),
        ({"encodign": "utf-8"}, "did you mean 'encoding'"),
        ({"id": 5}, "no setting 'id'"),
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        setting_from({**GIVEN, **values}, before=None)

    assert said in str(refused.value)


@given(st.text(max_size=30))
def test_no_file_name_leads_out_of_its_directory(pattern: str) -> None:
    setting = ExportSetting(
        id=1, name="n", platform="p", column_map=[("a", "qty")], transport="t", file_pattern=pattern
    )
    if list(problems_of(setting)):
        return
    name = setting.file_name("20261123T040000Z")
    assert Path("/root", name).parent == Path("/root")
    assert name not in ("", ".", "..")
    assert not name.startswith(".")
    assert name.isprintable()


@pytest.mark.parametrize(
    "place", ["generated", "generated/1", "x/../generated", "", ".", "file://{root}/generated"]
)
def test_nothing_is_delivered_among_the_generated_files(place: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="of its own"):
        check_is_not_ours(place.format(root=tmp_path), tmp_path)


@pytest.mark.parametrize("place", ["out", "generated-by-us", "sftp://host/generated"])
def test_anywhere_else_is_fine(place: str, tmp_path: Path) -> None:
    check_is_not_ours(place, tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", b"[1]", "an object"),
        ("a.json", b"{", "a.json"),
        ("a.json", b"[" * 100_000, "a.json"),
        ("a.json", b'{"a": "\xff"}', "not UTF-8"),
        ("a.toml", b"a = ", "a.toml"),
        ("a.json", b" " * 2_000_000, "too large"),
    ],
)
def test_a_broken_file_is_told(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)

    with pytest.raises(BadInput, match=said):
        read_setting(file)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_setting(tmp_path / "none.json")

"""What operators write into a supplier's setting."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cronops.jobs.suppliers.setting import nearest_ids
from cronops.jobs.suppliers.settings_check import changes, setting_of

LEAST = {"supplier_id": 23, "name": "Nord", "column_map": {"sku": "Item", "qty": "Stock"}}

XML = {"format": "xml", "row_tag": "item"}


def problems(**fields: Any) -> list[str]:
    setting, found = setting_of({**LEAST, **fields})
    assert (setting is None) == bool(found)
    return found


def test_the_least_there_has_to_be() -> None:
    setting, found = setting_of(LEAST)

    assert found == []
    assert setting is not None
    assert (setting.delimiter, setting.encoding, setting.mode) == (";", "auto", "full")


def test_values_as_options_and_files_write_them() -> None:
    setting, found = setting_of(
        LEAST
        | {
            "delimiter": "tab",
            "quote": "none",
            "max_age": "26h",
            "max_drop_pct": "12.5",
            "quiet": 0,
            "delta_glob": "none",
            "column_map": {"qty": "3", "sku": 1},
        }
    )

    assert found == []
    assert setting is not None
    assert (setting.delimiter, setting.quote) == ("\t", "")
    assert (setting.max_age, setting.quiet) == (timedelta(hours=26), timedelta(0))
    assert setting.max_drop_pct == Decimal("12.50")
    assert setting.column_map == {"sku": 1, "qty": 3}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"delimeter": ";"}, "did you mean 'delimiter'?"),
        ({"name": " "}, "name:"),
        ({"supplier_id": 0}, "supplier_id:"),
        ({"glob": "../*.csv"}, "pattern of file names"),
        ({"format": "json"}, "'csv' or 'xml'"),
        ({"delimiter": ";;"}, "one letter"),
        ({"delimiter": "a"}, "one letter"),
        ({"delimiter": "\n"}, "one letter"),
        ({"delimiter": " "}, "one letter"),
        ({"quote": ";"}, "both ';'"),
        ({"encoding": "utf-9"}, "no encoding 'utf-9'"),
        ({"encoding": "base64"}, "no encoding 'base64'"),
        ({"decimal": ";"}, "decimal:"),
        ({"thousands": "."}, "both '.'"),
        ({"header": "yes"}, "true or false"),
        ({"header": False}, "by their position"),
        ({"format": "xml"}, "row_tag is missing"),
        ({"row_tag": "item"}, "row_tag is for XML"),
        ({"format": "xml", "row_tag": "i", "column_map": {"sku": 1, "qty": 2}}, "by its path"),
        ({"column_map": {"sku": "Item"}}, "qty is missing"),
        ({"column_map": {"sku": "Item", "qty": " ITEM "}}, "both in"),
        ({"column_map": {"sku": "a", "quantity": "b"}}, "did you mean 'qty'"),
        ({"column_map": {"sku": 0, "qty": 1}}, "position from 1"),
        ({"column_map": ["sku"]}, "column_map:"),
        ({"mode": "partial"}, "'full' or 'delta'"),
        ({"currency": "CHF"}, "not converted"),
        ({"max_age": "soon"}, "max_age:"),
        ({"max_age": 0}, "longer than 0"),
        ({"min_rows": -1}, "min_rows:"),
        ({"min_rows": True}, "min_rows:"),
        ({"max_drop_pct": 101}, "0 to 100"),
        ({"max_reject_pct": "NaN"}, "0 to 100"),
        ({"yes_qty": 0}, "yes_qty:"),
        ({"name": "a\x1b[31mb"}, "cannot be shown"),
        ({"name": "a\nb"}, "cannot be shown"),
        ({"trailer": "\ud800"}, "cannot be shown"),
        ({"column_map": {"sku": "a\0", "qty": "b"}}, "cannot be shown"),
        ({"delimiter": "\ud800"}, "one letter"),
        ({"delimiter": "\x1b"}, "one letter"),
        # Codecs that take text apart in ways of their own, or take no bytes at all.
        ({"encoding": "idna"}, "no encoding 'idna'"),
        ({"encoding": "zlib"}, "no encoding 'zlib'"),
        ({"encoding": "undefined"}, "no encoding"),
        ({"quiet": "11m"}, "10 minutes at most"),
        ({**XML, "column_map": {"sku": "a[", "qty": "b"}}, "sku: 'a[' is no path"),
        ({**XML, "column_map": {"sku": "../a", "qty": "b"}}, "sku: '../a' is no path"),
    ],
)
def test_what_is_wrong_is_said(fields: dict[str, Any], said: str) -> None:
    assert said in "; ".join(problems(**fields))


@pytest.mark.parametrize(
    "encoding", ["auto", "utf-8", "utf-8-sig", "windows-1252", "latin-1", "utf-16", "cp850"]
)
def test_encodings_that_are_common(encoding: str) -> None:
    assert problems(encoding=encoding) == []


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert len(problems(decimal="x", mode="x", encoding="x")) == 3


def test_changes_are_what_differs() -> None:
    before, _ = setting_of(LEAST)
    after, _ = setting_of(LEAST | {"decimal": ","})
    assert before is not None
    assert after is not None

    assert changes(before, after) == {"decimal": (".", ",")}
    assert changes(before, before) == {}


def test_the_nearest_ids_look_alike_or_lie_next_to_it() -> None:
    assert nearest_ids(230, [4, 23, 231, 900]) == [23, 231, 4]
    assert nearest_ids(1200, [7, 23, 120]) == [120, 23, 7]
    assert nearest_ids(5, []) == []

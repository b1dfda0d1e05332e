"""Tables for people, JSON for programs."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path

import pytest

from cronops.cli.output import (
    Column,
    as_json_value,
    as_text,
    moment,
    plain_table,
    short_moment,
    show_record,
    show_table,
    span,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
COLUMNS = (Column("id", "run"), Column("why_not", shrinks=True))


class Colour(Enum):
    RED = "red"


def test_columns_are_aligned_under_their_titles():
    lines = plain_table(
        [{"id": 1, "why_not": "a"}, {"id": 200, "why_not": None}], COLUMNS, width=80
    )
    assert lines == ["RUN  WHY NOT", "1    a", "200  -"]


def test_only_columns_that_may_shrink_are_cut_to_the_width():
    row = {"id": "x" * 60, "why_not": "y" * 60}
    _header, line = plain_table([row], COLUMNS, width=100)
    assert len(line) == 100
    assert line.startswith("x" * 60 + "  ")
    assert line.endswith("y…")


def test_a_column_is_never_cut_to_nothing():
    row = {"id": "x" * 100, "why_not": "y" * 60}
    line = plain_table([row], COLUMNS, width=80)[1]
    assert line.endswith("y" * 19 + "…")


def test_a_value_of_several_lines_stays_one_row_and_control_characters_are_defused():
    (line,) = plain_table([{"id": 1, "why_not": "a\nb\x1b[31mred"}], COLUMNS, width=80)[1:]
    assert line == "1    a b�[31mred"


def test_nothing_to_show_is_a_sentence_for_people_and_an_empty_array_for_programs(capsys):
    show_table([], COLUMNS, as_json=False, empty="Nothing runs.")
    assert capsys.readouterr().out == "Nothing runs.\n"
    show_table([], COLUMNS, as_json=True, empty="Nothing runs.")
    assert json.loads(capsys.readouterr().out) == []


def test_json_has_keys_that_no_column_shows(capsys):
    show_table([{"id": 1, "hidden": True}], COLUMNS, as_json=True, empty="")
    assert json.loads(capsys.readouterr().out) == [{"id": 1, "hidden": True}]


def test_a_record_indents_further_lines_of_a_value(capsys):
    show_record({"run": "r1", "exit_code": 1, "error": "first\nsecond"}, as_json=False)
    assert capsys.readouterr().out == (
        "run        r1\nexit code  1\nerror      first\n           second\n"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 11, 23, 4, tzinfo=timezone(timedelta(hours=1))), "2026-11-23T03:00:00Z"),
        (timedelta(minutes=1, milliseconds=500), 60.5),
        (("a", "b"), ["a", "b"]),
        (frozenset({"b", "a"}), ["a", "b"]),
        (Colour.RED, "red"),
        (Decimal("1.10"), "1.10"),
        (Path("/x"), "/x"),
        (date(2026, 1, 2), "2026-01-02"),
        ({"n": {1: None}}, {"n": {"1": None}}),
    ],
)
def test_json_values(value, expected):
    assert as_json_value(value) == expected


def test_what_json_lacks_is_refused_rather_than_guessed():
    with pytest.raises(TypeError, match="object"):
        as_json_value(object())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "-"),
        ("", "-"),
        (False, "no"),
        (0, "0"),
        ([], "-"),
        (["a", "b"], "a, b"),
        ({"rows": 3, "more": [1]}, "rows=3, more=[1]"),
        (timedelta(seconds=90.7), "1m 30s"),
    ],
)
def test_texts(value, expected):
    assert as_text(value) == expected


def test_times_are_in_utc_with_their_age():
    assert moment(NOW - timedelta(minutes=3), now=NOW) == "2026-11-23 11:57:00Z (3m ago)"
    assert moment(NOW + timedelta(hours=2), now=NOW) == "2026-11-23 14:00:00Z (in 2h)"
    assert moment(NOW + timedelta(milliseconds=300), now=NOW).endswith("(now)")


def test_a_cell_leaves_out_what_is_today_or_this_year():
    assert short_moment(NOW - timedelta(hours=1), now=NOW) == "11:00:00Z (1h ago)"
    assert short_moment(NOW - timedelta(days=2), now=NOW) == "11-21 12:00Z (2d ago)"
    assert short_moment(NOW - timedelta(days=400), now=NOW) == "2025-10-19 (400d ago)"


def test_a_negative_duration_keeps_its_sign():
    assert span(timedelta(seconds=-5)) == "-5s"


def test_piped_output_does_not_import_rich():
    program = (
        "import sys; from cronops.cli.output import *;"
        "show_table([{'id': 1}], (Column('id'),), as_json=False, empty='');"
        "sys.exit('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr

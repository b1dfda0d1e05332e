"""YAML text: its values, the place of each part, and what is refused, with one finding each."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronops.schedules.findings import Finding, InvalidSchedules, Position
from cronops.schedules.source import Source, read_source


def read(text: str | bytes) -> Source:
    return read_source(text if isinstance(text, bytes) else text.encode())


def refusal(text: str | bytes) -> Finding:
    with pytest.raises(InvalidSchedules) as refused:
        read(text)
    [finding] = refused.value.findings
    assert finding.severity == "error"
    assert finding.message
    assert finding.instead
    return finding


def bomb() -> str:
    letters = "abcdefghij"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for below, letter in pairwise(letters):
        lines.append(f"{letter}: &{letter} [{', '.join([f'*{below}'] * 9)}]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: on", "on"),
        ("a: yes", "yes"),
        ("a: 12:30", "12:30"),
        ("a: 010", "010"),
        ("a: 0x1F", "0x1F"),
        ("a: 1_000", "1_000"),
        ("a: 2027-01-31", "2027-01-31"),
        ("a: '5'", "5"),
        ('a: "true"', "true"),
        ("a: 5", 5),
        ("a: -5", -5),
        ("a: 0.5", 0.5),
        ("a: 1e3", 1000.0),
        ("a: 01.5", "01.5"),
        ("a: 1.5.2", "1.5.2"),
        ("a: .inf", ".inf"),
        ("a: true", True),
        ("a: False", False),
        ("a: ~", None),
        ("a:", None),
        ("a: [1, x]", [1, "x"]),
        ("a: >-\n  one\n  two\n", "one two"),
        ("---\na: 1\n", 1),
        ("a: 1\n...\n", 1),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    assert read(text).value == {"a": value}


def test_anchors_are_taken() -> None:
    assert read("a: &x {b: 1}\nc: *x\n").value == {"a": {"b": 1}, "c": {"b": 1}}


def test_windows_line_ends_and_a_byte_order_mark_are_taken() -> None:
    source = read("\ufeffa: 1\r\nb:\r\n  c: 2\r\n")

    assert source.value == {"a": 1, "b": {"c": 2}}
    assert source.position(("b", "c")) == Position(3, 6)


def test_keys_are_text_whatever_they_look_like() -> None:
    assert read("on: 1\n5: 2\nnull: 3\n").value == {"on": 1, "5": 2, "null": 3}


# JSON escapes the rest by pairs of surrogates, which YAML does not know, and leaves DEL as it is.
TEXT = st.text(
    st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"], exclude_characters="\x7f")
)
# YAML looks no further than 1024 letters for the colon after a key.
KEY = TEXT.map(lambda key: key[:100])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(KEY, inner),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.dictionaries(KEY, JSON))
def test_json_is_read_as_json(value: dict[str, Any]) -> None:
    assert read(json.dumps(value)).value == value


def test_positions_are_those_of_values_and_of_keys() -> None:
    source = read("a:\n  - b: 1\n    cc: 'text'\n")

    assert source.position(("a", 0, "cc")) == Position(3, 9)
    assert source.key_position(("a", 0, "cc")) == Position(3, 5)
    assert source.position(("a", 0)) == Position(2, 5)
    assert source.position(("a", 0, "missing", "too")) == Position(2, 5)
    assert source.key_position(("a", 7, "missing")) == Position(2, 3)
    assert source.position(()) == Position(1, 1)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("a: 0 61 * * *", Position(1, 6)),
        ("a: '0 61 * * *'", Position(1, 7)),
        ('a: "0 61 * * *"', Position(1, 7)),
        ('a: "0\\u002061 * * *"', Position(1, 4)),
        ("a: >-\n  0 61 * * *", Position(1, 4)),
        ("a: '0\n  61 * * *'", Position(1, 4)),
    ],
)
def test_an_offset_counts_where_the_letters_are_those_of_the_value(
    text: str, position: Position
) -> None:
    assert read(text).position(("a",), 2) == position


def test_what_is_written_is_told_as_it_stands_there() -> None:
    source = read("a: 0.10\nb: {c: 1}")

    assert source.written(("a",)) == "0.10"
    assert source.written(("b",)) is None
    assert source.written(("b", "x", "y")) is None


@pytest.mark.parametrize(
    ("text", "rule", "position"),
    [
        ("", "empty-file", (1, 1)),
        ("\n# nothing\n", "empty-file", (1, 1)),
        ("---\n", "empty-file", (1, 1)),
        ("- a\n", "not-a-mapping", (1, 1)),
        ("text", "not-a-mapping", (1, 1)),
        ("a: 1\nb:\n\tc: 1\n", "yaml-tab", (3, 1)),
        ("a:\n  b: 1\n\tc: 1\n", "yaml-tab", (3, 1)),
        ("a: 1\nb: 2\na: 3\n", "duplicate-key", (3, 1)),
        ("1: x\n'1': y\n", "duplicate-key", (2, 1)),
        ("a: {b: 1, b: 2}", "duplicate-key", (1, 11)),
        ("a: 1\n---\nb: 2\n", "yaml-documents", (2, 1)),
        ("a: !!python/object:os.system x", "yaml-tag", (1, 4)),
        ("a: !mine x", "yaml-tag", (1, 4)),
        ("a: !!str 5", "yaml-tag", (1, 4)),
        ("a: !!int '5'", "yaml-tag", (1, 4)),
        ("a: !!set {b}", "yaml-tag", (1, 4)),
        ("a: !!binary eA==", "yaml-tag", (1, 4)),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "yaml-merge", (3, 3)),
        ("? [a]\n: 1\n", "yaml-key", (1, 3)),
        ("a: *b", "yaml-syntax", (1, 4)),
        ("a: [1", "yaml-syntax", (1, 6)),
        ("a: 'x", "yaml-syntax", (1, 6)),
        ("a: &x [*x]", "too-deep", (1, 4)),
        ("a: 1\nb: \x00", "yaml-control-character", (2, 4)),
        ("a: \x1b[31m", "yaml-control-character", (1, 4)),
        ("a: \x7f", "yaml-control-character", (1, 4)),
        (b"a: 1\nb: \xff", "not-utf-8", (2, 4)),
        ("a: 1".encode("utf-16"), "not-utf-8", (1, 1)),
        (b"\x89PNG\r\n", "not-utf-8", (1, 1)),
        (bomb(), "alias-bomb", (1, 8)),
        ("a: " + "[" * 40 + "]" * 40, "too-deep", (1, 34)),
        ("[" * 100_000, "too-deep", (1, 31)),
        ("{a: " * 100_000, "too-deep", (1, 121)),
        ("- " * 100_000, "too-deep", (1, 61)),
        ("\n".join(" " * n + "a:" for n in range(2000)), "too-deep", (31, 31)),
        (b"a: 1\n" * 600_000, "file-too-large", (500_000, 4)),
        (b"x" * 50_000_000, "file-too-large", (1, 1)),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "…",
)
def test_what_is_no_plain_yaml_is_refused_with_one_finding(
    text: str | bytes, rule: str, position: tuple[int, int]
) -> None:
    finding = refusal(text)

    assert (finding.rule, finding.position) == (rule, Position(*position))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("schedule: * * * * *", '"* * * * *"'),
        ("schedule: */5 * * * *", '"*/5 * * * *"'),
        ("schedule: @daily", '"@daily"'),
    ],
)
def test_an_expression_without_quotes_is_told_to_take_them(text: str, told: str) -> None:
    assert told in refusal(text).instead


@pytest.mark.parametrize("text", ["a: [1,\n", "a: [1,", "a: 1\nb: {c: 1\n", 'a: "x\n\n'])
def test_what_is_missing_at_the_end_is_told_in_a_line_that_exists(text: str) -> None:
    assert refusal(text).position.line <= len(text.splitlines())


def test_a_duplicate_key_names_both_lines() -> None:
    finding = refusal("a: 1\nb: 2\na: 3\n")

    assert "line 1" in finding.message
    assert finding.position.line == 3


def test_depth_and_size_that_a_real_file_has_pass() -> None:
    assert read("a: " + "[" * 29 + "]" * 29)
    assert read(f"a: {'x' * 2000}\n").value == {"a": "x" * 2000}


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    findings: tuple[Finding, ...] = ()
    try:
        source = read(text)
    except InvalidSchedules as refused:
        findings = refused.findings
        assert len(findings) == 1
    else:
        assert isinstance(source.value, dict)

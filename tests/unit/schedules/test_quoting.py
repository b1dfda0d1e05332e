"""Strings that every parser of YAML reads back as they were; Go's own is asked where it is here."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from cronops.schedules.render.quoting import Verbatim, indented, quoted, scalar
from tests.unit.schedules.awkward import AWKWARD

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])]
PLAIN = ["a", "CronJob", "queue-process-general", "v1.34", "app.kubernetes.io/name", "A_B__C"]


@given(st.text(max_size=900))
@example("\x85")
@pytest.mark.parametrize("loader", LOADERS)
def test_any_text_reads_back_as_value_item_and_key(loader: Any, text: str) -> None:
    _reads_back(loader, text)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("text", [*AWKWARD, *PLAIN])
def test_awkward_text_reads_back_as_value_item_and_key(loader: Any, text: str) -> None:
    _reads_back(loader, text)


@pytest.mark.parametrize("loader", LOADERS)
def test_every_character_reads_back(loader: Any) -> None:
    codes = [code for code in range(0x11000) if not 0xD800 <= code <= 0xDFFF]
    texts = ["".join(map(chr, codes[start : start + 256])) for start in range(0, len(codes), 256)]
    document = "\n".join(f"- {quoted(text)}" for text in texts)

    assert yaml.load(document, Loader=loader) == texts


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kubectl_reads_the_same(tmp_path: Path) -> None:
    every = "".join(chr(code) for code in range(0x3000) if not 0xD800 <= code <= 0xDFFF)
    texts = [*AWKWARD, *PLAIN, every, *_drawn(500)]
    lines = [f"  k{place}: {quoted(text)}" for place, text in enumerate(texts)]
    manifest = tmp_path / "map.yaml"
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map\ndata:\n"
    manifest.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")

    found = json.loads(
        subprocess.run(
            ["kubectl", "annotate", "--local", "-f", manifest, "a=b", "-o", "json"],
            check=True,
            capture_output=True,
        ).stdout
    )

    assert found["data"] == {f"k{place}": text for place, text in enumerate(texts)}


@pytest.mark.parametrize("text", PLAIN)
def test_names_stay_readable(text: str) -> None:
    assert quoted(text) == text


def test_a_text_is_one_line_of_what_an_editor_shows() -> None:
    shown = quoted('1: "zwölf"\n\t\x85\u202e\U0001f600')

    assert shown == '"1: \\"zwölf\\"\\n\\t\\x85\\u202E\\U0001F600"'


@pytest.mark.parametrize("character", ["\xad", "\u200b", "\u202e", "\u2066", "\ufe0f", "\ufeff"])
def test_what_nobody_would_see_is_shown(character: str) -> None:
    assert quoted(f"a{character}b") == f'"a{_hex(character)}b"'


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(ValueError, match=r"U\+D800"):
        quoted("a\ud800")


@pytest.mark.parametrize(
    ("value", "written"), [(True, "true"), (False, "false"), (0, "0"), (1209600, "1209600")]
)
def test_truth_values_and_whole_numbers_stay_what_they_are(value: object, written: str) -> None:
    assert scalar(value) == written


@pytest.mark.parametrize("value", [None, 1.5, [], {}])
def test_what_has_no_place_in_a_manifest_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be written"):
        scalar(value)


def test_text_made_by_a_template_is_not_quoted_again() -> None:
    assert scalar(Verbatim("a: b")) == "a: b"
    assert indented(Verbatim("a: b\nc: d"), 2) == "  a: b\n  c: d"


def _hex(character: str) -> str:
    return f"\\x{ord(character):02X}" if ord(character) < 256 else f"\\u{ord(character):04X}"


def _reads_back(loader: Any, text: str) -> None:
    written = quoted(text)
    document = f"{written}: {written}\nlist:\n  - {written}\n  - {written}: 1\n"

    assert "\n" not in written
    assert yaml.load(document, Loader=loader) == {text: text, "list": [text, {text: 1}]}


def _drawn(count: int) -> list[str]:
    """Texts of characters from all over Unicode, the same each time."""
    step = 7919
    codes = (
        code
        for code in (n * step % 0x110000 for n in range(1, 40 * count))
        if code & 0x1FF800 != 0xD800
    )
    return ["".join(chr(next(codes)) for _ in range(1 + n % 20)) for n in range(count)]

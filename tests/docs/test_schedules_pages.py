"""What the pages show of `cronops schedules` is what it prints."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cronops.cli.failure import run
from tests.docs.test_pages import ROOT, blocks

SHOWN = {"README.md": ("schedules.yaml", "k8s"), "docs/schedules.md": ("schedules.yaml",)}
"""The pages, and what their commands find in the directory they are typed in."""
LEFT_OUT = "..."
# Where something stands, how long it is until then, and how many there are: these change with
# every entry, and with every day, and nobody reads them here.
CHANGING = re.compile(
    r":\d+:\d+: |\bline \d+|-?\d+[dhms]( \d+[hms])?\b|\b\d+ \w+ 20\d\d in |\(for .* more\)"
    r"|^\d+ schedules.*|\b\d+ (?=written|files)"
)


def typed(page: str) -> Iterator[tuple[str, list[str]]]:
    """Each command that a page shows, and the lines it shows below."""
    for block in blocks(ROOT / page, "console"):
        for part in re.split(r"^\$ ", block.replace("\\\n", ""), flags=re.M)[1:]:
            command, *shown = part.splitlines()
            yield command, shown


def plain(line: str) -> str:
    return " ".join(CHANGING.sub(" # ", line).split())


def holds(shown: list[str], printed: list[str]) -> bool:
    """Whether the lines are what was printed, but for those that are left out."""
    if not shown or not printed:
        return [one for one in shown if one != LEFT_OUT] == printed
    if shown[0] == LEFT_OUT:
        return holds(shown[1:], printed) or holds(shown, printed[1:])
    return shown[0] == printed[0] and holds(shown[1:], printed[1:])


@pytest.mark.parametrize("page", SHOWN)
def test_what_is_shown_is_what_is_printed(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in SHOWN[page]:
        found = ROOT / name
        (shutil.copytree if found.is_dir() else shutil.copy)(found, tmp_path / name)
    monkeypatch.chdir(tmp_path)

    done = 0
    for command, shown in typed(page):
        if command.startswith("sed ") and " > " in command:
            subprocess.run(["bash", "-c", command], check=True)
        if not (command.startswith("cronops schedules ") and shown):
            continue
        run(shlex.split(command)[1:])
        sys.stdout.flush()
        printed = capfd.readouterr().out.splitlines()
        assert holds([*map(plain, shown)], [*map(plain, printed)]), "\n".join([command, *printed])
        done += 1

    assert done >= 4


@pytest.mark.parametrize(
    ("shown", "holding"),
    [("a b", True), ("a ... c", False), ("... b", True), ("a ...", True), ("a", False)],
)
def test_only_what_says_so_is_left_out(shown: str, holding: bool) -> None:
    assert holds(shown.split(), ["a", "b"]) == holding

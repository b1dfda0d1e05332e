"""What a test does whose outside tool is missing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import tools

ALL = (tools.promtool, tools.hadolint, tools.checkov, tools.helm_python)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    monkeypatch.setattr(tools, "_TOOLS", bin_directory)
    monkeypatch.delenv(tools.REQUIRE_TOOLS_VARIABLE, raising=False)
    return bin_directory


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("tool", ALL)
def test_a_missing_tool_skips_and_says_how_to_get_it(tool: Callable[[], str]) -> None:
    with pytest.raises(pytest.skip.Exception, match="make tools"):
        tool()


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("tool", ALL)
def test_in_ci_a_missing_tool_fails(
    tool: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(tools.REQUIRE_TOOLS_VARIABLE, "1")

    with pytest.raises(pytest.fail.Exception, match="make tools"):
        tool()


def test_half_an_installation_is_none(empty: Path) -> None:
    (empty / "promtool").touch()
    with pytest.raises(pytest.skip.Exception):
        tools.promtool()

    (empty.parent / ".ready").touch()
    assert tools.promtool() == str(empty / "promtool")

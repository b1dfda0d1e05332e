"""Rules of the house that import-linter and ruff do not know."""

import ast
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "cronops").rglob("*.py"))
# Finds every setting; nothing else may depend on what a shell or a pod happens to set.
READS_THE_ENVIRONMENT = ROOT / "cronops/config/load.py"


def test_only_the_settings_read_the_environment() -> None:
    readers = [
        module
        for module in MODULES
        if {"environ", "getenv"} & set(_attributes(module)) and module != READS_THE_ENVIRONMENT
    ]

    assert readers == []


def test_public_names_are_those_that_type_checkers_see() -> None:
    import cronops

    tree = ast.parse((ROOT / "cronops/__init__.py").read_text())
    [for_type_checkers] = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.asname
        for node in for_type_checkers.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert seen == set(cronops.__all__) - {"__version__"}
    assert all(getattr(cronops, name) is not None for name in cronops.__all__)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-runtime.lock"])
def test_the_lock_holds_what_the_project_asks_for(lock: str) -> None:
    pinned = _pinned(ROOT / lock)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"]]
    if lock == "requirements.lock":
        for extra in project["optional-dependencies"].values():
            asked += [one for one in extra if not one.startswith("cronops[")]

    for text in asked:
        requirement = Requirement(text)
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{text} is not in {lock}; run: make lock"
        assert requirement.specifier.contains(version), f"{lock} has {version}; run: make lock"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-runtime.lock"])
def test_the_lock_names_no_host_and_hashes_everything(lock: str) -> None:
    lines = [
        line for line in (ROOT / lock).read_text().splitlines() if not line.lstrip().startswith("#")
    ]

    assert [line for line in lines if "://" in line or line.startswith("-")] == []
    assert all(line.endswith("\\") for line in lines if "==" in line)


def _attributes(module: Path) -> list[str]:
    nodes = ast.walk(ast.parse(module.read_text()))
    return [node.attr for node in nodes if isinstance(node, ast.Attribute)]


def _pinned(lock: Path) -> dict[str, str]:
    lines = [line for line in lock.read_text().splitlines() if "==" in line]
    return dict(line.split(";")[0].rstrip(" \\").split("==") for line in lines)

"""The outside tools that some tests run; `make tools` installs them into .tools.

Where one is missing, a test that asks for it is skipped and says so; with
``CRONOPS_TEST_REQUIRE_TOOLS=1``, as CI sets it, it fails.
"""

import os
from pathlib import Path
from typing import NoReturn

import pytest

REQUIRE_TOOLS_VARIABLE = "CRONOPS_TEST_REQUIRE_TOOLS"

_TOOLS = Path(__file__).parents[1] / ".tools/bin"


def promtool() -> str:
    """Prometheus' checker of rules."""
    return _path_of("promtool")


def hadolint() -> str:
    """The linter of Dockerfiles."""
    return _path_of("hadolint")


def checkov() -> str:
    """The checker of manifests; run it with ``--skip-download``, it asks a server otherwise."""
    return _path_of("checkov")


def helm_python() -> str:
    """A Python, 3.12 or newer, that has ``helm_sdkpy``, Helm's own engine, and nothing of ours."""
    return _path_of("python")


def missing(what: str, remedy: str) -> NoReturn:
    """Skip the test, or fail it where everything has to be there."""
    reason = f"{what}; {remedy}"
    if os.environ.get(REQUIRE_TOOLS_VARIABLE) == "1":
        pytest.fail(f"{reason} ({REQUIRE_TOOLS_VARIABLE} is set)", pytrace=False)
    pytest.skip(reason)


def _path_of(name: str) -> str:
    path = _TOOLS / name
    # Without the stamp an installation broke off, and what is there may be half of it.
    if not path.exists() or not (_TOOLS.parent / ".ready").exists():
        missing(f"{name} is not in .tools", "to run this test: make tools")
    return str(path)

"""Against a real cluster; only collected where ``make e2e`` says which, and with what image."""

import os
from pathlib import Path

import pytest

IMAGE_VARIABLE = "CRONOPS_E2E_IMAGE"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Without an image there is nothing to try."""
    del collection_path
    return None if os.environ.get(IMAGE_VARIABLE) else True


@pytest.fixture(scope="session")
def image() -> str:
    """The image that the pods run, as the cluster pulls it."""
    return os.environ[IMAGE_VARIABLE]

"""Every change request has a feature of its own, and the specification's scenarios have one."""

import re
from pathlib import Path

from cronops.jobs import JOBS

FEATURES = Path(__file__).parent / "features"


def test_each_change_request_has_a_feature() -> None:
    """CR-001 to CR-014, each named in the first line of a file that is called after it."""
    wanted = {cr for job in JOBS.values() for cr in job.cr.split(", ")}
    assert wanted == {f"CR-{number:03d}" for number in range(1, 15)}
    found = {}
    for path in FEATURES.glob("cr_*.feature"):
        number = re.match(r"cr_(\d{3})_", path.name)
        assert number, path.name
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"Feature: CR-{number[1]}, "), path.name
        assert "\n  Scenario: " in text, path.name
        found[f"CR-{number[1]}"] = path
    assert set(found) == wanted


def test_the_specifications_scenarios_are_there() -> None:
    text = (FEATURES / "operating_model.feature").read_text(encoding="utf-8")
    assert text.count("  Scenario: ") == 5

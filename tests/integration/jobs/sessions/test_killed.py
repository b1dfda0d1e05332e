"""A purge that is killed between any two of its steps: what it left is the next one's."""

import os

import pytest

from tests.integration.jobs.sessions.conftest import Sessions
from tests.stepping import run_to_step

PURGE = ("sessions", "purge", "--wait", "10s")
# Before the first file, and after every five thousand.
STEPS = ["purge", "purged", "purged"]
OLD, YOUNG = 12_000, 300


def fill(sessions: Sessions) -> None:
    """Old sessions and young ones; links to one empty file each, which are made in no time."""
    for name, hours in (("old", 25), ("young", 1)):
        made = sessions.add(0, hours)
        made.rename(sessions.root.parent / name)
    for number in range(OLD):
        os.link(sessions.root.parent / "old", sessions.root / f"sess_old{number}")
    for number in range(YOUNG):
        young = sessions.root / f"sess_young{number}"
        young.unlink(missing_ok=True)
        os.link(sessions.root.parent / "young", young)


def names(sessions: Sessions) -> list[str]:
    return sorted(path.name for path in sessions.root.iterdir())


@pytest.mark.timeout(120)
def test_a_purge_killed_at_any_step(sessions: Sessions) -> None:
    database, directory = sessions.database, sessions.root.parent
    fill(sessions)
    assert run_to_step(database, directory, 0, *PURGE, env=sessions.env) == STEPS
    unbroken = names(sessions)
    assert unbroken == sorted(f"sess_young{number}" for number in range(YOUNG))
    for number in range(1, len(STEPS) + 1):
        fill(sessions)
        run_to_step(database, directory, number, *PURGE, env=sessions.env)
        left = len(names(sessions)) - YOUNG
        assert number == 1 or left < OLD - 5_000 * (number - 1)
        assert left > 0
        run_to_step(database, directory, 0, *PURGE, env=sessions.env)
        assert names(sessions) == unbroken, STEPS[number - 1]

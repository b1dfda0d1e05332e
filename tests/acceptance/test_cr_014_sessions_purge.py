"""CR-014, as the feature file tells it."""

import json
import os
import time
from pathlib import Path

from pytest_bdd import given, parsers, scenarios, then

from tests.acceptance.conftest import World

scenarios("features/cr_014_sessions_purge.feature")


@given(parsers.parse("the purge is configured for sessions of at most {hours:d} hours"))
def configured(world: World, hours: int) -> None:
    _directory(world).mkdir()
    world.environment |= {
        "CRONOPS_SESSIONS__DIRECTORY": str(_directory(world)),
        "CRONOPS_SESSIONS__ALLOWED": json.dumps([str(_directory(world))]),
        "CRONOPS_SESSIONS__MAX_AGE": f"{hours}h",
    }


@given("the directory was changed to one outside of what is allowed")
def elsewhere(world: World) -> None:
    world.environment["CRONOPS_SESSIONS__ALLOWED"] = json.dumps([str(world.directory / "other")])


@given(parsers.parse("a session that was used {hours:d} hours ago"))
def session(world: World, hours: int) -> None:
    _write(_directory(world) / f"sess_{hours}", hours)


@given("a link among the sessions to a file of the shop")
def link(world: World) -> None:
    file = _write(world.directory / "sess_of_the_shop", 1000)
    (_directory(world) / "sess_link").symlink_to(file)


@then(parsers.parse("only the session of {hours:d} hours ago is left"))
def left(world: World, hours: int) -> None:
    assert [path.name for path in _directory(world).iterdir()] == [f"sess_{hours}"]


@then("the file of the shop is still there")
def still_there(world: World) -> None:
    assert (world.directory / "sess_of_the_shop").read_text() == "user|i:1;"


def _directory(world: World) -> Path:
    return world.directory / "sessions"


def _write(path: Path, hours: int) -> Path:
    path.write_text("user|i:1;")
    used = time.time() - hours * 3600
    os.utime(path, (used, used))
    return path

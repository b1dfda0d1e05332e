"""Session files as PHP leaves them, some used lately and some not, the same for the same seed.

``python -m cronops.samples.sessions --count 1000`` makes them in the directory that
``CRONOPS_SESSIONS__DIRECTORY`` names.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from cronops.samples.tour import Step

_LETTERS = "0123456789abcdefghijklmnopqrstuv"
_DAYS = 4


def make_sessions(directory: Path, count: int, *, seed: int = 1) -> int:
    """Make session files that were last used within four days; how many within the last one.

    A link and a session of tomorrow are among them, which no purge touches.
    """
    directory.mkdir(parents=True, exist_ok=True)
    dice = random.Random(seed)  # noqa: S311 - sample data
    now, young = time.time(), 0
    for number in range(count):
        path = directory / ("sess_" + "".join(dice.choices(_LETTERS, k=26)))
        path.write_bytes(f"customer|i:{number};".encode())
        # The last of them tomorrow: by a server whose clock is wrong.
        ago = dice.uniform(0, _DAYS) if number < count - 1 else -1
        used = now - ago * 86_400
        os.utime(path, (used, used))
        young += ago < 1
    link = directory / "sess_link"
    link.unlink(missing_ok=True)
    link.symlink_to("/etc/hostname")
    return young


def tour() -> Iterator[Step]:
    """Commands that show a purge; they may be repeated."""
    yield Step(
        "Sessions of the last four days; they are kept for one.",
        "--count 1000",
        program="python -m cronops.samples.sessions",
    )
    yield Step("What would go?", "sessions purge --dry-run")
    yield Step("Delete what was not used for a day.", "sessions purge")


def main() -> int:
    """Make what the arguments ask for."""
    from cronops.config import load_settings

    parser = argparse.ArgumentParser(prog="python -m cronops.samples.sessions", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="so many sessions")
    parser.add_argument("--seed", type=int, default=1, help="others for another seed")
    given = parser.parse_args()
    directory = load_settings().settings.sessions.directory
    young = make_sessions(directory, given.count, seed=given.seed)
    sys.stdout.write(
        f"{given.count:,} sessions in {directory}, {young:,} of them used within a day, and a "
        "link.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

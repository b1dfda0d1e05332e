"""A directory of session files, and the command that purges it."""

import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.commands import CommandLine
from tests.databases import Database

HOUR = 3600
NAME = "sess_{:026d}"


def write(path: Path, hours: float, content: bytes = b"user|i:1;") -> Path:
    """A file that was last written so many hours ago."""
    path.write_bytes(content)
    age(path, hours)
    return path


def age(path: Path, hours: float) -> None:
    """Make it as old as that, the link itself where it is one."""
    written = time.time() - hours * HOUR
    os.utime(path, (written, written), follow_symlinks=False)


class Sessions:
    """A directory of sessions that are kept for a day."""

    def __init__(self, root: Path, database: Database, cli: CommandLine) -> None:
        self.root = root
        self.database = database
        self.env = {
            "CRONOPS_SESSIONS__DIRECTORY": str(root),
            "CRONOPS_SESSIONS__ALLOWED": json.dumps([str(root)]),
            "CRONOPS_SESSIONS__MAX_AGE": "24h",
        }
        self.cli = cli
        root.mkdir()

    def add(self, number: int, hours: float) -> Path:
        """A session that was last used so many hours ago."""
        return write(self.root / NAME.format(number), hours)

    def purge(
        self, *options: str, env: Mapping[str, str] | None = None, code: int = 0
    ) -> "subprocess.CompletedProcess[str]":
        """``sessions purge``, which is to end with `code`."""
        done = self.cli("sessions", "purge", *options, env=self.env | dict(env or {}))
        assert done.returncode == code, done.stderr
        return done

    def counts(self) -> dict[str, int]:
        """What the last run counted, without what it saw none of."""
        found = self.database.query("SELECT counts FROM run ORDER BY started_at DESC LIMIT 1")
        return {name: count for name, count in found[0][0].items() if count}

    def left(self) -> list[str]:
        """What lies below, links not followed."""
        return sorted(
            str((Path(directory) / name).relative_to(self.root))
            for directory, names, files in os.walk(self.root)
            for name in [*names, *files]
        )


@pytest.fixture
def sessions(database: Database, cli: CommandLine, tmp_path: Path) -> Sessions:
    """An empty directory of sessions."""
    return Sessions(tmp_path / "sessions", database, cli)

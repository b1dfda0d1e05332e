"""What is installed from a wheel has all it needs: the migrations are files, and not imported."""

import subprocess
import sys
import zipfile
from pathlib import Path

from cronops.db.upgrade import current
from tests.databases import Database

ROOT = Path(__file__).parents[2]


def test_a_wheel_migrates_a_database(empty_database: Database, tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    [wheel] = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)

    migrated = subprocess.run(
        [sys.executable, "-m", "cronops", "db", "upgrade"],
        env=empty_database.env | {"PYTHONPATH": str(installed)},
        cwd=installed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert migrated.returncode == 0, migrated.stderr
    assert current(empty_database.settings()) is not None

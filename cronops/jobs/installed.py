"""The entry points of installed packages, read straight off their metadata files.

`importlib.metadata` does the same for every kind of importer, but takes longer to import than
all of ``cronops --help`` may. Here a package is found where pip puts its metadata: in a
directory on ``sys.path``, editable installations included; one inside a zip file is not.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

_METADATA = re.compile(r"(?P<package>[^-]+)(?:-.+)?\.(?:dist|egg)-info")


def entry_points(group: str) -> Iterator[tuple[str, str, str]]:
    """Name, ``module:attribute`` and package of every entry point in `group`.

    In the order of ``sys.path``: where two packages offer one name, the first is imported first.
    """
    for directory in dict.fromkeys(sys.path):
        try:
            names = sorted(os.listdir(directory or "."))  # noqa: PTH208 - half the time of pathlib
        except OSError:
            continue  # a zip file, or gone
        for name in names:
            if match := _METADATA.fullmatch(name):
                package = match["package"].replace("_", "-")
                for entry, target in _read(Path(directory, name, "entry_points.txt"), group):
                    yield entry, target, package


def _read(file: Path, group: str) -> Iterator[tuple[str, str]]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return  # most packages have none
    section = None
    for line in map(str.strip, text.splitlines() if f"[{group}]" in text else ()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif section == group and "=" in line and not line.startswith(("#", ";")):
            name, _, target = line.partition("=")
            yield name.strip(), target.partition("[")[0].strip()  # extras are obsolete

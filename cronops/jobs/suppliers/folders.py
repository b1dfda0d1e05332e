"""A supplier's folders, and the ways a file goes through them."""

import hashlib
import json
import os
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cronops.errors import BadInput, ConfigurationError

INCOMING, PROCESSING, PROCESSED, REJECTED = "incoming", "processing", "processed", "rejected"
_ENDINGS_OF_PARTS = (".part", ".tmp", ".filepart")
_LONGEST_NAME = 200
REJECTS_ENDING, RESULT_ENDING = ".rejects.csv", ".result.json"


@dataclass(frozen=True)
class Arrival:
    """A file that has arrived, as it was seen."""

    path: Path
    name: str
    """As it arrived, without the folder."""
    size: int
    modified: datetime
    stamp: tuple[int, int, int]
    """Inode, size and time in nanoseconds: another stamp is another content."""


class ChangedWhileRead(BadInput):
    """Somebody still writes to the file; it is left for the next run."""


class Folders:
    """``incoming``, ``processing``, ``processed`` and ``rejected`` of one supplier."""

    def __init__(self, root: Path, supplier: int) -> None:
        self.home = root / str(supplier)

    def make(self) -> None:
        """Create those that are missing. Raises `ConfigurationError`."""
        try:
            for name in (INCOMING, PROCESSING, PROCESSED, REJECTED):
                (self.home / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"{self.home} cannot be used: {error.strerror}; see CRONOPS_SUPPLIERS__ROOT"
            ) from None

    def arrivals(self, folder: str) -> Sequence[Arrival]:
        """The regular files there, the oldest first; those that are in the making left out."""
        found = []
        try:
            entries = list(os.scandir(self.home / folder))
        except FileNotFoundError:
            return []
        for entry in entries:
            if entry.name.startswith(".") or entry.name.endswith(_ENDINGS_OF_PARTS):
                continue
            if entry.name.endswith((REJECTS_ENDING, RESULT_ENDING)) or is_strange(entry.name):
                continue
            arrival = self.look(Path(entry.path))
            if arrival is not None:
                found.append(arrival)
        return sorted(found, key=lambda one: (one.modified, one.name))

    def strange_names(self) -> list[str]:
        """Names in ``incoming`` that are left alone, as they can be shown."""
        incoming = self.home / INCOMING
        return [ascii(path.name)[:80] for path in incoming.iterdir() if is_strange(path.name)]

    @staticmethod
    def look(path: Path) -> Arrival | None:
        """The file as it is now; None where it is gone or is no regular file."""
        try:
            facts = path.lstat()
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(facts.st_mode):
            return None
        modified = datetime.fromtimestamp(facts.st_mtime, UTC)
        stamp = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
        return Arrival(path, path.name, facts.st_size, modified, stamp)

    def claim(self, arrival: Arrival) -> Arrival:
        """Move it to ``processing``, where nobody else looks for files."""
        if arrival.path.parent == self.home / PROCESSING:
            return arrival
        target = self.home / self.free_name(PROCESSING, arrival.name)
        arrival.path.rename(target)
        return replace(arrival, path=target)

    def give_back(self, arrival: Arrival) -> None:
        """Move it back to ``incoming``, unless another one of that name has come meanwhile."""
        target = self.home / INCOMING / arrival.name
        if not target.exists():
            arrival.path.rename(target)

    def free_name(self, folder: str, name: str) -> str:
        """A path below the home that nothing has: the name, with a number where it is taken."""
        stem, dot, ending = name.partition(".")
        for number in range(1, 1_000_000):
            candidate = f"{folder}/{name if number == 1 else f'{stem}-{number}{dot}{ending}'}"
            if not (self.home / candidate).exists():
                return candidate
        raise ConfigurationError(f"{self.home / folder} is full of files called {name}")

    def listing_of(self, arrival: Arrival) -> Path:
        """Where the rows of note are listed while the file is being processed."""
        return arrival.path.with_name(arrival.path.name + REJECTS_ENDING)

    def keep_listing(self, arrival: Arrival, kept_as: str) -> None:
        """Put the list of rejected rows to where the file goes."""
        listing = self.listing_of(arrival)
        if listing.exists():
            listing.rename(self.home / (kept_as + REJECTS_ENDING))

    def keep_result(self, kept_as: str, result: dict[str, Any]) -> None:
        """Write what became of the file to where it goes."""
        target = self.home / (kept_as + RESULT_ENDING)
        making = target.with_name(f".{target.name}.part")
        making.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        making.rename(target)

    def keep(self, arrival: Arrival, kept_as: str) -> None:
        """Put the file where it goes: the last thing that is done with it."""
        arrival.path.rename(self.home / kept_as)

    def forget(self, keep: timedelta) -> None:
        """Delete what was put away longer ago: the file, its list and, last, its result."""
        before = time.time() - keep.total_seconds()
        for folder in (PROCESSED, REJECTED):
            for result in (self.home / folder).glob(f"*{RESULT_ENDING}"):
                if result.lstat().st_mtime < before:
                    kept = str(result).removesuffix(RESULT_ENDING)
                    for path in (kept, kept + REJECTS_ENDING, result):
                        Path(path).unlink(missing_ok=True)


def is_strange(name: str) -> bool:
    """Whether a name is no text that can be recorded and shown, or leaves no room for an ending."""
    return not name.isprintable() or len(os.fsencode(name)) > _LONGEST_NAME


def sha256_of(arrival: Arrival) -> str:
    """The content's hash. Raises `ChangedWhileRead`."""
    with arrival.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        check_unchanged(arrival, file.fileno())
    return digest


def check_unchanged(arrival: Arrival, descriptor: int | None = None) -> None:
    """Raise `ChangedWhileRead` where the file is not what it was when it was looked at."""
    facts = os.fstat(descriptor) if descriptor is not None else arrival.path.stat()
    if (facts.st_ino, facts.st_size, facts.st_mtime_ns) != arrival.stamp:
        raise ChangedWhileRead(
            f"{arrival.name} was written to while it was read; it waits for the next run"
        )

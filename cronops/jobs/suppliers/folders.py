"""A supplier's folders, and the ways a file goes through them."""

import errno
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


class Unreadable(BadInput):
    """The file's rights do not let us read or move it."""


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
        for entry in self._entries(folder):
            if entry.name.startswith(".") or entry.name.endswith(_ENDINGS_OF_PARTS):
                continue
            if entry.name.endswith((REJECTS_ENDING, RESULT_ENDING)) or is_strange(entry.name):
                continue
            arrival = self.look(Path(entry.path))
            if arrival is not None:
                found.append(arrival)
        return sorted(found, key=lambda one: (one.modified, one.name))

    def _entries(self, folder: str) -> list["os.DirEntry[str]"]:
        try:
            entries = list(os.scandir(self.home / folder))
        except FileNotFoundError:
            return []
        if folder == PROCESSING:
            for inner in [one for one in entries if one.is_dir(follow_symlinks=False)]:
                entries += os.scandir(inner)
        return entries

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

    def has(self, place: str) -> bool:
        """Whether there is something at that path below the home."""
        return (self.home / place).exists()

    def is_claimed(self, arrival: Arrival) -> bool:
        """Whether it is in ``processing`` already."""
        return arrival.path.is_relative_to(self.home / PROCESSING)

    def claim(self, arrival: Arrival) -> Arrival:
        """Move it to ``processing``, where nobody else looks for files.

        It keeps its name, by which its mode is known: beside another one of that name, it has a
        folder of its own there. Raises `ChangedWhileRead` where it is gone.
        """
        if self.is_claimed(arrival):
            return arrival
        processing = self.home / PROCESSING
        target, number = processing / arrival.name, 1
        while target.exists():
            number += 1
            target = processing / str(number) / arrival.name
            target.parent.mkdir(exist_ok=True)
        with _told_as_gone(arrival):
            arrival.path.rename(target)
        return replace(arrival, path=target)

    def give_back(self, arrival: Arrival) -> None:
        """Move it back to ``incoming``, unless another one of that name has come meanwhile."""
        target = self.home / INCOMING / arrival.name
        if arrival.path.exists() and not target.exists():
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
        if arrival.path.exists():  # else somebody has taken it away
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
    """The content's hash. Raises `ChangedWhileRead`, `Unreadable`."""
    # What was a file when it was looked at may be a link or a pipe by now: nothing waits for it.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with _told_as_gone(arrival), os.fdopen(os.open(arrival.path, flags), "rb") as file:
        check_unchanged(arrival, file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        check_unchanged(arrival, file.fileno())
    return digest


def check_unchanged(arrival: Arrival, descriptor: int | None = None) -> None:
    """Raise `ChangedWhileRead` where the file is not what it was when it was looked at."""
    with _told_as_gone(arrival):
        facts = os.fstat(descriptor) if descriptor is not None else arrival.path.lstat()
    if (facts.st_ino, facts.st_size, facts.st_mtime_ns) != arrival.stamp:
        raise ChangedWhileRead(still_written(arrival))


def still_written(arrival: Arrival) -> str:
    """What is said of a file that somebody writes to."""
    return f"{arrival.name} is still being written; it waits for the next run"


@contextmanager
def _told_as_gone(arrival: Arrival) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise ChangedWhileRead(f"{arrival.name} is gone: somebody has moved it") from None
    except PermissionError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise ChangedWhileRead(f"{arrival.name} has become a link: it is left alone") from None

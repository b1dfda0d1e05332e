"""A directory of generated files: what is ours in it is kept as it should be, the rest let be.

``index.json`` lists what is ours, and is written twice: first with all that there was and will
be, marked as unfinished, and last as it should be. So whatever a killed run leaves behind, the
next one knows, and puts right. Two runs at once write one after the other.
"""

import fcntl
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from cronops.errors import BadInput, UsageError

INDEX = "index.json"
_ENVIRONMENT = "environment"
_GENERATOR = "cronops "
_NEW = ".cronops-new"


@dataclass
class Changes:
    """What became of a directory; paths below it, in order."""

    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    foreign: list[str] = field(default_factory=list)
    """Files that are not ours; left as they are."""


class Folder:
    """An output directory. Raises `UsageError` for one that must not be written into."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._look()

    def found(self) -> dict[str, str]:
        """Every file's text, ours or not; what is no text, or a link, is told as such."""
        return {name: self._text(name) for name in self._names if not name.endswith(_NEW)}

    def foreign(self, expected: Mapping[str, str]) -> list[str]:
        """Files that are neither ours nor to be."""
        ours = self._ours | expected.keys() | {INDEX}
        return [name for name in self._names if name not in ours and not name.endswith(_NEW)]

    def refuse_another(self, expected: Mapping[str, str]) -> None:
        """Raise `UsageError` where something else is kept here than what is `expected`.

        The other environment's manifests, or the chart, would all be stale, and removed.
        """
        kept, meant = self._index, json.loads(expected[INDEX])
        if kept and kept.get(_ENVIRONMENT) != meant.get(_ENVIRONMENT):
            raise UsageError(
                f"{self.path} holds {_kind(kept)}, and is not overwritten with {_kind(meant)}; "
                "name another directory, or empty this one first"
            )

    def write(self, expected: Mapping[str, str]) -> Changes:
        """Make ours what is `expected`, which lists itself in `INDEX`; each file at once or not."""
        self.path.mkdir(parents=True, exist_ok=True)
        with _locked(self.path):
            self._look()
            self.refuse_another(expected)
            return self._write(expected)

    def _write(self, expected: Mapping[str, str]) -> Changes:
        foreign = self.foreign(expected)
        present = set(self._names)
        changes = Changes(foreign=foreign)
        for name, text in sorted(expected.items()):
            if name in present and self._bytes(name) == text.encode():
                changes.unchanged += 1
            else:
                changes.written.append(name)
        left_over = {name for name in present if name.endswith(_NEW)}
        stale = sorted(present - expected.keys() - set(foreign) - {INDEX})
        changes.removed = [name for name in stale if name not in left_over]
        if not changes.written and not stale:
            return changes
        for name in left_over:
            self._remove(name)
        everything = sorted((self._ours | expected.keys()) - {INDEX})
        self._replace(INDEX, _journal(everything, json.loads(expected[INDEX])))
        for name in changes.written:
            if name != INDEX:
                self._replace(name, expected[name])
        for name in changes.removed:
            self._remove(name)
        self._replace(INDEX, expected[INDEX])
        return changes

    def _look(self) -> None:
        """See what is there; nothing below a directory that is not ours is looked at."""
        self._index: dict[str, Any] = {}
        self._names: list[str] = []
        self._ours: frozenset[str] = frozenset()
        if not _is_directory(self.path):
            return
        top = sorted(one.name for one in self.path.iterdir())
        # A run that was killed before it had an index has left at most its beginning.
        if top and top != [INDEX + _NEW]:
            self._index = self._read_index(top)
            self._ours = frozenset((*map(str, self._index["files"]), INDEX))
        self._names = sorted(_files_below(self.path))

    def _read_index(self, top: list[str]) -> dict[str, Any]:
        if INDEX not in top:
            raise UsageError(
                f"{self.path} holds what `cronops schedules` has not made, such as {top[0]}; name "
                "an empty directory, or one of its own"
            )
        try:
            index: Any = json.loads(self._bytes(INDEX) or b"")
            ours = isinstance(index["files"], dict | list)
            ours = ours and str(index["generator"]).startswith(_GENERATOR)
        except (ValueError, LookupError, TypeError, RecursionError):
            ours = False
        if not ours:
            raise UsageError(
                f"{self.path / INDEX} is no list of files that `cronops schedules` has written, so "
                "nobody knows which of them are its own; restore it, or name an empty directory"
            )
        known: dict[str, Any] = index
        return known

    def _bytes(self, name: str) -> bytes | None:
        """The content of a regular file; None for anything else."""
        try:
            descriptor = os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor
            return stream.read() if stat.S_ISREG(os.fstat(descriptor).st_mode) else None

    def _text(self, name: str) -> str:
        content = self._bytes(name)
        if content is None:
            return "(no regular file, or not readable)\n"
        try:
            return content.decode()
        except UnicodeDecodeError:
            return "(not UTF-8 text)\n"

    def _replace(self, name: str, text: str) -> None:
        """Write beside the file, then rename: whoever reads sees the old or the new."""
        path = self.path / _inside(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(path.name + _NEW)
        with suppress(FileNotFoundError):
            new.unlink()
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        with open(descriptor, "wb") as stream:  # noqa: PTH123 - a descriptor
            stream.write(text.encode())
        new.replace(path)

    def _remove(self, name: str) -> None:
        path = self.path / _inside(name)
        path.unlink(missing_ok=True)
        with suppress(OSError):  # not empty, or not there
            while path.parent != self.path:
                path = path.parent
                path.rmdir()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Nobody else writes meanwhile; where the file system has no locks, that is hoped for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_directory(path: Path) -> bool:
    """Whether it is there; raises `UsageError` where something else is."""
    if path.is_symlink():
        raise UsageError(f"{path} is a symbolic link; name the directory itself")
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is no directory; name one, or a path where one can be made")
    return path.exists()


def _files_below(path: Path) -> Iterator[str]:
    """Every file's path below; raises `UsageError` where links could lead out of the directory."""
    waiting = [path]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif entry.is_symlink() and entry.is_dir():
                    raise UsageError(
                        f"{entry.path} is a symbolic link to another directory; remove it"
                    )
                else:
                    yield Path(entry.path).relative_to(path).as_posix()


def _kind(index: Mapping[str, Any]) -> str:
    """What an index lists, as people say it."""
    if _ENVIRONMENT in index:
        return f"the manifests of {str(index[_ENVIRONMENT])[:60]}"
    return "a chart"


def _journal(names: list[str], finished: Mapping[str, Any]) -> str:
    """The index of a directory that is being written."""
    index = {"generator": f"{_GENERATOR}(unfinished)", "files": names}
    if _ENVIRONMENT in finished:
        index[_ENVIRONMENT] = finished[_ENVIRONMENT]
    return json.dumps(index, indent=2) + "\n"


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise BadInput(f"the path {name!r} leads out of the directory")
    return name

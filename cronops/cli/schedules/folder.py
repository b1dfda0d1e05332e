"""A directory of generated files: what is ours in it is kept as it should be, the rest let be.

``index.json`` lists what is ours, and is written twice: first with all that there was and will
be, marked as unfinished, and last as it should be. So whatever a killed run leaves behind, the
next one knows, and puts right.
"""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from cronops.errors import BadInput, UsageError

INDEX = "index.json"
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
        self._names = sorted(_files_below(path))
        listed = self._listed()
        if self._names and listed is None:
            raise UsageError(
                f"{path} holds files that `cronops schedules` has not made, such as "
                f"{self._names[0]}; name an empty directory, or one of its own"
            )
        self._ours = frozenset(listed or ())

    def found(self) -> dict[str, str]:
        """Every file's text, ours or not; what is no text, or a link, is told as such."""
        return {name: self._text(name) for name in self._names if not name.endswith(_NEW)}

    def foreign(self, expected: Mapping[str, str]) -> list[str]:
        """Files that are neither ours nor to be."""
        ours = self._ours | expected.keys() | {INDEX}
        return [name for name in self._names if name not in ours and not name.endswith(_NEW)]

    def write(self, expected: Mapping[str, str]) -> Changes:
        """Make ours what is `expected`, which lists itself in `INDEX`; each file at once or not."""
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
        self.path.mkdir(parents=True, exist_ok=True)
        for name in left_over:
            self._remove(name)
        everything = sorted((self._ours | expected.keys()) - {INDEX})
        self._replace(INDEX, _journal(everything))
        for name in changes.written:
            if name != INDEX:
                self._replace(name, expected[name])
        for name in changes.removed:
            self._remove(name)
        self._replace(INDEX, expected[INDEX])
        return changes

    def _listed(self) -> list[str] | None:
        """What the index says is ours; None where there is no index of ours."""
        if INDEX not in self._names:
            # A run that was killed before it had an index has left at most its beginning.
            return [] if self._names == [INDEX + _NEW] else None
        try:
            index: Any = json.loads(self._bytes(INDEX) or b"")
            files, generator = index["files"], index["generator"]
        except (ValueError, LookupError, TypeError, RecursionError):
            return None
        if not isinstance(files, dict | list) or not str(generator).startswith(_GENERATOR):
            return None
        return [*map(str, files), INDEX]

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


def _files_below(path: Path) -> Iterator[str]:
    """Every file's path below; raises `UsageError` where links could lead out of the directory."""
    if path.is_symlink():
        raise UsageError(f"{path} is a symbolic link; name the directory itself")
    if not path.exists():
        return
    if not path.is_dir():
        raise UsageError(f"{path} is no directory; name one, or a path where one can be made")
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


def _journal(names: list[str]) -> str:
    """The index of a directory that is being written."""
    index = {"generator": f"{_GENERATOR}(unfinished)", "files": names}
    return json.dumps(index, indent=2) + "\n"


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise BadInput(f"the path {name!r} leads out of the directory")
    return name

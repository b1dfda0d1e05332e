"""The renditions as files: ``STORE/1f/A0000042/3-large.jpg``, each whole or not there."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cronops.clients.confined import directory, open_directory, remove
from cronops.jobs.images.picture import EXTENSIONS, Made
from cronops.jobs.images.writing import Standstill, write_part

_LONGEST_NAME = 200


class Store:
    """The directory of all renditions.

    Whoever writes for an article holds its lock, so that nobody else does at the same time.
    Raises `Standstill` where the directory cannot be written: a full disk, a missing volume.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(
        self, article: str, position: int, made: Sequence[Made], *, step: Callable[[str], None]
    ) -> list[str]:
        """Write an image's renditions; their paths below the root.

        What was there of other renditions of this position is removed. `step` is called with the
        name before each becomes visible.
        """
        names = [f"{position}-{one.name}.{EXTENSIONS[one.format]}" for one in made]
        place = place_of(article)
        with self._open(*place, make=True) as there:
            self._sweep(there, position)
            parts = [f".{name}.part" for name in names]
            try:
                # All of them before the first is seen: a disk that is full leaves the old image.
                for part, one in zip(parts, made, strict=True):
                    write_part(part, there, [one.content])
            except OSError:
                for part in parts:
                    remove(part, there)
                raise
            for part, name in zip(parts, names, strict=True):
                step(name)
                os.rename(part, name, src_dir_fd=there, dst_dir_fd=there)
            for other in self._of(there, position):
                if other not in names:
                    remove(other, there)
            os.fsync(there)
        return ["/".join((*place, name)) for name in names]

    def remove(self, article: str, position: int) -> None:
        """Remove an image's renditions; the article's directory with the last of them."""
        shard, name = place_of(article)
        try:
            with self._open(shard) as above:
                try:
                    there = open_directory(name, above)
                except FileNotFoundError:
                    return
                try:
                    self._sweep(there, position)
                    for file in self._of(there, position):
                        remove(file, there)
                    os.fsync(there)
                finally:
                    os.close(there)
                with suppress(OSError):  # other images are still in it
                    os.rmdir(name, dir_fd=above)
                os.fsync(above)
        except _NothingThere:
            return

    def has(self, renditions: Any) -> bool:
        """Whether the files of what an image's row keeps are there, with these sizes.

        Of whatever else a row may hold, nothing is there.
        """
        if not isinstance(renditions, list) or not renditions:
            return False
        try:
            return all(
                (self._root / one["file"]).lstat().st_size == one["bytes"] for one in renditions
            )
        except (OSError, TypeError, KeyError, ValueError):
            return False

    @contextmanager
    def _open(self, *parts: str, make: bool = False) -> Iterator[int]:
        try:
            with directory(self._root, *parts, make=make) as there:
                yield there
        except FileNotFoundError as error:
            if not make and self._root.is_dir():
                raise _NothingThere from None
            raise _unwritable(self._root, error) from error
        except OSError as error:
            raise _unwritable(self._root, error) from error

    def _sweep(self, there: int, position: int) -> None:
        """Remove what a process that died in the middle has left of this image."""
        unfinished = re.compile(rf"\.{position}-.+\.part")
        for name in os.listdir(there):
            if unfinished.fullmatch(name):
                remove(name, there)

    def _of(self, there: int, position: int) -> list[str]:
        return [name for name in os.listdir(there) if name.startswith(f"{position}-")]


class _NothingThere(Exception):
    """No image of that shard was ever written."""


def place_of(article: str) -> tuple[str, str]:
    """The directories of an article: one of 256, and its own, safe whatever the number holds."""
    digest = sha256(article.encode()).hexdigest()
    name = quote(article, safe=" +,=@")
    if name.startswith("."):
        name = f"%2E{name[1:]}"
    if len(name) > _LONGEST_NAME:
        # Fifty characters of some scripts, quoted, are more than a file system takes.
        name = f"{name[: _LONGEST_NAME - 17]}~{digest[:16]}"
    return digest[:2], name


def _unwritable(root: Path, error: OSError) -> Standstill:
    return Standstill(
        f"the store {root} (CRONOPS_IMAGES__STORE) cannot be written: {error.strerror or error}"
    )

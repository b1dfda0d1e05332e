"""Where batches go when they have been read: `archive/` and `quarantine/`, nothing overwritten."""

import os
from collections.abc import Iterable
from itertools import count
from pathlib import Path, PurePath

from cronops.clients.confined import directory, exists
from cronops.jobs.images.writing import write_part

ARCHIVE = "archive"
QUARANTINE = "quarantine"
REJECTS = ".rejects.csv"
REASON = ".reason.txt"

# Of 255 bytes, all that a file system takes: the rest is for numbers, REJECTS, REASON.
_LONGEST_NAME = 200


def free_name(root: Path, folder: str, name: str) -> str:
    """`name`, or where it is taken in the folder, `name` with a number: ``images_a.2.csv``.

    Taken is what a batch lies under; what lies beside one is not looked at, so that a run that
    died between the two goes on under the same name. A name that leaves no room for those of what
    lies beside it is cut: ``images_aaa….csv``.
    """
    stem, suffix = PurePath(name).stem, PurePath(name).suffix
    if len(name.encode()) > _LONGEST_NAME:
        stem = stem.encode()[: _LONGEST_NAME - len(suffix)].decode(errors="ignore") + "…"
        name = stem + suffix
    with directory(root, folder, make=True) as there:
        if not exists(name, there):
            return name
        numbered = (f"{stem}.{number}{suffix}" for number in count(2))
        return next(one for one in numbered if not exists(one, there))


def is_filed(root: Path, folder: str, name: str) -> bool:
    """Whether something lies there under that name."""
    try:
        with directory(root, folder) as there:
            return exists(name, there)
    except FileNotFoundError:
        return False


def put_beside(root: Path, folder: str, name: str, blocks: Iterable[bytes]) -> None:
    """Write what explains a batch, whole or not at all; what an earlier run wrote is replaced."""
    with directory(root, folder, make=True) as there:
        part = f".{name}.part"
        write_part(part, there, blocks)
        os.rename(part, name, src_dir_fd=there, dst_dir_fd=there)
        os.fsync(there)


def file_away(
    root: Path, name: str, folder: str, filed_as: str, *, inode: int | None = None
) -> bool:
    """Move a batch, or whatever is called like one, to a folder; `filed_as` must be free.

    False where that name is gone, or is another file's than that of `inode`: whoever sent it
    has replaced it since it was read, and the new one stays.
    """
    with directory(root) as here, directory(root, folder, make=True) as there:
        try:
            if inode not in (None, _inode(name, here)):
                return False
            os.rename(name, filed_as, src_dir_fd=here, dst_dir_fd=there)
        except FileNotFoundError:
            return False
        # Looked at again: between a look and a move there is always a moment.
        as_read = inode in (None, _inode(filed_as, there))
        if not as_read:
            os.rename(filed_as, name, src_dir_fd=there, dst_dir_fd=here)
        os.fsync(there)
        os.fsync(here)
        return as_read


def _inode(name: str, parent: int) -> int:
    return os.stat(name, dir_fd=parent, follow_symlinks=False).st_ino

"""A directory of this machine, or mounted into it, below a root that nothing leads out of."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from cronops.clients.confined import NotAFile, open_below, open_file
from cronops.clients.landing import BLOCK, landing, sync_directory, told
from cronops.clients.patience import Deadline
from cronops.clients.transfer.location import confined
from cronops.clients.transfer.names import TEMPORARY, check_name, is_listed, numbered
from cronops.clients.transfer.protocol import RemoteFile
from cronops.errors import BadInput, ConfigurationError, TransientError

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
_RESERVED = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class DirectoryTransfer:
    """One directory; a `Transfer`.

    Every file is opened by its name in a directory that is held open, and that directory by
    its names below the root: a symbolic link that appears in the meantime leads nowhere.
    """

    def __init__(self, path: str, *, root: Path, total_timeout: timedelta) -> None:
        try:
            self._directory = confined(path, root)
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
        self.where = str(self._directory)
        self._root = root.resolve()
        self._total_timeout = total_timeout
        self._descriptor = -1

    def __enter__(self) -> Self:
        self._descriptor = self._open_below_root(self._directory)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def list(self, pattern: str = "*") -> "list[RemoteFile]":
        """The regular files whose name fits the shell pattern, by name."""
        with self._told(self.where), os.scandir(self._descriptor) as entries:
            names = [entry.name for entry in entries if is_listed(entry.name, pattern)]
            found = [self._look_at(name) for name in sorted(names)]
        return [file for file in found if file is not None]

    def download(self, name: str, target: Path, *, limit: int) -> RemoteFile:
        """Copy a file to `target`; one that changes while it is read is not taken."""
        origin = self._named(name)
        deadline = Deadline(self._total_timeout, origin)
        with self._open_file(name, origin) as source:
            before = _described(name, os.fstat(source.fileno()))
            with landing(target, limit=limit, origin=origin, deadline=deadline) as arriving:
                with self._told(origin):
                    while block := source.read(BLOCK):
                        arriving.take(block)
                arriving.expect(before.size)
                if _described(name, os.fstat(source.fileno())) != before:
                    raise TransientError(f"{origin} changed while it was read; is it complete?")
        return before

    def upload(self, source: Path, name: str) -> None:
        """Publish a file by temporary name, sync and rename."""
        place = self._named(name)
        part = name + TEMPORARY
        with _reading(source) as file, self._told(place):
            try:
                self._write(file, part, self._descriptor, place)
                os.rename(part, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
                sync_directory(self._descriptor)
            finally:
                with suppress(OSError):
                    os.unlink(part, dir_fd=self._descriptor)

    def move(self, name: str, directory: str) -> str:
        """Move a file to a directory below the root, made where missing; its name there.

        The name is reserved by an empty file, which the rename replaces; one that a killed move
        left behind is used by the next. To another file system the file is copied, and a copy
        that is there already is not made twice.
        """
        origin = self._named(name)
        try:
            aim = confined(str(self._directory / directory), self._root)
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
        there = self._open_below_root(aim, make=True)
        try:
            with self._open_file(name, origin) as source, self._told(origin):
                try:
                    taken = self._rename(self._descriptor, name, there, name)
                except OSError as error:
                    if error.errno != errno.EXDEV:
                        raise
                    taken = self._copy(source, name, there)
                    if _is_same(source, name, self._descriptor):
                        os.unlink(name, dir_fd=self._descriptor)
                sync_directory(there)
                sync_directory(self._descriptor)
        finally:
            os.close(there)
        return taken

    def _copy(self, source: BinaryIO, name: str, there: int) -> str:
        """Copy the file to another file system, where it is not yet there; its name."""
        for candidate in numbered(name):
            found = _size(candidate, there)
            if not found:
                break
            if _has_content_of(source, candidate, there):
                return candidate
        part = name + TEMPORARY
        try:
            source.seek(0)
            self._write(source, part, there, self._named(name))
            return self._rename(there, part, there, name)
        finally:
            with suppress(OSError):
                os.unlink(part, dir_fd=there)

    def _rename(self, directory: int, file: str, there: int, name: str) -> str:
        """Give a file the first name that nobody has; that name."""
        for candidate in numbered(name):
            with suppress(FileExistsError):
                os.close(os.open(candidate, _RESERVED, 0o666, dir_fd=there))
            if _size(candidate, there) == 0:
                try:
                    os.rename(file, candidate, src_dir_fd=directory, dst_dir_fd=there)
                except OSError:
                    os.unlink(candidate, dir_fd=there)
                    raise
                return candidate
        raise ConfigurationError(f"{self._named(name)}: every name for it is taken; clear out")

    def _write(self, source: BinaryIO, name: str, directory: int, place: str) -> None:
        deadline = Deadline(self._total_timeout, place)
        descriptor = os.open(name, _NEW_FILE, 0o666, dir_fd=directory)
        with os.fdopen(descriptor, "wb") as file:
            while block := source.read(BLOCK):
                deadline.check()
                file.write(block)
            file.flush()
            os.fsync(descriptor)
            written = os.fstat(descriptor).st_size
        expected = os.fstat(source.fileno()).st_size
        if written != expected:
            raise TransientError(
                f"{place}: {written:,} bytes were written where the file has {expected:,}; it "
                "changed in the meantime"
            )

    def _open_file(self, name: str, origin: str) -> BinaryIO:
        try:
            descriptor = open_file(name, self._descriptor)
        except FileNotFoundError:
            raise BadInput(f"{origin}: there is no such file, or no longer") from None
        except NotAFile:
            raise BadInput(f"{origin} is no regular file") from None
        except OSError as error:
            raise told(error, origin) from None
        return os.fdopen(descriptor, "rb")

    def _open_below_root(self, directory: Path, *, make: bool = False) -> int:
        parts = directory.relative_to(self._root).parts
        with self._told(str(directory)):
            # It was resolved: a link that stands there now came afterwards.
            return open_below(self._root, *parts, make=make, follow_root=False)

    def _look_at(self, name: str) -> RemoteFile | None:
        try:
            found = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None  # gone since the directory was read
        return _described(name, found) if stat.S_ISREG(found.st_mode) else None

    def _named(self, name: str) -> str:
        return f"{self.where}/{check_name(name)}"

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise told(error, doing) from None


@contextmanager
def _reading(source: Path) -> Iterator[BinaryIO]:
    try:
        file = source.open("rb")
    except OSError as error:
        raise told(error, str(source)) from None
    with file:
        yield file


def _described(name: str, found: os.stat_result) -> RemoteFile:
    modified = datetime.fromtimestamp(found.st_mtime_ns / 1e9, UTC)
    return RemoteFile(name, found.st_size, modified)


def _size(name: str, directory: int) -> int | None:
    """Of a regular file; None where there is none, -1 where something else has the name."""
    try:
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else -1


def _is_same(source: BinaryIO, name: str, directory: int) -> bool:
    # Under its name a newer one may have come in the meantime.
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(source.fileno()), os.stat(name, dir_fd=directory))
    return False


def _has_content_of(source: BinaryIO, name: str, directory: int) -> bool:
    if _size(name, directory) != os.fstat(source.fileno()).st_size:
        return False
    source.seek(0)
    try:
        descriptor = open_file(name, directory)
    except NotAFile:
        return False  # put there since it was looked at
    with os.fdopen(descriptor, "rb") as copy:
        while block := source.read(BLOCK):
            if copy.read(BLOCK) != block:
                return False
    return True

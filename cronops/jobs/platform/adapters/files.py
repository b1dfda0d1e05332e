"""Files in a directory or behind SFTP, FTPS, FTP, moved away when they are stored.

A file that is still being written is left alone: it is looked at before and after it is fetched.
One that pauses half-written cannot be read to its end, stays where it is, and is another file,
by its hash, when it is whole. Only what is found unreadable twice over is moved to the rejected.
"""

import glob
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cronops.errors import CronopsError
from cronops.jobs.platform.adapters.protocol import Cursor, Fetched, Place
from cronops.jobs.platform.formats.order import Page
from cronops.jobs.platform.formats.read import read_document

if TYPE_CHECKING:
    from cronops.clients.transfer import RemoteFile, Transfer
    from cronops.jobs.platform.adapters.configuration import FilesConfiguration
    from cronops.jobs.platform.adapters.table import Caller
    from cronops.jobs.platform.platforms import Platform


class FilesAdapter:
    """See `Adapter`."""

    marks_as_read = False
    acknowledges_at_once = 0
    acknowledgements_tried = 0
    files_away = True
    reads_ahead = False

    def __init__(
        self, configuration: "FilesConfiguration", platform: "Platform", caller: "Caller"
    ) -> None:
        self._configuration = configuration
        self._platform = platform
        self._caller = caller
        self._transfer: Transfer | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._files: dict[str, RemoteFile] = {}
        self._order: list[str] = []
        self._left: list[str] = []
        self.where = configuration.location

    def open(self, cursor: Cursor) -> Place | None:  # noqa: ARG002 - a file is there or not
        """List the files; the first one by name."""
        from cronops.clients.transfer import open_transfer

        opened = open_transfer(
            self._configuration.location,
            self._caller.settings,
            root=self._caller.settings.platform.root,
            credential=self._platform.credential,
            correlation_id=self._caller.correlation_id,
            pause=self._caller.pause,
        )
        self._transfer = opened.__enter__()
        self.where = self._transfer.where
        self._scratch = tempfile.TemporaryDirectory(prefix="cronops-orders-")
        self._files = {file.name: file for file in self._listed(self._configuration.pattern)}
        self._order = sorted(self._files)
        return self._place(0)

    def fetch(self, place: Place) -> Fetched | None:
        """One file's content; None where it changed meanwhile, or is gone."""
        assert self._transfer is not None  # noqa: S101 - opened
        assert self._scratch is not None  # noqa: S101 - opened
        assert place.token is not None  # noqa: S101 - places here are files
        name = place.token
        target = Path(self._scratch.name) / "fetched"
        try:
            self._transfer.download(name, target, limit=self._configuration.max_bytes)
        except CronopsError:
            if self._is_as_listed(name):
                raise
            return None
        content = target.read_bytes()
        target.unlink()
        return Fetched(content, name) if self._is_as_listed(name) else None

    def read(self, fetched: Fetched) -> Page:
        """The file's orders."""
        told = self._configuration
        return read_document(
            fetched.content, told.format, told, fetched.source, limit=told.max_bytes
        )

    def after(self, place: Place, page: Page) -> Place | None:  # noqa: ARG002 - files have no pages
        """The next file."""
        return self._place(place.number)

    def cursor_after(self, page: Page | None) -> Cursor | None:  # noqa: ARG002
        """What was read is not there any more."""
        return None

    def acknowledge(self, external_id: str) -> str | None:
        """Moving the file away is all there is."""

    def file_away(self, source: str, *, rejected: bool) -> None:
        """Move the file beside the others that are done with; one that is another by now stays."""
        assert self._transfer is not None  # noqa: S101 - opened
        told = self._configuration
        if not self._is_as_listed(source):
            return
        self._transfer.move(source, told.rejected if rejected else told.backup)

    def sources(self) -> Sequence[str]:
        """By name."""
        return self._order

    def waiting(self) -> Sequence[str]:
        """Files that were still being written."""
        return self._left

    def close(self) -> None:
        """Disconnect."""
        if self._transfer is not None:
            self._transfer.__exit__(None, None, None)
        if self._scratch is not None:
            with suppress(OSError):
                self._scratch.cleanup()

    def _place(self, index: int) -> Place | None:
        return Place(index + 1, self._order[index]) if index < len(self._order) else None

    def _is_as_listed(self, name: str) -> bool:
        """Whether it is the file that was there at first; told where it is not."""
        if list(self._listed(glob.escape(name))) == [self._files[name]]:
            return True
        self._left.append(f"{name} changed, or went, while it was read")
        return False

    def _listed(self, pattern: str) -> "Sequence[RemoteFile]":
        assert self._transfer is not None  # noqa: S101 - opened
        return self._transfer.list(pattern)

"""Fetches a supplier's files from elsewhere, and moves them aside there when they are done."""

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cronops.contract.context import JobContext
from cronops.errors import CronopsError
from cronops.jobs.suppliers.folders import INCOMING, PROCESSING, Folders
from cronops.jobs.suppliers.history import FileRecord, History
from cronops.jobs.suppliers.setting import ImportSetting

if TYPE_CHECKING:
    from cronops.clients.transfer.protocol import RemoteFile, Transfer

LARGEST_FILE = 2 * 1024**3
BACKUP = "backup"
# Files older than this are not being written any more: no second look is needed.
_SURELY_QUIET = timedelta(minutes=2)
_NO_MOVING = ("http://", "https://")


class Source:
    """Where a supplier's files lie: a directory, SFTP, FTP or HTTPS."""

    def __init__(
        self, ctx: JobContext, setting: ImportSetting, folders: Folders, history: History
    ) -> None:
        self._ctx, self._setting = ctx, setting
        self._folders, self._history = folders, history
        self._url = setting.source or ""
        self._listed: Sequence[RemoteFile] = ()
        self._done: set[str] = set()

    def fetch(self, *, update_anyway: bool) -> None:
        """Bring what is new into ``incoming``; of full files, only the newest.

        A file that was seen before, by name, size and time, is not fetched again; neither is one
        that a run which died has left in a folder.
        """
        here = {
            (one.name, one.size, int(one.modified.timestamp()))
            for folder in (INCOMING, PROCESSING)
            for one in self._folders.arrivals(folder)
        }
        with self._open() as transfer:
            self._listed = self._quiet_files(transfer)
            for file in self._wanted(update_anyway=update_anyway):
                if self._ctx.stopping:
                    return
                if file.modified and (file.name, file.size, int(file.modified.timestamp())) in here:
                    continue
                self._ctx.step("fetch", supplier=self._setting.supplier_id, file=file.name)
                target = self._folders.home / INCOMING / file.name
                got = transfer.download(file.name, target, limit=LARGEST_FILE)
                if got.modified is not None:
                    moment = got.modified.timestamp()
                    os.utime(target, (moment, moment))

    def waiting(self, *, update_anyway: bool) -> list[str]:
        """The names of what would be fetched."""
        with self._open() as transfer:
            self._listed = self._matching(transfer)
        return [file.name for file in self._wanted(update_anyway=update_anyway)]

    def note_done(self, record: FileRecord) -> None:
        """A file was dealt with in this run."""
        self._done.add(record.name)

    def tidy(self) -> str | None:
        """Move aside, at the other end, what has been dealt with; what is in the way, if anything.

        What could not be moved is seen again by the next run, and not imported again.
        """
        if self._url.startswith(_NO_MOVING):
            return None
        done = [file for file in self._listed if self._is_done(file)]
        if not done:
            return None
        try:
            with self._open() as transfer:
                # Meanwhile another file may have come under the same name: it stays.
                now = {file.name: file for file in transfer.list()}
                for file in done:
                    if now.get(file.name) == file:
                        self._ctx.step(
                            "back up", supplier=self._setting.supplier_id, file=file.name
                        )
                        transfer.move(file.name, BACKUP)
        except CronopsError as error:
            return f"files of {self._setting.name} stay where they were fetched from: {error}"
        return None

    def _open(self) -> "Transfer":
        from cronops.clients.transfer import open_transfer

        ctx = self._ctx
        return open_transfer(
            self._url,
            ctx.settings,
            root=ctx.settings.suppliers.root,
            credential=self._setting.credential,
            correlation_id=ctx.correlation_id,
            pause=ctx.pause,
        )

    def _quiet_files(self, transfer: "Transfer") -> list["RemoteFile"]:
        """Those that nobody seems to write to: the same in two looks, or old."""
        first = self._matching(transfer)
        quiet = self._setting.quiet
        if not quiet or not any(_is_young(file) for file in first):
            return first
        self._ctx.pause(quiet.total_seconds())
        second = set(self._matching(transfer))
        return [file for file in first if file in second]

    def _matching(self, transfer: "Transfer") -> list["RemoteFile"]:
        return [file for file in transfer.list() if self._setting.wants(file.name)]

    def _wanted(self, *, update_anyway: bool) -> list["RemoteFile"]:
        new = [file for file in self._listed if update_anyway or not self._was_seen(file)]
        full = [file for file in new if self._setting.mode_of(file.name) == "full"]
        deltas = [file for file in new if self._setting.mode_of(file.name) == "delta"]
        return [*_oldest_first(full)[-1:], *_oldest_first(deltas)]

    def _was_seen(self, file: "RemoteFile") -> bool:
        if file.size is None or file.modified is None:
            return False
        return self._history.was_seen(file.name, file.size, file.modified)

    def _is_done(self, file: "RemoteFile") -> bool:
        if file.size is None or file.modified is None:
            return file.name in self._done
        return self._was_seen(file) or self._is_older_full(file)

    def _is_older_full(self, file: "RemoteFile") -> bool:
        """A full file that was never fetched, because a newer one has been imported."""
        _, newest = self._history.last()
        is_full = self._setting.mode_of(file.name) == "full"
        return is_full and newest is not None and (file.modified or newest) < newest


def _is_young(file: "RemoteFile") -> bool:
    return file.modified is None or datetime.now(UTC) - file.modified < _SURELY_QUIET


def _oldest_first(files: Iterable["RemoteFile"]) -> list["RemoteFile"]:
    beginning = datetime.min.replace(tzinfo=UTC)
    return sorted(files, key=lambda file: (file.modified or beginning, file.name))

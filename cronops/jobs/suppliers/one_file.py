"""One file of one supplier: claimed, read, merged and recorded in one transaction, put away."""

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cronops.contract.context import JobContext
from cronops.errors import BadInput, Interrupted
from cronops.jobs.suppliers.content import read_content
from cronops.jobs.suppliers.folders import (
    PROCESSED,
    REJECTED,
    Arrival,
    ChangedWhileRead,
    Folders,
    Unreadable,
    check_unchanged,
    sha256_of,
)
from cronops.jobs.suppliers.history import FileRecord, History, Result
from cronops.jobs.suppliers.setting import ImportSetting
from cronops.jobs.suppliers.tally import Tally

if TYPE_CHECKING:
    import psycopg

    from cronops.jobs.suppliers.merge import Merged


class FileImport:
    """Imports the files of one supplier, one by one."""

    def __init__(
        self,
        ctx: JobContext,
        connection: "psycopg.Connection[Any]",
        setting: ImportSetting,
        folders: Folders,
        history: History,
    ) -> None:
        self._ctx, self._connection, self._setting = ctx, connection, setting
        self._folders, self._history = folders, history

    def run(self, arrival: Arrival, *, update_anyway: bool) -> FileRecord:
        """Import it, or find out why not.

        Raises `ChangedWhileRead` or `Unreadable` after giving it back.

        Whatever step it dies at: a run that finds it in ``processing`` again sees by its record
        whether it was merged, and either starts it over or only puts it away.
        """
        arrival = self._claim(arrival)
        self._step("read", arrival)
        try:
            sha256 = sha256_of(arrival)
            if not update_anyway and self._history.was_imported(sha256):
                record = self._record(
                    arrival, sha256, "repeated", "its content was imported before"
                )
                self._commit(record)
            else:
                record = self._import(arrival, sha256)
        except (ChangedWhileRead, Unreadable):
            self._folders.listing_of(arrival).unlink(missing_ok=True)
            self._folders.give_back(arrival)
            raise
        self.put_away(arrival, record)
        return record

    def supersede(self, arrival: Arrival) -> FileRecord:
        """Put it away unread: a newer file says what is in stock."""
        arrival = self._claim(arrival)
        record = self._record(arrival, None, "superseded", "a newer full file was imported")
        self._step("record", arrival)
        self._commit(record)
        self.put_away(arrival, record)
        return record

    def put_away(self, arrival: Arrival, record: FileRecord) -> None:
        """Everything that follows the commit; each part may have been done already."""
        kept_as = record.kept_as or ""
        self._step("keep listing", arrival)
        self._folders.keep_listing(arrival, kept_as)
        self._step("keep result", arrival)
        result = asdict(record)
        modified = record.modified_at
        result["modified_at"] = modified.isoformat() if modified else None
        self._folders.keep_result(kept_as, result)
        self._step("keep file", arrival)
        self._folders.keep(arrival, kept_as)

    def forget(self, keep: timedelta) -> None:
        """Delete what was put away longer ago, and the records of it."""
        from cronops.contract.lock import fence

        self._folders.forget(keep)
        with self._connection.transaction():
            self._history.forget(keep)
            fence(self._connection, self._ctx.tokens)

    def try_out(self, arrival: Arrival) -> "tuple[Tally, Merged]":
        """What importing it would do; nothing is written. Raises `BadInput`."""
        import psycopg

        tally = Tally()
        with self._connection.transaction():
            merged = self._merge(arrival, tally)
            raise psycopg.Rollback
        return tally, merged

    def _claim(self, arrival: Arrival) -> Arrival:
        """Move it to ``processing``.

        What a record says of where it was put is forgotten first, where somebody has moved it back
        from there: else, if this run died, the next one would take it for done.
        """
        from cronops.contract.lock import fence

        places = self._history.places(arrival.name, arrival.size, arrival.modified)
        moved = [one for one, place in places.items() if not self._folders.has(place)]
        if moved and not self._folders.is_claimed(arrival):
            with self._connection.transaction():
                self._history.forget_places(moved)
                fence(self._connection, self._ctx.tokens)
        self._step("claim", arrival)
        return self._folders.claim(arrival)

    def _import(self, arrival: Arrival, sha256: str) -> FileRecord:
        from cronops.contract.lock import fence

        listing = self._folders.listing_of(arrival)
        listing.unlink(missing_ok=True)  # of a run that died
        tally = Tally(listing)
        try:
            with self._connection.transaction():
                with tally:
                    merged = self._merge(arrival, tally)
                check_unchanged(arrival)
                counts = _counts(tally, merged)
                record = self._record(arrival, sha256, "imported", None, counts)
                self._history.record(record)
                self._step("commit", arrival)
                fence(self._connection, self._ctx.tokens)
        except ChangedWhileRead:
            raise
        except BadInput as error:
            # What is wrong may be that only a part of it has come so far.
            check_unchanged(arrival)
            record = self._record(arrival, sha256, "rejected", str(error), _counts(tally, None))
            self._step("record", arrival)
            self._commit(record)
        return record

    def _merge(self, arrival: Arrival, tally: Tally) -> "Merged":
        from cronops.jobs.suppliers.merge import merge, stage

        ctx = self._ctx

        def progress(done: int, total: int) -> None:
            ctx.progress(done, total)
            if ctx.stopping:
                raise Interrupted(f"stopped in the middle of {arrival.name}; it was not imported")

        with read_content(arrival.path, self._setting, tally, progress=progress) as content:
            stage(self._connection, content.order, content.lines)
        return merge(
            self._connection,
            self._setting,
            tally,
            content.order,
            may_repeat=content.may_repeat,
            is_full=self._setting.mode_of(arrival.name) == "full",
            step=lambda name: self._step(name, arrival),
        )

    def _commit(self, record: FileRecord) -> None:
        from cronops.contract.lock import fence

        with self._connection.transaction():
            self._history.record(record)
            fence(self._connection, self._ctx.tokens)

    def _record(
        self,
        arrival: Arrival,
        sha256: str | None,
        result: Result,
        reason: str | None,
        counts: dict[str, Any] | None = None,
    ) -> FileRecord:
        folder = REJECTED if result == "rejected" else PROCESSED
        return FileRecord(
            supplier_id=self._setting.supplier_id,
            name=arrival.name,
            modified_at=arrival.modified,
            size=arrival.size,
            sha256=sha256,
            mode=self._setting.mode_of(arrival.name),
            result=result,
            reason=reason,
            counts=counts or {},
            kept_as=self._folders.free_name(folder, arrival.name),
            run_id=self._ctx.run_id,
        )

    def _step(self, name: str, arrival: Arrival) -> None:
        self._ctx.step(name, supplier=self._setting.supplier_id, file=arrival.name)


def _counts(tally: Tally, merged: "Merged | None") -> dict[str, Any]:
    counts: dict[str, Any] = {"read": tally.rows}
    if merged is not None:
        counts |= asdict(merged)
    if tally.rejected:
        counts["rejected"] = dict(tally.rejected.most_common())
    if tally.noted:
        counts["noted"] = dict(tally.noted.most_common())
    return counts

"""All the files of one supplier: fetched, put in order, imported."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cronops.contract.context import JobContext
from cronops.durations import format_duration
from cronops.errors import BadInput, PermanentError
from cronops.jobs.suppliers.folders import (
    INCOMING,
    PROCESSING,
    Arrival,
    ChangedWhileRead,
    Folders,
    Unreadable,
    sha256_of,
    still_written,
)
from cronops.jobs.suppliers.history import FileRecord, History
from cronops.jobs.suppliers.one_file import FileImport
from cronops.jobs.suppliers.setting import ImportSetting, active_setting
from cronops.jobs.suppliers.source import Source

if TYPE_CHECKING:
    import psycopg

_COUNTED = ("rows", "new", "changed", "zeroed", "review")


@dataclass
class SupplierOutcome:
    """What came of one supplier, beside the counts."""

    warnings: list[str] = field(default_factory=list)
    had_no_file: bool = False


def import_supplier(
    ctx: JobContext, supplier: int, *, update_anyway: bool, dry_run: bool
) -> SupplierOutcome:
    """Import what has come from one supplier. The caller holds the supplier's lock.

    Raises `BadInput` where a file was rejected, after all of them have had their turn;
    `PermanentError` where none has come for too long, or the disk fails.
    """
    from cronops.db.shop import check_shop

    with ctx.connect(f"supplier {supplier}") as connection:
        setting = active_setting(connection, supplier)
        check_shop(connection, ctx.settings)
        work = _Work(ctx, connection, setting, update_anyway=update_anyway)
        try:
            return work.try_out() if dry_run else work.run()
        except OSError as error:
            home = ctx.settings.suppliers.root / str(supplier)
            raise PermanentError(
                f"{home} cannot be worked in: {error.strerror or error}; "
                "the next run completes what was begun"
            ) from error


class _Work:
    def __init__(
        self,
        ctx: JobContext,
        connection: "psycopg.Connection[object]",
        setting: ImportSetting,
        *,
        update_anyway: bool,
    ) -> None:
        self._ctx, self._setting, self._update_anyway = ctx, setting, update_anyway
        self._folders = Folders(ctx.settings.suppliers.root, setting.supplier_id)
        self._history = History(connection, setting.supplier_id)
        self._files = FileImport(ctx, connection, setting, self._folders, self._history)
        self._source = Source(ctx, setting, self._folders, self._history)
        self._outcome = SupplierOutcome()
        self._rejected: list[str] = []
        self._seen = 0

    def run(self) -> SupplierOutcome:
        self._folders.make()
        self._finish_what_was_left()
        for name in self._folders.strange_names():
            self._warn(f"{self._setting.name}: {name} is no name that can be shown; rename it")
        if self._setting.source is not None:
            self._source.fetch(update_anyway=self._update_anyway)
        arrivals = self._fresh(self._arrivals())
        if not arrivals and self._update_anyway:
            arrivals = self._last_imported()
        self._import_in_order(arrivals)
        if self._setting.source is not None:
            self._warn(self._source.tidy())
        self._files.forget(self._ctx.settings.suppliers.keep)
        self._check_absence()
        if self._rejected:
            raise BadInput("; ".join(self._rejected))
        return self._outcome

    def try_out(self) -> SupplierOutcome:
        """Say what would be done; nothing is fetched, moved or written."""
        if self._setting.source is not None:
            for name in self._source.waiting(update_anyway=self._update_anyway):
                self._warn(f"{self._setting.name}: {name} would be fetched")
        fulls, deltas = self._by_mode(self._fresh(self._arrivals()))
        for arrival in [*fulls[-1:], *deltas]:
            try:
                tally, merged = self._files.try_out(arrival)
            except BadInput as error:
                self._ctx.count("rejected_files")
                self._warn(f"{arrival.name} would be rejected: {error}")
                continue
            self._ctx.count("files")
            self._ctx.count("rejected_rows", tally.rejected.total())
            for name in _COUNTED:
                self._ctx.count(name, getattr(merged, name))
        return self._outcome

    # --- which files, in which order -----------------------------------------------------------

    def _arrivals(self) -> list[Arrival]:
        """What has come, and what a run that died has left half-way; the oldest first."""
        come = [one for one in self._folders.arrivals(INCOMING) if self._setting.wants(one.name)]
        left = self._folders.arrivals(PROCESSING)
        return sorted([*left, *come], key=lambda one: (one.modified, one.name))

    def _fresh(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Those that nobody still writes to, and that are not older than the setting allows."""
        quiet = list(self._quiet(arrivals))
        oldest_allowed = None
        if self._setting.max_age is not None and not self._update_anyway:
            oldest_allowed = datetime.now(UTC) - self._setting.max_age
        _, newest = self._history.last()
        fresh = []
        for arrival in quiet:
            self._seen += 1
            is_full = self._setting.mode_of(arrival.name) == "full"
            is_outdated = is_full and newest is not None and arrival.modified < newest
            is_too_old = oldest_allowed is not None and arrival.modified < oldest_allowed
            if is_too_old and not is_outdated:
                self._ctx.count("skipped_files")
                self._warn(
                    f"{self._setting.name}: {arrival.name} of {arrival.modified:%Y-%m-%d %H:%M} "
                    "UTC is older than max_age; it stays in incoming/, and --update-anyway takes it"
                )
            else:
                fresh.append(arrival)
        return fresh

    def _quiet(self, arrivals: Sequence[Arrival]) -> Iterator[Arrival]:
        now, quiet = datetime.now(UTC), self._setting.quiet
        # A time to come is a clock that is wrong; it tells nothing of when the file was written.
        ages = [now - one.modified for one in arrivals if one.modified <= now]
        missing = quiet - min(ages) if ages else quiet
        if any(one.modified > now for one in arrivals):
            missing = quiet
        if arrivals and missing.total_seconds() > 0:
            self._ctx.pause(missing.total_seconds())
        for arrival in arrivals:
            again = self._folders.look(arrival.path)
            if again is None:
                continue
            if again.stamp == arrival.stamp:
                yield arrival
            else:
                self._seen += 1
                self._warn(f"{self._setting.name}: {still_written(arrival)}")

    def _by_mode(self, arrivals: Sequence[Arrival]) -> tuple[list[Arrival], list[Arrival]]:
        """Full files and deltas, each the oldest first."""
        fulls = [one for one in arrivals if self._setting.mode_of(one.name) == "full"]
        deltas = [one for one in arrivals if self._setting.mode_of(one.name) == "delta"]
        return fulls, deltas

    def _last_imported(self) -> list[Arrival]:
        """The last file that was imported, from where it was put."""
        kept = self._history.last_kept()
        if kept is None:
            return []
        kept_as, name = kept
        arrival = self._folders.look(self._folders.home / kept_as)
        # Its name tells full files from deltas, and it may have been kept under another one.
        return [] if arrival is None else [replace(arrival, name=name)]

    # --- the work ------------------------------------------------------------------------------

    def _finish_what_was_left(self) -> None:
        """Put away what a run that died had merged; what it had not is imported with the others."""
        for arrival in self._folders.arrivals(PROCESSING):
            try:
                sha256 = sha256_of(arrival)
            except (ChangedWhileRead, Unreadable):
                continue
            record = self._history.latest(arrival.name, arrival.size, arrival.modified, sha256)
            if record is not None and not (self._folders.home / (record.kept_as or "")).exists():
                self._files.put_away(arrival, record)
                self._count(record)

    def _import_in_order(self, arrivals: Sequence[Arrival]) -> None:
        """The newest full file that can be imported, then the deltas that are newer."""
        fulls, deltas = self._by_mode(arrivals)
        _, newest = self._history.last()
        for arrival in reversed(fulls):
            if self._ctx.stopping:
                return
            is_outdated = newest is not None and arrival.modified < newest
            if is_outdated and not self._update_anyway:
                self._supersede(arrival)
            else:
                record = self._import(arrival)
                if record is not None and record.result in ("imported", "repeated"):
                    came = min(arrival.modified, datetime.now(UTC))
                    newest = max(newest or came, came)
                    # What is older than the one just taken is of no use, whatever was asked for.
                    self._supersede_all(fulls[: fulls.index(arrival)])
                    break
        for arrival in deltas:
            if self._ctx.stopping:
                return
            is_outdated = newest is not None and arrival.modified < newest
            if is_outdated and (fulls or not self._update_anyway):
                self._supersede(arrival)
            else:
                self._import(arrival)

    def _supersede_all(self, arrivals: Sequence[Arrival]) -> None:
        for arrival in arrivals:
            self._supersede(arrival)

    def _supersede(self, arrival: Arrival) -> None:
        try:
            self._done(self._files.supersede(arrival))
        except ChangedWhileRead as error:
            self._warn(f"{self._setting.name}: {error}")
        except Unreadable as error:
            self._rejected.append(f"{arrival.name}: {error}")

    def _import(self, arrival: Arrival) -> FileRecord | None:
        try:
            record = self._files.run(arrival, update_anyway=self._update_anyway)
        except ChangedWhileRead as error:
            self._warn(f"{self._setting.name}: {error}")
            return None
        except Unreadable as error:
            self._rejected.append(f"{arrival.name}: {error}")
            return None
        self._done(record)
        return record

    def _done(self, record: FileRecord) -> None:
        self._count(record)
        self._source.note_done(record)

    def _count(self, record: FileRecord) -> None:
        ctx, counts = self._ctx, record.counts
        ctx.log.info(
            "file done",
            supplier=record.supplier_id,
            file=record.name,
            result=record.result,
            reason=record.reason,
            **counts,
        )
        ctx.count("rejected_rows", sum(counts.get("rejected", {}).values()))
        if record.result == "imported":
            ctx.count("files")
            for name in _COUNTED:
                ctx.count(name, counts[name])
        elif record.result == "rejected":
            ctx.count("rejected_files")
            kept = self._folders.home / (record.kept_as or "")
            self._rejected.append(f"{record.name}: {record.reason} (see {kept})")
        else:
            ctx.count("skipped_files")

    def _check_absence(self) -> None:
        """No file is no reason to change stock; for how long it may be so, the setting says."""
        if self._rejected:
            return
        self._outcome.had_no_file = not self._seen
        last, _ = self._history.last()
        max_age = self._setting.max_age
        if last is None or max_age is None:
            return
        age = datetime.now(UTC) - last
        if age > max_age:
            raise PermanentError(
                f"no fresh file has come for {format_duration(age)}, and max_age is "
                f"{format_duration(max_age)}; its stock was left as it was"
            )

    def _warn(self, text: str | None) -> None:
        if text is not None:
            self._ctx.log.warning(text, supplier=self._setting.supplier_id)
            self._outcome.warnings.append(text)

"""One export from its settings to the other end, each step safe to die in.

::

    generate ──> keep ──> record ──> deliver ──> confirm ──> prune
      a part      its      what will    upload    the other    old files
      file        name     be sent                end has it   and records

Before the upload it is recorded that there will be one. A run that finds such a record
unconfirmed does not know what the other end has, and sends again: at least once, never not at
all. The file replaces itself there.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cronops.errors import BadInput, CronopsError
from cronops.jobs.stock.failures import OF_THE_RUN, reason_of
from cronops.jobs.stock.generate import Generated, generate
from cronops.jobs.stock.ledger import GoodFile, Ledger
from cronops.jobs.stock.neighbours import check_is_first
from cronops.jobs.stock.setting import ExportSetting, check
from cronops.jobs.stock.shelf import Shelf, local_errors

if TYPE_CHECKING:
    import psycopg

    from cronops.contract.context import JobContext


# A bar that is drawn for every block of rows takes longer than the rows.
_SHOW_EVERY = 0.2


class OneExport:
    """Exports, one after the other, of one run."""

    def __init__(
        self,
        ctx: "JobContext",
        connection: "psycopg.Connection[Any]",
        *,
        every: Sequence[ExportSetting],
        dry_run: bool = False,
    ) -> None:
        """`every` export there is, those of other runs included."""
        self._ctx = ctx
        self._connection = connection
        self._every = every
        self._dry_run = dry_run
        self._settings = ctx.settings
        self._ledger = Ledger(connection, ctx.run_id, ctx.tokens)
        self._finished = self._ledger.finished()
        self._expected: int | None = None
        self.warnings: list[str] = []

    def expect(self, settings: Iterable[ExportSetting]) -> None:
        """Guess from their last files how many rows there will be, for whoever watches."""
        rows = [self._ledger.last_rows(setting) for setting in settings]
        self._expected = None if None in rows else sum(filter(None, rows))

    def run(self, setting: ExportSetting) -> None:
        """Generate one export and deliver it, unless the other end has the same already."""
        if self._is_finished(setting):
            return
        started, today = self._ledger.clock(self._settings.stock.zone)
        shelf = Shelf(self._settings.stock.export_dir, setting)
        generated = None
        try:
            self._check(setting)
            self._ctx.step("generate", export=setting.id)
            generated = self._generate(setting, shelf, today)
            self._guard(setting, generated)
        except Exception as error:
            self._refuse(setting, error, started, generated)
            raise
        self._count(generated)
        self._warn(setting, generated)
        if self._dry_run:
            generated.file.unlink()
            return
        self._ctx.step("keep", export=setting.id)
        good = self._keep(setting, shelf, generated, started)
        send = not self._ledger.has(setting, good.sha256)
        self._ctx.step("record", export=setting.id)
        number = self._ledger.record(setting, good, send=send, started_at=started)
        if send:
            self._deliver(setting, number, shelf.root / good.file, good.file_name)
        else:
            self._ctx.count("unchanged")
            self._ctx.log.info("unchanged: not sent", export=setting.id, sha256=good.sha256)
        self._prune(setting, shelf)

    def send_again(self, setting: ExportSetting) -> None:
        """Send the last good file of one export, unless something is wrong with it."""
        if self._is_finished(setting):
            return
        self._check(setting)
        good = self._ledger.last_good(setting)
        if good is None:
            raise BadInput(
                "there is no good file yet that could be sent again; run without --skip-generation"
            )
        shelf = Shelf(self._settings.stock.export_dir, setting)
        file = shelf.find(good.file, good.sha256)
        self._ctx.count("rows", good.rows)
        if self._dry_run:
            return
        self._ctx.step("record", export=setting.id)
        number = self._ledger.record(setting, good, send=True)
        self._deliver(setting, number, file, setting.file_name(_stamp(good.generated_at)))

    def _check(self, setting: ExportSetting) -> None:
        check(setting)
        check_is_first(setting, self._every, root=self._settings.stock.export_dir)

    def _is_finished(self, setting: ExportSetting) -> bool:
        """Whether an earlier attempt of this run has done it; it counts as it did then."""
        done = self._finished.get(setting.id)
        if done is None:
            return False
        self._ctx.count(done.state)
        self._ctx.count("rows", done.rows)
        for name, number in done.counts.items():
            self._ctx.count(name, number)
        return True

    def _generate(self, setting: ExportSetting, shelf: Shelf, today: date) -> Generated:
        part = shelf.open(self._ctx.run_id, self._ctx.tokens[0])
        before, shown = self._ctx.counts.get("rows", 0), 0.0

        def go_on(rows: int) -> bool:
            nonlocal shown
            if (now := time.monotonic()) - shown >= _SHOW_EVERY:
                shown = now
                self._ctx.progress(before + rows, self._expected)
            return not self._ctx.stopping

        try:
            with local_errors(shelf.directory):
                return generate(self._connection, setting, part, today=today, go_on=go_on)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _guard(self, setting: ExportSetting, generated: Generated) -> None:
        """Refuse what would empty a platform's shelves."""
        rows = generated.rows
        left_out = ", ".join(
            f"{number} {name.replace('_', ' ')}"
            for name, number in generated.counts.items()
            if number and name in ("missing_price", "missing_ean", "inactive", "not_positive")
        )
        because = f" (left out: {left_out})" if left_out else ""
        if rows == 0:
            raise BadInput(
                f"it is empty{because}: nothing was sent, the last good file stays; look whether "
                "the suppliers' stock was imported"
            )
        if setting.min_rows is not None and rows < setting.min_rows:
            raise BadInput(
                f"it has {rows} rows, fewer than the {setting.min_rows} it must have{because}: "
                "nothing was sent; where that is right, lower --min-rows"
            )
        before = self._ledger.last_rows(setting)
        if setting.max_drop_pct is None or not before:
            return
        if rows * 100 < before * (100 - setting.max_drop_pct):
            raise BadInput(
                f"it has {rows} rows, {before} were delivered last: that drop is more than "
                f"{setting.max_drop_pct.normalize():f} %{because}: nothing was sent; where it is "
                f"right: cronops stock exports set {setting.id} --max-drop none"
            )

    def _refuse(
        self,
        setting: ExportSetting,
        error: Exception,
        started: datetime,
        generated: Generated | None,
    ) -> None:
        """Record why it came to nothing; what was generated of it goes."""
        from cronops.db.connect import is_connection_lost

        if generated is not None:
            generated.file.unlink(missing_ok=True)
        of_the_run = isinstance(error, OF_THE_RUN) or is_connection_lost(error, self._connection)
        if not self._dry_run and not of_the_run:
            self._ledger.refuse(
                setting,
                reason_of(error),
                started_at=started,
                rows=generated.rows if generated else None,
                counts=generated.counts if generated else {},
            )

    def _keep(
        self, setting: ExportSetting, shelf: Shelf, generated: Generated, started: datetime
    ) -> GoodFile:
        return GoodFile(
            file=shelf.keep(generated),
            sha256=generated.sha256,
            size=generated.size,
            rows=generated.rows,
            file_name=setting.file_name(_stamp(started)),
            counts=generated.counts,
            generated_at=started,
        )

    def _deliver(self, setting: ExportSetting, number: int, file: Path, name: str) -> None:
        from cronops.clients.transfer import open_transfer

        self._ctx.step("deliver", export=setting.id, file=name)
        try:
            with open_transfer(
                setting.transport,
                self._settings,
                root=self._settings.stock.export_dir,
                credential=setting.credential,
                correlation_id=self._ctx.correlation_id,
                pause=self._ctx.pause,
            ) as there:
                there.upload(file, name)
        except CronopsError as error:
            if not isinstance(error, OF_THE_RUN):
                self._ledger.fail(number, str(error))
            raise
        self._ctx.step("confirm", export=setting.id)
        self._ledger.confirm(number)
        self._ctx.count("delivered")
        self._ctx.log.info("delivered", export=setting.id, file=name, to=there.where)

    def _prune(self, setting: ExportSetting, shelf: Shelf) -> None:
        self._ctx.step("prune", export=setting.id)
        shelf.prune(self._ledger.good_files(setting, self._settings.stock.keep_files))
        self._ledger.forget(setting, self._settings.retention.runs)

    def _count(self, generated: Generated) -> None:
        self._ctx.count("rows", generated.rows)
        for name, number in generated.counts.items():
            if number:
                self._ctx.count(name, number)

    def _warn(self, setting: ExportSetting, generated: Generated) -> None:
        self._ctx.log.info("generated", export=setting.id, rows=generated.rows, **generated.counts)
        for name, said in (
            ("raised", "articles would have gone below their purchase price: margin left out"),
            ("replaced", f"characters that {setting.encoding} lacks became question marks"),
            ("missing_price", "articles have no purchase price: left out"),
            ("not_positive", "articles would have cost nothing or less: left out"),
        ):
            if number := generated.counts[name]:
                self.warnings.append(f"export {setting.label}: {number} {said}")


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"

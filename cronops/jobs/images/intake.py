"""One batch after the other: read, proved, enqueued in one transaction, and filed away."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cronops.clients.confined import NotAFile, directory, open_file
from cronops.contract.context import JobContext
from cronops.errors import BadInput
from cronops.jobs.images import batches
from cronops.jobs.images.batch_file import (
    ChangedWhileRead,
    Content,
    Found,
    fingerprint,
    read_lines,
    still_as_read,
)
from cronops.jobs.images.filing import (
    ARCHIVE,
    QUARANTINE,
    REASON,
    REJECTS,
    file_away,
    free_name,
    is_filed,
    put_beside,
)
from cronops.jobs.images.messages import chunk_messages
from cronops.jobs.images.rows import COLUMNS, Edit, Reject, RowReader, joined, read_header

if TYPE_CHECKING:
    import psycopg

_REASONS_SHOWN = 200


class Rejected(BadInput):
    """A batch of which nothing is enqueued."""


class Intake:
    """Takes batches in; `problems` says of each that could not be taken why."""

    def __init__(
        self, ctx: JobContext, connection: "psycopg.Connection[Any]", *, dry_run: bool
    ) -> None:
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self._ctx = ctx
        self._connection = connection
        self._dry_run = dry_run
        self._settings = ctx.settings.images
        self._root: Path = ctx.settings.images.batch_dir

    def take(self, found: Found) -> None:
        """Take one batch in, or leave it, or reject it."""
        ctx = self._ctx
        if not found.is_settled(self._settings.settle.total_seconds()):
            self._leave(found)
            return
        ctx.step("read", file=found.shown)
        try:
            with directory(self._root) as here:
                file = open_file(found.name, here)
        except FileNotFoundError:
            ctx.log.info("the batch is gone again", file=found.shown)
            return
        except NotAFile as error:
            self._quarantine(found, str(error), None)
            return
        except OSError as error:
            # Left where it is: what it lacks is somebody's leave to read it.
            self.problems.append(f"{found.shown} cannot be read: {error.strerror}")
            return
        try:
            self._take_open(found, file)
        except ChangedWhileRead:
            self._leave(found)
        except Rejected as error:
            self._quarantine(found, str(error), os.fstat(file).st_ino)
        finally:
            os.close(file)

    def _measure(self, file: int) -> None:
        size, most = os.fstat(file).st_size, self._settings.max_batch_bytes
        if size > most:
            # Reading it would take the time of all others, in this run and in each that follows.
            raise Rejected(
                f"it has {size:,} bytes, and {most:,} may be (CRONOPS_IMAGES__MAX_BATCH_BYTES); "
                "send it in parts"
            )

    def _leave(self, found: Found) -> None:
        self._ctx.count("unsettled")
        self._ctx.log.info(
            "the batch is still being written: left for the next run", file=found.shown
        )

    def _take_open(self, found: Found, file: int) -> None:
        self._measure(file)
        content = fingerprint(file)
        known = batches.find_known(self._connection, content.sha256)
        if known is None or known.state == "rejected":
            try:
                if self._dry_run:
                    self._only_check(found, file, content)
                    return
                known = self._enqueue(found, file, content)
            except BadInput as error:
                if not still_as_read(file, content):
                    raise ChangedWhileRead from None
                self._reject(found, content, str(error))
                return
        else:
            self._ctx.count("repeated")
            self._ctx.log.warning(
                "the same content was enqueued before: nothing is enqueued",
                file=found.shown,
                batch=known.id,
            )
            if is_filed(self._root, ARCHIVE, known.filed_as):
                filed_as = free_name(self._root, ARCHIVE, found.shown)
                known = batches.Known(known.id, known.state, filed_as, 0)
        if not self._dry_run:
            self._archive(found, file, content, known)

    # What is good ---------------------------------------------------------------------------

    def _enqueue(self, found: Found, file: int, content: Content) -> batches.Known:
        from cronops.contract.lock import fence
        from cronops.queue.enqueue import enqueue_many

        ctx, connection = self._ctx, self._connection
        filed_as = free_name(self._root, ARCHIVE, found.shown)
        with connection.transaction():
            staged = self._stage(file, content)
            batch = batches.add_batch(
                connection,
                staged,
                file=found.shown,
                sha256=content.sha256,
                filed_as=filed_as,
                run_id=ctx.run_id,
                chunks=self._chunks(staged),
            )
            chunks = batches.chunks_of(connection, batch, self._settings.chunk_rows)
            messages = enqueue_many(
                connection, chunk_messages(chunks, batch, content.sha256, ctx.correlation_id)
            )
            fence(connection, ctx.tokens)
        self._count("enqueued", found, staged, messages, batch=batch)
        return batches.Known(batch, "enqueued", filed_as, staged.rejected)

    def _only_check(self, found: Found, file: int, content: Content) -> None:
        with self._connection.transaction(force_rollback=True):
            staged = self._stage(file, content)
        self._count("would be enqueued", found, staged, self._chunks(staged))

    def _count(
        self, event: str, found: Found, staged: batches.Staged, messages: int, **facts: Any
    ) -> None:
        ctx = self._ctx
        ctx.count("files")
        ctx.count("rows", staged.rows)
        ctx.count("bad_rows", staged.rejected)
        ctx.count("messages", messages)
        counts = {"rows": staged.rows, "bad_rows": staged.rejected, "messages": messages}
        ctx.log.info(event, file=found.shown, **facts, **counts)

    def _chunks(self, staged: batches.Staged) -> int:
        return -(-staged.rows // self._settings.chunk_rows)

    def _stage(self, file: int, content: Content) -> batches.Staged:
        """Stage a batch. Raises `BadInput` where too little of it is good."""
        staged = batches.stage(self._connection, self._rows(file, content))
        self._judge(staged)
        return staged

    def _rows(self, file: int, content: Content) -> Iterator[Sequence[tuple[int, Edit | Reject]]]:
        reader: RowReader | None = None
        done = 0
        for first, lines in read_lines(file, content, self._settings.encoding):
            if reader is None:
                reader = self._header(lines[0])
                first, lines = first + 1, lines[1:]
            read = reader.read
            yield [(number, row) for number, line in enumerate(lines, first) if (row := read(line))]
            done += sum(map(len, lines)) + len(lines)
            self._ctx.progress(min(done, content.size), content.size)
        if reader is None:
            raise BadInput("the file is empty")

    def _header(self, line: str) -> RowReader:
        root = os.path.abspath(self._settings.source_root)  # noqa: PTH100 - no link is resolved
        return read_header(line, delimiter=self._settings.delimiter, root=root)

    def _judge(self, staged: batches.Staged) -> None:
        total = staged.rows + staged.rejected
        if total == 0:
            raise BadInput("the file has a header and no rows")
        most = self._settings.max_reject_percent
        if staged.rows and staged.rejected * 100 <= most * total:
            return
        shown = batches.first_rejects(self._connection, _REASONS_SHOWN)
        lines = [f"line {line}: {reason}" for line, reason in shown]
        if staged.rejected > len(shown):
            lines.append(f"… and {staged.rejected - len(shown):,} more")
        rows = f"{staged.rejected:,} of {total:,} rows"
        raise BadInput(
            f"{rows} are bad, and at most {most} % may be (CRONOPS_IMAGES__MAX_REJECT_PERCENT)\n"
            + "\n".join(lines)
        )

    def _archive(self, found: Found, file: int, content: Content, known: batches.Known) -> None:
        ctx = self._ctx
        if known.rejected:
            ctx.step("write rejects", file=found.shown)
            with batches.rejects_of(self._connection, known.id) as rows:
                name = Path(known.filed_as).stem + REJECTS
                put_beside(self._root, ARCHIVE, name, self._rejects(rows))
            self.warnings.append(
                f"{known.rejected:,} rows of {found.shown} were left out: archive/{name}"
            )
        ctx.step("archive", file=found.shown)
        filed = file_away(self._root, found.name, ARCHIVE, known.filed_as, inode=content.inode)
        if not filed:
            self.warnings.append(
                f"{found.shown} was replaced or taken away after it was enqueued; what it holds "
                "now is for the next run"
            )
        elif not still_as_read(file, content):
            self.problems.append(
                f"{found.shown} was written to after it was enqueued: what was added to "
                f"archive/{known.filed_as} since is not enqueued; send it as a file of its own"
            )

    def _rejects(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[bytes]:
        delimiter, encoding = self._settings.delimiter, self._settings.encoding
        yield f"{joined(('line', 'reason', *COLUMNS), delimiter)}\n".encode(encoding)
        for line, reason, raw, *columns in rows:
            row = joined(columns, delimiter) if raw is None else raw
            text = f"{joined((line, reason), delimiter)}{delimiter}{row}\n"
            yield text.encode(encoding, "backslashreplace")

    # What is not ----------------------------------------------------------------------------

    def _reject(self, found: Found, content: Content, reason: str) -> None:
        from cronops.contract.lock import fence

        if not self._dry_run:
            self._ctx.step("record rejection", file=found.shown)
            with self._connection.transaction():
                batches.record_rejection(
                    self._connection,
                    file=found.shown,
                    sha256=content.sha256,
                    filed_as=free_name(self._root, QUARANTINE, found.shown),
                    reason=reason,
                    run_id=self._ctx.run_id,
                )
                fence(self._connection, self._ctx.tokens)
        raise Rejected(reason)

    def _quarantine(self, found: Found, reason: str, inode: int | None) -> None:
        ctx = self._ctx
        ctx.count("rejected")
        ctx.log.warning("rejected", file=found.shown, reason=reason)
        self.problems.append(f"{found.shown}: {reason.splitlines()[0]}")
        if self._dry_run:
            return
        filed_as = free_name(self._root, QUARANTINE, found.shown)
        ctx.step("write reason", file=found.shown)
        text = f"{found.shown} was rejected, and nothing of it was enqueued:\n{reason}\n"
        put_beside(self._root, QUARANTINE, filed_as + REASON, [text.encode()])
        ctx.step("quarantine", file=found.shown)
        file_away(self._root, found.name, QUARANTINE, filed_as, inode=inode)

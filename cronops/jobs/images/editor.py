"""Works single edits: fetch, make, publish, and the row's result, which is kept at once."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from cronops.errors import (
    BadInput,
    ConfigurationError,
    LeaseLost,
    PermanentError,
    TransientError,
)
from cronops.jobs.images import edits
from cronops.jobs.images.fetch import Fetcher
from cronops.jobs.images.picture import Made, make_renditions, recipe_of
from cronops.jobs.images.store import Store
from cronops.jobs.images.writing import Standstill
from cronops.telemetry.redact import redact

if TYPE_CHECKING:
    import psycopg

    from cronops.contract.context import JobContext

# Begun so often without a result: the row itself kills whoever works it.
_MOST_STARTS = 2
_LONGEST_REASON = 500
_WORKABLE = ("waiting", "failed")


class Editor:
    """Works one edit after another, each committed by itself.

    `undone` holds the rows that could not be worked now and may be later, with the reasons.
    """

    def __init__(self, ctx: "JobContext", connection: "psycopg.Connection[Any]") -> None:
        self.undone: list[tuple[edits.Row, str]] = []
        self._ctx = ctx
        self._connection = connection
        self._settings = ctx.settings.images
        self._store = Store(self._settings.store)
        self._recipe = recipe_of(self._settings.renditions)
        self._fetcher = Fetcher(ctx)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._fetcher.__exit__()

    def work(self, row: edits.Row) -> None:
        """Work one row to its result, or to `undone`."""
        verdict = edits.judge(row, edits.image_at(self._connection, row))
        if verdict is not None:
            self._settle(row, *verdict)
        elif row.action == "delete":
            self._delete(row)
        elif row.starts >= _MOST_STARTS:
            self._settle(
                row, "failed", f"the process died {row.starts} times while working this image"
            )
        else:
            self._make(row)

    def give_up(self, row: edits.Row, reason: str) -> None:
        """A row that was tried as often as it may be."""
        self._settle(row, "failed", reason)

    def _make(self, row: edits.Row) -> None:
        assert row.source is not None  # noqa: S101 - the table's check says so
        why_not = self._fetcher.why_not_now(row.source)
        if why_not is not None:
            # Nothing is noted of it: the next attempt begins with what was not tried.
            self.undone.append((row, why_not))
            return
        with self._fenced():
            edits.count_start(self._connection, row)
        self._ctx.step("fetch", batch=row.batch, line=row.line)
        try:
            content = self._fetcher.fetch(row.source)
            digest = hashlib.sha256(content).hexdigest()
            made = None if self._is_current(row, digest) else self._render(row.source, content)
            self._publish(row, digest, made)
        except LeaseLost:
            raise
        except TransientError as error:
            self._postpone(row, str(error))
            # What no row could get past is not tried with each of them.
            if isinstance(error, Standstill):
                raise
        except (BadInput, PermanentError, ConfigurationError) as error:
            self._settle(row, "failed", str(error))

    def _render(self, source: str, content: bytes) -> list[Made]:
        try:
            return make_renditions(
                content, self._settings.renditions, max_pixels=self._settings.max_pixels
            )
        except BadInput as error:
            raise BadInput(f"{source}: {error}") from None

    def _is_current(self, row: edits.Row, digest: str) -> bool:
        """Whether the same renditions of the same source are there already."""
        image = edits.image_at(self._connection, row)
        return (
            image is not None
            and image.state == "present"
            and (image.source_sha256, image.recipe) == (digest, self._recipe)
            and self._store.has(image.renditions)
        )

    # Results --------------------------------------------------------------------------------

    def _publish(self, row: edits.Row, digest: str, made: list[Made] | None) -> None:
        with self._held(row) as before:
            if before is None:
                return
            if made is None:
                if not self._is_current(row, digest):
                    # Somebody else has written here since: looked at again by the next attempt.
                    reason = "its article was edited at the same time"
                    self.undone.append((row, reason))
                    self._write(row, before, "waiting", reason)
                    return
                image = edits.image_at(self._connection, row)
                renditions = image.renditions if image else []
            else:
                files = self._store.write(
                    row.article,
                    row.position,
                    made,
                    step=lambda name: self._ctx.step("publish", line=row.line, file=name),
                )
                renditions = [one.described(file) for one, file in zip(made, files, strict=True)]
            self._ctx.step("record image", batch=row.batch, line=row.line)
            edits.put_image(
                self._connection,
                row,
                source_sha256=digest,
                recipe=self._recipe,
                renditions=renditions,
            )
            edits.settle(self._connection, row, before, "done")

    def _delete(self, row: edits.Row) -> None:
        with self._held(row) as before:
            if before is None:
                return
            self._ctx.step("remove", batch=row.batch, line=row.line)
            self._store.remove(row.article, row.position)
            self._ctx.step("record deletion", batch=row.batch, line=row.line)
            edits.put_deletion(self._connection, row)
            edits.settle(self._connection, row, before, "done")

    @contextmanager
    def _held(self, row: edits.Row) -> Iterator[str | None]:
        """The row and its article locked, in a fenced transaction; the row's state until now.

        None where there is nothing left to do: the row is settled, by us here if need be.
        """
        with self._fenced():
            before = edits.hold(self._connection, row)
            if before not in _WORKABLE:
                yield None
                return
            verdict = edits.judge(row, edits.image_at(self._connection, row))
            if verdict is not None:
                self._write(row, before, *verdict)
                yield None
                return
            # Files cannot be rolled back: whoever has lost the lease writes none.
            self._fence()
            yield before

    def _settle(self, row: edits.Row, verdict: edits.Verdict, reason: str) -> None:
        with self._fenced():
            before = edits.hold(self._connection, row)
            if before in _WORKABLE:
                self._write(row, before, verdict, reason)

    def _postpone(self, row: edits.Row, reason: str) -> None:
        self.undone.append((row, reason))
        with self._fenced():
            before = edits.hold(self._connection, row)
            if before in _WORKABLE:
                self._write(row, before, "waiting", reason)

    def _write(self, row: edits.Row, before: str, verdict: edits.Verdict, reason: str) -> None:
        reason = redact(" ".join(reason.split()))[:_LONGEST_REASON]
        edits.settle(self._connection, row, before, verdict, reason)
        if verdict != "superseded":
            self._ctx.log.warning(
                "an image could not be edited",
                batch=row.batch,
                line=row.line,
                article=row.article,
                position=row.position,
                again=verdict == "waiting",
                reason=reason,
            )

    @contextmanager
    def _fenced(self) -> Iterator[None]:
        with self._connection.transaction():
            yield
            self._fence()

    def _fence(self) -> None:
        from cronops.contract.lock import fence

        fence(self._connection, self._ctx.tokens)

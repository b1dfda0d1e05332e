"""Clears what is old out of a table of the shop, and keeps the books of it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cronops.errors import (
    CronopsError,
    DatabaseUnavailable,
    Interrupted,
    LeaseLost,
    NeedsAPerson,
    PermanentError,
)

if TYPE_CHECKING:
    import psycopg

    from cronops.contract.context import JobContext
    from cronops.db.block_delete import Old
    from cronops.db.cleanings import State

_OF_THE_RUN = (DatabaseUnavailable, LeaseLost, Interrupted)


class Cleaning:
    """The clearing of one target in one run. How it stands is in ``clean_audit`` at all times."""

    def __init__(
        self,
        ctx: "JobContext",
        connection: "psycopg.Connection[Any]",
        target: str,
        *,
        count: str,
        dry_run: bool,
    ) -> None:
        self._ctx = ctx
        self._connection = connection
        self._target = target
        self._count = count
        self._dry_run = dry_run

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note what fails in here, and let it go on its way as a `CronopsError`."""
        from cronops.db.connect import first_line, is_connection_lost

        try:
            yield
        except _OF_THE_RUN:
            raise
        except CronopsError as error:
            self._note_problem("refused" if isinstance(error, NeedsAPerson) else "failed", error)
            raise
        except Exception as error:
            if is_connection_lost(error, self._connection):
                raise DatabaseUnavailable(
                    f"lost the database in {self._target}: {first_line(error)}"
                ) from error
            # Its details may quote data; the first line does not.
            told = PermanentError(f"{type(error).__name__}: {first_line(error)}")
            self._note_problem("failed", told)
            raise told from error

    def delete(self, old: "Old", cutoff: datetime) -> int:
        """Delete the old rows, or with a dry run count them; those that were left as locked."""
        from cronops.contract.lock import fence
        from cronops.db.block_delete import delete, find

        ctx, connection = self._ctx, self._connection
        found = find(connection, old)
        if self._dry_run:
            ctx.count(self._count, found.rows)
            return 0
        done = 0

        def settle(rows: int) -> None:
            if rows:
                self._note("begun", deleted=rows, cutoff=cutoff)
            fence(connection, ctx.tokens)

        def committed(rows: int) -> None:
            nonlocal done
            done += rows
            ctx.count(self._count, rows)
            ctx.progress(done, found.rows)
            ctx.step("deleted", target=self._target, rows=rows)

        deleted = delete(connection, found, settle=settle, committed=committed, pause=ctx.pause)
        with ctx.fenced(connection):
            state: State = "done" if deleted.complete else "stopped"
            self._note(state, locked=deleted.left, cutoff=cutoff)
        ctx.step(state, target=self._target, rows=deleted.rows, locked=deleted.left)
        return deleted.left

    def _note_problem(self, state: "State", problem: CronopsError) -> None:
        """Note why nothing more is deleted; a database that will not even take that is no news."""
        import psycopg

        if self._dry_run:
            return
        with suppress(psycopg.Error), self._ctx.fenced(self._connection):
            self._note(state, problem=str(problem))

    def _note(self, state: "State", **facts: Any) -> None:
        from cronops.db.cleanings import note_cleaning

        note_cleaning(
            self._connection,
            run_id=self._ctx.run_id,
            job=self._ctx.job.name,
            target=self._target,
            state=state,
            **facts,
        )

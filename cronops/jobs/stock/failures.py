"""One export's failure is its own: the others go on, and in the end all are named."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cronops.errors import (
    CronopsError,
    DatabaseUnavailable,
    Interrupted,
    LeaseLost,
    PermanentError,
    TransientError,
)

if TYPE_CHECKING:
    import psycopg

    from cronops.contract.context import JobContext
    from cronops.jobs.stock.setting import ExportSetting

OF_THE_RUN = (DatabaseUnavailable, LeaseLost, Interrupted)
"""Errors of the run, and not of one export."""
# Reasons are in the database, too; a page that goes on for ever is not read.
_TOLD = 10


def reason_of(error: Exception) -> str:
    """What went wrong, for people; of an error that nobody foresaw its kind, too."""
    from cronops.db.connect import first_line

    if isinstance(error, CronopsError):
        return str(error)
    return f"{type(error).__name__}: {first_line(error)}"


class Failures:
    """What went wrong with which export."""

    def __init__(self, *, of: int) -> None:
        self._of = of
        self._found: list[tuple[str, CronopsError]] = []

    @contextmanager
    def of_one(
        self, ctx: "JobContext", connection: "psycopg.Connection[Any]", setting: "ExportSetting"
    ) -> Iterator[None]:
        """Work on one export; what it raises is kept for the end."""
        from cronops.db.connect import first_line, is_connection_lost

        try:
            yield
        except OF_THE_RUN:
            raise
        except CronopsError as error:
            self._add(ctx, setting, error)
        except Exception as error:
            if is_connection_lost(error, connection):
                raise DatabaseUnavailable(
                    f"lost the database in export {setting.label}: {first_line(error)}"
                ) from error
            ctx.log.error("an export failed unexpectedly", export=setting.id, exc_info=True)
            self._add(ctx, setting, PermanentError(reason_of(error)))

    def _add(self, ctx: "JobContext", setting: "ExportSetting", error: CronopsError) -> None:
        ctx.count("failed")
        ctx.log.error("export failed", export=setting.id, name=setting.name, error=str(error))
        self._found.append((setting.label, error))

    def raise_if_any(self) -> None:
        """Raise one error that names them all.

        Of the kind they share; else a `TransientError` where another try may help some of them.
        """
        if not self._found:
            return
        kinds = {type(error) for _, error in self._found}
        kind: type[CronopsError] = PermanentError
        if any(issubclass(one, TransientError) for one in kinds):
            kind = TransientError
        elif len(kinds) == 1:
            kind = kinds.pop()
        told = "; ".join(f"export {label}: {error}" for label, error in self._found[:_TOLD])
        if len(self._found) > _TOLD:
            others = ", ".join(label for label, _ in self._found[_TOLD:])
            told += f"; and {others}; why: cronops stock runs --failed"
        raise kind(f"{len(self._found)} of {self._of} exports failed: {told}")

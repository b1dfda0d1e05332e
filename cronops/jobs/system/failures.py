"""One target's failure is its own: the other goes on, and in the end all are named."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cronops.errors import (
    CronopsError,
    DatabaseUnavailable,
    Interrupted,
    LeaseLost,
    PermanentError,
)

if TYPE_CHECKING:
    from cronops.contract.context import JobContext

_OF_THE_RUN = (DatabaseUnavailable, LeaseLost, Interrupted)


class Failures:
    """What went wrong with which target."""

    def __init__(self, *, of: int) -> None:
        self._of = of
        self._found: dict[str, CronopsError] = {}

    @contextmanager
    def of_one(self, ctx: "JobContext", target: str) -> Iterator[None]:
        """Work on one target; what is wrong with it is kept for the end."""
        try:
            yield
        except _OF_THE_RUN:
            raise
        except CronopsError as error:
            ctx.count("failed")
            ctx.log.error("target failed", target=target, error=str(error))
            self._found[target] = error

    def raise_if_any(self) -> None:
        """Raise one error that names them all: of the kind they share, or a `PermanentError`."""
        if not self._found:
            return
        kinds = {type(error) for error in self._found.values()}
        kind = kinds.pop() if len(kinds) == 1 else PermanentError
        told = "; ".join(f"{target}: {error}" for target, error in self._found.items())
        raise kind(f"{len(self._found)} of {self._of} targets failed: {told}")

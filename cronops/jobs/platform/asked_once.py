"""Answers that a platform gives only once: that we ask is on record before we ask.

So an answer that was lost on the way, or with the process that got it, is known to be missing.
"""

from typing import TYPE_CHECKING

from cronops.errors import ConfigurationError, CronopsError, PermanentError

if TYPE_CHECKING:
    from cronops.contract.context import JobContext
    from cronops.jobs.platform.adapters.protocol import Fetched
    from cronops.jobs.platform.platforms import Platform
    from cronops.jobs.platform.store import Fenced, Store

_BETWEEN_TRIES = 0.5


class AskedOnce:
    """What one platform was asked in this run, and the one before."""

    def __init__(self, store: "Store", fenced: "Fenced") -> None:
        self._store = store
        self._fenced = fenced
        self._asked: int | None = None

    def find_what_was_lost(self) -> list[str]:
        """What a run asked for that then died: the answer may have been given."""
        with self._fenced():
            lost = self._store.lose(
                "a run ended between asking and storing the answer; if the platform gave one, it "
                "is not here: have its orders marked as unread there"
            )
        return [
            f"fetch {fetch}: a run ended between asking and storing the answer; have the orders "
            "since then marked as unread there"
            for fetch in lost
        ]

    def ask(self, where: str) -> None:
        """Note that we are about to ask."""
        with self._fenced():
            self._asked = self._store.ask(where)

    def answered(self) -> int | None:
        """The note of what was asked, which is the answer's from now on; None for no note."""
        asked, self._asked = self._asked, None
        return asked

    def tell(self, error: CronopsError) -> None:
        """An error came instead of an answer: was there one, and is it lost?"""
        asked = self.answered()
        if asked is None:
            return
        with self._fenced():
            if _gave_nothing(error):
                self._store.unask(asked)
            else:
                self._store.lose(
                    f"{error}; if the platform had its orders marked as read by then, they are not "
                    "here: have them marked as unread there"
                )


def keep_all_the_same(
    ctx: "JobContext", platform: "Platform", asked: int, fetched: "Fetched", error: Exception
) -> None:
    """Store an answer that nobody gives again, while the database comes back; then as it was.

    Returns once it is stored, for the run's next attempt to read, or when the run is to stop.
    """
    from cronops.db.connect import is_connection_lost
    from cronops.jobs.platform.store import Fenced, Store

    failed: Exception = error
    while is_connection_lost(failed) and ctx.pause(_BETWEEN_TRIES):
        ctx.log.warning("an answer waits for the database", platform=platform.code)
        try:
            with ctx.connect("keep") as connection, Fenced(connection, ctx)():
                Store(connection, platform, ctx.run_id).keep(
                    fetched.source, fetched.content, asked=asked
                )
        except Exception as again:
            failed = again
        else:
            return


def _gave_nothing(error: CronopsError) -> bool:
    """Whether it is sure that the platform handed nothing over: refused, or never reached."""
    if isinstance(error, ConfigurationError | PermanentError):
        return True
    return bool(getattr(error, "not_processed", False))

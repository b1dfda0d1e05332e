"""The pull of one platform, step by step.

::

    [ask] ─▶ fetch ─▶ keep the raw answer ─▶ read it ─▶ orders, messages, cursor in one
    transaction ─▶ acknowledge, or move the file ─▶ note that ─▶ on to the next

Each arrow may be the last thing that happens: what the next run then finds, it goes on with. The
network is waited for in threads; the database is spoken to by the run's own thread alone. So a
pull is a generator that hands out what it waits for, and is resumed once that is done.
"""

from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any, TypeVar

from cronops.errors import BadInput, CronopsError, Interrupted, TransientError
from cronops.jobs.platform.acknowledging import Acknowledging
from cronops.jobs.platform.adapters.protocol import Fetched
from cronops.jobs.platform.asked_once import AskedOnce, keep_all_the_same
from cronops.jobs.platform.formats.order import Page
from cronops.jobs.platform.formats.read import why_unreadable
from cronops.jobs.platform.store import Fenced, Store
from cronops.jobs.platform.taking import HANDLER

if TYPE_CHECKING:
    import psycopg

    from cronops.contract.context import JobContext
    from cronops.jobs.platform.adapters.protocol import Adapter, Cursor, Place
    from cronops.jobs.platform.platforms import Platform

T = TypeVar("T")
Waiting = Generator[Future[Any], None, T]
"""Hands out what it waits for; resumed when that is done."""

_NOTHING = Page(())


class Pull:
    """One platform's pull in one run."""

    def __init__(
        self,
        ctx: "JobContext",
        connection: "psycopg.Connection[Any]",
        platform: "Platform",
        adapter: "Adapter",
        threads: Executor,
    ) -> None:
        self._ctx = ctx
        self._connection = connection
        self._platform = platform
        self._adapter = adapter
        self._threads = threads
        self._store = Store(connection, platform, ctx.run_id)
        self._fenced = Fenced(connection, ctx)
        self._once = AskedOnce(self._store, self._fenced)
        self._ahead: Future[Any] | None = None
        self._cursor: Cursor = platform.cursor
        self._is_cursor_set = False
        self._thanks = Acknowledging(ctx, platform.code, adapter, self._store, self._fenced)
        self._problems: list[str] = []
        self._remarks: list[str] = []

    @property
    def problems(self) -> list[str]:
        """What a person must look at; the pull went on all the same."""
        return [*self._problems, *self._thanks.problems]

    @property
    def remarks(self) -> list[str]:
        """What is worth knowing, and no problem."""
        return [*self._remarks, *self._thanks.remarks()]

    def steps(self) -> Waiting[None]:
        """All of it. Raises what ended it early; what was committed until then is stored."""
        if self._adapter.marks_as_read:
            self._problems += self._once.find_what_was_lost()
        self._read_what_was_kept()
        place = yield from self._wait(self._adapter.open, self._platform.cursor)
        yield from self._thanks.steps()
        self._close_what_was_moved()
        while place is not None and not self._ctx.stopping:
            fetched = yield from self._fetched(place)
            if fetched is None or (yield from self._was_known(fetched)):
                place = self._adapter.after(place, _NOTHING)
                continue
            fetch = self._keep(fetched)
            page = self._read(fetch, fetched)
            if page is None:
                if not self._adapter.files_away:
                    raise BadInput(self._problems.pop())
                place = self._adapter.after(place, _NOTHING)
                continue
            following, endless = self._following(place, page)
            if following is not None and self._adapter.reads_ahead:
                self._ahead = self._threads.submit(self._adapter.fetch, following)
            self._take(fetch, page)
            yield from self._thanks.steps()
            if self._adapter.files_away:
                yield from self._file_away(fetch, fetched.source, rejected=False)
            if endless is not None:
                raise endless
            place = following
        self._finish()

    def rehearsal(self) -> Waiting[None]:
        """Fetch and read, store nothing, and leave everything where it is."""
        if self._adapter.marks_as_read:
            self._remarks.append(
                f"{self._platform.code} was not asked: what is fetched there is marked as read, "
                "and would be lost"
            )
            return
        place = yield from self._wait(self._adapter.open, self._platform.cursor)
        while place is not None and not self._ctx.stopping:
            fetched = yield from self._wait(self._adapter.fetch, place)
            page = _NOTHING
            if fetched is not None:
                page = self._adapter.read(fetched)
                self._ctx.count("fetches")
                self._ctx.count("orders", len(page.orders))
                self._problems += page.problems
            place = self._adapter.after(place, page)

    def close(self) -> None:
        """Disconnect; never raises."""
        if self._ahead is not None and not self._ahead.cancel():
            self._ahead.exception()  # its connection is not closed under it
        self._thanks.close()
        self._adapter.close()

    def _read_what_was_kept(self) -> None:
        """Answers that a run kept, and then died."""
        for fetch, source, content in self._store.unread():
            page = self._read(fetch, Fetched(content, source))
            if page is not None:
                self._take(fetch, page, moves_cursor=False)

    def _fetched(self, place: "Place") -> Waiting[Fetched | None]:
        if self._adapter.marks_as_read:
            self._ctx.step("ask", platform=self._platform.code)
            self._once.ask(self._adapter.where)
            self._ctx.step("asked", platform=self._platform.code)
        ahead, self._ahead = self._ahead, None
        waited = ahead or self._threads.submit(self._adapter.fetch, place)
        yield waited
        try:
            fetched: Fetched | None = waited.result()
        except CronopsError as error:
            self._once.tell(error)
            if not self._is_of_one_file(error):
                raise
            self._problems.append(str(error))
            return None
        return fetched

    def _is_of_one_file(self, error: CronopsError) -> bool:
        """Whether the other files may be read, and moved, all the same."""
        return self._adapter.files_away and not isinstance(error, TransientError | Interrupted)

    def _was_known(self, fetched: Fetched) -> Waiting[bool]:
        """Whether this file was read before; then it is moved away, or read once more."""
        if not self._adapter.files_away:
            return False
        known = self._store.known(fetched.source, fetched.content)
        if known is None:
            return False
        fetch, state = known
        self._ctx.log.info("this file was read before", file=fetched.source, fetch=fetch)
        rejected = False
        if state == "refused":
            try:
                page = self._adapter.read(fetched)  # what could not be read may be mended
            except Exception:
                rejected = True
            else:
                self._take(fetch, page)
        yield from self._file_away(fetch, fetched.source, rejected=rejected)
        return True

    def _keep(self, fetched: Fetched) -> int:
        """Keep what came, before anybody looks at it."""
        asked = self._once.answered()
        try:
            with self._fenced():
                fetch = self._store.keep(fetched.source, fetched.content, asked=asked)
        except Exception as error:
            if asked is not None:
                keep_all_the_same(self._ctx, self._platform, asked, fetched, error)
            raise
        self._ctx.count("fetches")
        self._ctx.step("kept", platform=self._platform.code, fetch=fetch)
        return fetch

    def _read(self, fetch: int, fetched: "Fetched") -> "Page | None":
        """The orders of what was kept; None where it cannot be read, which is told and kept."""
        try:
            return self._adapter.read(fetched)
        except Exception as error:
            told = why_unreadable(error, fetched.source)
            with self._fenced():
                self._store.refuse(fetch, told)
            self._ctx.count("refused")
            self._problems.append(
                f"{told}; kept as fetch {fetch}, to be read again once that is mended: "
                f"cronops platform replay {fetch}"
            )
            return None

    def _following(self, place: "Place", page: "Page") -> "tuple[Place | None, BadInput | None]":
        try:
            return self._adapter.after(place, page), None
        except BadInput as endless:
            return None, endless

    def _take(self, fetch: int, page: "Page", *, moves_cursor: bool = True) -> None:
        """Store orders, messages and cursor, all or nothing."""
        cursor = self._adapter.cursor_after(page) if moves_cursor else None
        for problem in page.problems:
            self._problems.append(f"{problem}; see fetch {fetch}")
        if not page.whole and not self._adapter.files_away:
            with self._fenced():
                self._store.forget(fetch)
                self._move_cursor(self._store, cursor)
            self._ctx.step("empty", platform=self._platform.code)
            return
        with self._ctx.transaction() as db:
            driver: Any = db.connection.driver_connection
            store = Store(driver, self._platform, self._ctx.run_id)
            taken = store.take(
                fetch,
                page,
                lambda messages: self._ctx.enqueue_many(HANDLER, messages),
                correlation_id=self._ctx.correlation_id,
                acknowledge=self._adapter.acknowledges_at_once > 0,
                stays_open=self._adapter.files_away,
            )
            self._move_cursor(store, cursor)
            if not (taken.new or page.problems or self._adapter.files_away):
                store.forget(fetch)  # what is known word for word is kept already
        self._ctx.count("orders", taken.new)
        self._ctx.count("known", taken.known)
        self._ctx.step(
            "taken", platform=self._platform.code, fetch=fetch, new=taken.new, known=taken.known
        )

    def _close_what_was_moved(self) -> None:
        """Files that a run moved, and died before it noted that."""
        if not self._adapter.files_away:
            return
        listed = set(self._adapter.sources())
        for fetch, source, _ in self._store.unmoved():
            if source not in listed:
                with self._fenced():
                    self._store.close(fetch)

    def _file_away(self, fetch: int, source: str, *, rejected: bool) -> Waiting[None]:
        try:
            yield from self._wait(lambda: self._adapter.file_away(source, rejected=rejected))
        except CronopsError as error:
            if not self._is_of_one_file(error):
                raise
            self._problems.append(f"{source} is read, and cannot be moved: {error}")
            return
        self._ctx.step("moved", platform=self._platform.code, file=source)
        with self._fenced():
            self._store.close(fetch)
        self._ctx.step("closed", platform=self._platform.code, fetch=fetch)

    def _finish(self) -> None:
        cursor = None if self._ctx.stopping else self._adapter.cursor_after(None)
        if cursor is not None and cursor != self._cursor:
            with self._fenced():
                self._move_cursor(self._store, cursor)
        code = self._platform.code
        self._remarks += [
            f"{code}: left for the next run: {left}" for left in self._adapter.waiting()
        ]

    def _move_cursor(self, store: Store, cursor: "Cursor | None") -> None:
        """Note how far everything is read; where an operator says otherwise, that holds."""
        if cursor is None or self._is_cursor_set:
            return
        if store.move_cursor(cursor, was=self._cursor):
            self._cursor = cursor
        else:
            self._is_cursor_set = True
            self._remarks.append(
                f"{self._platform.code}: its cursor was set while it was pulled, and stays as set"
            )

    def _wait(self, call: Callable[..., T], *arguments: Any) -> Waiting[T]:
        future = self._threads.submit(call, *arguments)
        yield future
        return future.result()

"""Tells a platform which orders we have: each until it knows, or refuses it too often.

The orders are ours all the same, so nothing here ends a pull. A platform that is down is told in
the next run, for a week. One that refuses an order is asked a few times, for it may only be slow
to know its own orders; then the order is given up, and listed for people.
"""

from collections import Counter
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from cronops.errors import (
    BadInput,
    CronopsError,
    Interrupted,
    PermanentError,
    TransientError,
)

if TYPE_CHECKING:
    from cronops.contract.context import JobContext
    from cronops.jobs.platform.adapters.protocol import Adapter
    from cronops.jobs.platform.store import Fenced, Store

_AT_ONCE = 1_000


class Acknowledging:
    """One platform's acknowledgements in one run."""

    def __init__(
        self, ctx: "JobContext", code: str, adapter: "Adapter", store: "Store", fenced: "Fenced"
    ) -> None:
        self._ctx = ctx
        self._code = code
        self._adapter = adapter
        self._store = store
        self._fenced = fenced
        self._threads: ThreadPoolExecutor | None = None
        self._is_down = False
        self._refused: list[int] = []
        self._said: Counter[str] = Counter()
        self._has_looked_for_late = False
        self.problems: list[str] = []
        """What a person must look at."""

    def steps(self) -> Generator[Future[Any], None, None]:
        """Acknowledge every order that is stored, and not known to be; several at a time."""
        at_once = self._adapter.acknowledges_at_once
        if at_once and not self._has_looked_for_late:
            self._give_up_what_is_late()
        while at_once and not self._is_down and not self._ctx.stopping:
            waiting = self._store.unacknowledged(_AT_ONCE, but_not=self._refused)
            if not waiting:
                return
            if self._threads is None:
                self._threads = ThreadPoolExecutor(at_once, "acknowledge")
            told = [
                (order, self._threads.submit(self._adapter.acknowledge, external_id))
                for order, external_id in waiting
            ]
            for _, future in told:
                yield future
            self._note(told)

    def remarks(self) -> list[str]:
        """What is worth knowing, and no problem."""
        return [
            f"{self._code}: {_orders(count)} acknowledged already, or gone there: {said}"
            for said, count in self._said.items()
        ]

    def close(self) -> None:
        """Start no further one."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)

    def _note(self, told: list[tuple[int, "Future[Any]"]]) -> None:
        done = [order for order, future in told if future.exception() is None]
        failed = {order: error for order, future in told if (error := future.exception())}
        answers = [future.result() for _, future in told if future.exception() is None]
        self._said.update(said for said in answers if said is not None)
        self._ctx.step("acknowledged", platform=self._code, orders=len(done))
        refused = {
            order: str(error)
            for order, error in failed.items()
            if isinstance(error, BadInput | PermanentError)
        }
        with self._fenced():
            self._store.acknowledged(done)
            given_up = self._store.refused(refused, self._adapter.acknowledgements_tried)
        self._ctx.count("acknowledged", len(done))
        self._ctx.step("noted", platform=self._code, orders=len(done))
        self._refused += refused
        self._tell(failed, given_up)
        for error in failed.values():
            if not isinstance(error, CronopsError):
                raise error

    def _tell(self, failed: dict[int, BaseException], given_up: list[int]) -> None:
        self._is_down = any(order not in self._refused for order in failed)
        waiting = [
            error
            for order, error in failed.items()
            if order not in given_up and not self._is_of_the_stop(error)
        ]
        if waiting:
            self.problems.append(
                f"{_orders(len(waiting))} stored, but not acknowledged: {waiting[0]}"
            )
        if given_up:
            self.problems.append(
                f"{_orders(len(given_up))} stored, but will not be acknowledged, after "
                f"{self._adapter.acknowledgements_tried} refusals: {failed[given_up[0]]}; see: "
                f"cronops platform unacknowledged --platform {self._code}"
            )

    def _is_of_the_stop(self, error: BaseException) -> bool:
        """Whether it was only left for the next run, as a run does that is told to stop."""
        return self._ctx.stopping and isinstance(error, TransientError | Interrupted)

    def _give_up_what_is_late(self) -> None:
        self._has_looked_for_late = True
        with self._fenced():
            late = self._store.give_up_late()
        if late:
            self.problems.append(
                f"{_orders(late)} stored, but could not be acknowledged for a week, and will not "
                f"be; see: cronops platform unacknowledged --platform {self._code}"
            )


def _orders(count: int) -> str:
    return "1 order is" if count == 1 else f"{count:,} orders are"

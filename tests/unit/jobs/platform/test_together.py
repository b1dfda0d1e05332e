"""Several generators of futures, driven by one thread."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from cronops.jobs.platform.pulling import Waiting
from cronops.jobs.platform.together import run_together


def done(result: Any = None) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(result)
    return future


def counting(running: set[str], most: list[int], name: str, steps: int) -> Waiting[None]:
    running.add(name)
    for _ in range(steps):
        most.append(len(running))
        yield done()
    running.discard(name)


def test_no_more_run_at_once_than_are_allowed_and_all_end() -> None:
    running: set[str] = set()
    most: list[int] = []
    tasks = ((str(n), counting(running, most, str(n), n % 4)) for n in range(9))

    ended = dict(run_together(tasks, at_once=3))

    assert ended == {str(n): None for n in range(9)}
    assert max(most) == 3


def test_one_that_fails_is_told_by_name_and_the_others_go_on() -> None:
    def fails() -> Waiting[None]:
        yield done()
        raise ValueError("its own fault")

    ended = dict(
        run_together(
            [("bad", fails()), ("good", counting(set(), [], "good", 5)), ("none", _nothing())],
            at_once=2,
        )
    )

    assert str(ended.pop("bad")) == "its own fault"
    assert ended == {"good": None, "none": None}


def test_what_waits_for_a_thread_does_not_hold_up_the_rest() -> None:
    order: list[str] = []
    with ThreadPoolExecutor(1) as threads:
        first_may_go: Future[None] = Future()

        def slow() -> Waiting[None]:
            yield threads.submit(first_may_go.result, 10)
            order.append("slow")

        def quick() -> Waiting[None]:
            yield done()
            order.append("quick")
            first_may_go.set_result(None)

        list(run_together([("slow", slow()), ("quick", quick())], at_once=2))

    assert order == ["quick", "slow"]


def _nothing() -> Waiting[None]:
    yield from ()

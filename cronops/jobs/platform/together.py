"""Several pulls at once, in one thread: each waits for its own network, none for another's."""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from cronops.jobs.platform.pulling import Waiting

_LOOK_UP = 0.25


def run_together(
    tasks: Iterable[tuple[str, Waiting[None]]],
    *,
    at_once: int,
    is_stopping: Callable[[], bool] = lambda: False,
    patience: float = 0.0,
) -> Iterator[tuple[str, Exception | None]]:
    """Run generators of futures, at most so many at once; each one's name when it ends, and how.

    `tasks` is read as places become free: what it makes, it makes no sooner. Once it is to stop,
    those that still wait for the network after `patience` seconds are left as they are.
    """
    waiting = iter(tasks)
    running: dict[Future[Any], tuple[str, Waiting[None]]] = {}
    has_more = True
    until = 0.0
    while True:
        while has_more and len(running) < at_once:
            begun = next(waiting, None)
            if begun is None:
                has_more = False
            else:
                yield from _advance(begun, running)
        if not running:
            return
        done, _ = wait(running, timeout=_LOOK_UP, return_when=FIRST_COMPLETED)
        if done or not is_stopping():
            until = time.monotonic() + patience
        elif time.monotonic() > until:
            return
        for future in done:
            yield from _advance(running.pop(future), running)


def _advance(
    task: tuple[str, Waiting[None]], running: dict[Future[Any], tuple[str, Waiting[None]]]
) -> Iterator[tuple[str, Exception | None]]:
    name, steps = task
    try:
        running[next(steps)] = task
    except StopIteration:
        yield name, None
    except Exception as error:
        yield name, error

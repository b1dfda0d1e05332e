"""Which clock counts, and what is counted when an attempt is made again."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from cronops.contract.context import JobContext
from cronops.jobs.sessions import purge
from cronops.jobs.sessions.sweep import Tally
from tests.databases import Database

DAY_NS = 86_400 * 10**9


class Context:
    """As much of a `JobContext` as these parts use."""

    def __init__(self, connect: Any = None) -> None:
        self.counts: dict[str, int] = {}
        self.stopping = False
        self.said: list[str] = []
        self.connect = connect
        self.log = SimpleNamespace(warning=lambda text, **_: self.said.append(text))

    def count(self, name: str, by: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + by

    keep_counts = JobContext.keep_counts

    def progress(self, done: int, total: int | None = None) -> None:
        pass

    def step(self, name: str, **_: Any) -> None:
        self.said.append(name)


@pytest.mark.parametrize("ahead", [-1, 0, 1])
def test_the_clock_that_is_behind_counts(
    database: Database, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    ctx: Any = Context(lambda _: database.connect())
    real = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: real + ahead * DAY_NS)
    now = purge._slower_clock(ctx)
    assert abs(now - (real + min(ahead, 0) * DAY_NS)) < DAY_NS / 24
    assert len(ctx.said) == abs(ahead)


def test_what_an_earlier_attempt_deleted_counts_and_what_it_saw_is_seen_again() -> None:
    ctx: Any = Context()
    ctx.counts = {"deleted": 7_000, "kept": 30, "denied": 2}
    pulse = purge._Pulse(ctx, dry_run=False)
    assert pulse(Tally(deleted=10, kept=5))
    assert pulse(Tally(deleted=5_200, kept=30, future=1))
    assert ctx.counts == {"deleted": 12_200, "kept": 30, "denied": 0, "future": 1}
    assert ctx.said == ["purged"]
    purge._Pulse(ctx, dry_run=True)
    assert ctx.counts["deleted"] == 0
    ctx.stopping = True
    assert not pulse(Tally(deleted=5_200, kept=30, future=1))

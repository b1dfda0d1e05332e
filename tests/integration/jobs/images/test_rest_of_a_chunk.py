"""What a handler that has to leave off does with the rest of its chunk; in this process."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from cronops.errors import LeaseLost
from cronops.jobs.images import update
from tests.databases import Database
from tests.integration.jobs.images.conftest import Studio


class Context:
    """As much of a handler's context as it uses."""

    attempt = 1
    correlation_id = "c"

    def __init__(self, studio: Studio) -> None:
        self._database: Database = studio.database
        self.settings = studio.database.settings(
            images={"source_root": str(studio.sources), "store": str(studio.store)}
        )
        rows = studio.database.query(
            "INSERT INTO lease (key, owner_token, run_id, job, holder, expires_at)"
            " VALUES ('queue', 0, 'run', 'queue process', 'test', now() + interval '1 hour')"
            " RETURNING token"
        )
        self.tokens = [rows[0][0]]
        self.log = SimpleNamespace(warning=lambda *_, **__: None)
        self.enqueued: list[tuple[dict[str, Any], str]] = []
        self.stops: Callable[[], bool] = lambda: False

    @property
    def stopping(self) -> bool:
        return self.stops()

    def connect(self, purpose: str) -> Any:
        return self._database.connect()

    def step(self, name: str, **facts: object) -> None:
        pass

    def pause(self, seconds: float) -> bool:
        return True

    def enqueue(self, handler: str, payload: dict[str, Any], *, dedupe_key: str) -> None:
        assert handler == "images.update"
        self.enqueued.append((payload, dedupe_key))


@pytest.fixture
def ctx(studio: Studio) -> Context:
    studio.source("one.jpg")
    studio.batch("images_a.csv", *(f"A000000{n};1;add;one.jpg" for n in range(1, 5)))
    studio.enqueue()
    return Context(studio)


def work(ctx: Any) -> None:
    chunk = update.Chunk(batch=1, chunk=1, first=2, last=5)
    message = SimpleNamespace(id=77, payload=chunk, attempts=0, max_attempts=None)
    update.update.function(ctx, message)


def states(studio: Studio) -> list[str]:
    return [state for _, state, _ in studio.edits()]


def test_told_to_stop(studio: Studio, ctx: Context) -> None:
    asked = iter((False, False, True))
    ctx.stops = lambda: next(asked)
    work(ctx)
    assert states(studio) == ["done", "done", "waiting", "waiting"]
    rest = {"batch": 1, "chunk": 1, "first": 4, "last": 5}
    assert ctx.enqueued == [(rest, "images.update rest of message 77")]


def test_after_its_share_of_time(
    studio: Studio, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter((0.0, 1.0, 119.0, 121.0))
    monkeypatch.setattr(update, "time", SimpleNamespace(monotonic=lambda: next(times)))
    work(ctx)
    assert states(studio) == ["done", "done", "waiting", "waiting"]
    assert [payload["first"] for payload, _ in ctx.enqueued] == [4]


def test_all_of_it_where_there_is_time(studio: Studio, ctx: Context) -> None:
    work(ctx)
    assert states(studio) == ["done"] * 4
    assert ctx.enqueued == []


@pytest.mark.parametrize("lost_at", ["fetch", "publish", "record image"])
def test_without_its_lock_nothing_is_committed(
    studio: Studio, ctx: Context, monkeypatch: pytest.MonkeyPatch, lost_at: str
) -> None:
    def step(name: str, **facts: object) -> None:
        if name == lost_at:
            # By somebody who did not wait for this worker's transaction to end.
            ctx.tokens = [0]

    monkeypatch.setattr(ctx, "step", step)
    with pytest.raises(LeaseLost):
        work(ctx)
    assert states(studio) == ["waiting"] * 4
    assert studio.database.query("SELECT count(*) FROM article_image") == [(0,)]
    if lost_at == "fetch":
        assert studio.stored() == []

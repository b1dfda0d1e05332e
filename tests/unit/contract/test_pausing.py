"""A job that slept when it was told to stop is known to have been told."""

from typing import Any, cast

import pytest

from cronops.config import load_settings
from cronops.contract.channel import SharedPage
from cronops.contract.context import JobContext, RunFacts
from cronops.contract.stop import StopRequest
from cronops.jobs.queue.clean import clean
from cronops.jobs.wiring import WIRING


@pytest.fixture
def stop() -> StopRequest:
    return StopRequest()


@pytest.fixture
def ctx(stop: StopRequest) -> JobContext:
    facts = RunFacts("run", "correlation", None, None, tokens=(1,), holder="here")
    settings = load_settings({}).settings
    page = SharedPage.create()
    return JobContext(clean, facts, settings, WIRING, page=page, stop=stop, log=None)


def test_a_pause_that_ends_by_itself_is_no_stop(ctx: JobContext) -> None:
    assert ctx.pause(0.001)
    assert not ctx.was_told_to_stop


def test_a_stop_ends_the_pause_and_is_remembered(ctx: JobContext, stop: StopRequest) -> None:
    stop.handle(15, cast(Any, None))

    assert not ctx.pause(60)
    # Without it the run of a job that then returns would count as succeeded, its work undone.
    assert ctx.was_told_to_stop

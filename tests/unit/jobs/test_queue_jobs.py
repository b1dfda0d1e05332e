from typing import Any

import pytest

from cronops.contract.job import Lock
from cronops.errors import UsageError
from cronops.jobs.queue.clean import clean
from cronops.jobs.queue.process import process, shard_index
from cronops.owners import PLATFORM_EXPORT, SHARED_OPS, STOCK_IMPORT


def locks(**arguments: Any) -> tuple[Lock, ...]:
    return process.locks_for({"queue": "general", **arguments})


def test_an_unsharded_run_holds_the_queues_lock_exclusively() -> None:
    assert locks() == (Lock("cron.queue.process.general"),)
    assert locks(queue="orders", shard=None) == (Lock("cron.queue.process.orders"),)


def test_a_shard_holds_its_own_lock_and_shares_the_queues() -> None:
    assert locks(shard="2/3") == (
        Lock("cron.queue.process.general.shard.2"),
        Lock("cron.queue.process.general", shared=True),
    )


@pytest.mark.parametrize("shard", ["", "1", "4/3", "-1/3", "1/0", "a/b", "1/3/5", "1 /3"])
def test_a_shard_that_is_none_is_refused(shard: str) -> None:
    with pytest.raises(UsageError, match="shard"):
        locks(shard=shard)


def test_the_index_of_an_indexed_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "0")
    assert shard_index("auto/4") == 0
    monkeypatch.delenv("JOB_COMPLETION_INDEX")
    with pytest.raises(UsageError, match="JOB_COMPLETION_INDEX"):
        shard_index("auto/4")


def test_owners_are_those_of_the_specification() -> None:
    for job in (process, clean):
        assert job.accountable == (SHARED_OPS,)
        assert job.responsible == SHARED_OPS
        assert job.consulted == (PLATFORM_EXPORT, STOCK_IMPORT)
    assert (clean.cr, process.cr) == ("CR-005", "CR-006")
    assert clean.locks_for({}) == (Lock("cron.queue.clean"),)


def test_following_has_no_deadline() -> None:
    assert process.deadline_for({"follow": True}) is None
    assert process.deadline_for({"follow": False}) == process.timeout

"""Processes killed at random: each effect exactly once, none lost, no innocent in CRASH."""

import random
import time

import pytest

from tests.integration.queue.faults import SHORT_LEASE, Faults, end_of, kill_some

MESSAGES = 10_000
KILLING_SECONDS = 8.0
# The default: an innocent one must not reach it by being hit at random.
ENOUGH = {"CRONOPS_QUEUE__MAX_CRASHES": "3", "CRONOPS_QUEUE__MAX_ATTEMPTS": "5"}


def check_all_done_once(faults: Faults, ids: list[int]) -> None:
    assert faults.counts() == {"PROCESSED": len(ids)}
    assert faults.effects() == dict.fromkeys(ids, 1)
    assert faults.query("SELECT max(attempts) FROM queue_message") == [(1,)]
    most = faults.query("SELECT max(crashes) FROM queue_message")[0][0]
    assert most < 3


@pytest.mark.parametrize(("handler", "seed"), [("probe.write", 1), ("probe.write-each", 2)])
def test_two_shards_and_ten_thousand_messages(faults: Faults, handler: str, seed: int) -> None:
    chance = random.Random(seed)
    ids = faults.add(handler, MESSAGES)
    shards = ["--shard=1/2", "--shard=2/2"]
    runs = [faults.start(shard, **ENOUGH, **SHORT_LEASE) for shard in shards]
    kills = 0
    give_up = time.monotonic() + KILLING_SECONDS
    while time.monotonic() < give_up and faults.unfinished() > MESSAGES // 10:
        time.sleep(chance.uniform(0.1, 0.6))
        place = chance.randrange(2)
        if runs[place].poll() is None:
            kills += 1
            kill_some(runs[place], chance, chance.choice(["parent", "child", "both"]))
        for each, shard in enumerate(shards):
            # What was not its own run's end is started again, as a pod would be.
            if runs[each].poll() is not None:
                runs[each] = faults.start(shard, **ENOUGH, **SHORT_LEASE)
    for run in runs:
        end_of(run)

    faults.process_until_empty(**ENOUGH)

    assert kills >= 3
    check_all_done_once(faults, ids)


def test_four_processes_under_one_lock_of_which_some_are_killed(faults: Faults) -> None:
    chance = random.Random(3)
    ids = faults.add("probe.write", MESSAGES // 2)
    slow = faults.add("probe.misdeed-each", 60, payload={"do": "sleep", "seconds": 0.1})
    run = faults.start("--concurrency=4", **ENOUGH)
    faults.wait_for_status("PROCESSED")
    for _ in range(6):
        time.sleep(chance.uniform(0.1, 0.4))
        if run.poll() is None and faults.unfinished():
            kill_some(run, chance, "child")

    code, said = end_of(run)

    assert code == 0, said
    assert "is replaced" in said
    faults.process_until_empty(**ENOUGH)
    check_all_done_once(faults, [*ids, *slow])

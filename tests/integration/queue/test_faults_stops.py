"""Told to stop, or told how far to go: the message in hand is finished, the rest goes back."""

import signal
import time

import pytest

from tests.integration.queue.faults import Faults, end_of, wait_for


@pytest.mark.parametrize(
    ("mode", "number"), [("", signal.SIGTERM), ("-each", signal.SIGTERM), ("", signal.SIGINT)]
)
def test_told_to_stop_while_a_message_is_in_hand(
    faults: Faults, mode: str, number: signal.Signals
) -> None:
    before = faults.add(f"probe.write{mode}", 5)
    gate = faults.gate()
    (in_hand,) = faults.add(f"probe.misdeed{mode}", payload=gate.payload | {"do": "until-stopping"})
    rest = faults.add(f"probe.write{mode}", 50)
    run = faults.start()
    gate.wait()
    run.send_signal(number)

    code, said = end_of(run)

    assert code == 0, said
    assert faults.charges([*before, in_hand]) == {("PROCESSED", 1, 0)}
    assert faults.charges(rest) == {("NEW", 0, 0)}
    assert faults.effects() == dict.fromkeys([*before, in_hand], 1)
    held = faults.query(
        "SELECT count(*) FROM queue_message WHERE status = 'NEW' AND"
        " (claim_token IS NOT NULL OR claimed_by IS NOT NULL OR alone)"
    )
    assert held == [(0,)]


def test_a_message_that_outlasts_the_grace_goes_back_uncharged(faults: Faults) -> None:
    (endless,) = faults.add("probe.misdeed-each", payload={"do": "ignore-term"})
    rest = faults.add("probe.write-each", 5)
    run = faults.start(CRONOPS_SUPERVISOR__GRACE="0.5")
    wait_for(lambda: faults.row(endless)["status"] == "PROCESSING", "the message in hand")
    run.terminate()

    code, said = end_of(run)

    assert code == 143, said
    assert faults.charges([endless, *rest]) == {("NEW", 0, 0)}
    assert faults.effects() == {}


def test_ctrl_c_twice_does_not_wait_for_the_message_in_hand(faults: Faults) -> None:
    (endless,) = faults.add("probe.misdeed-each", payload={"do": "ignore-term"})
    run = faults.start(CRONOPS_SUPERVISOR__GRACE="600")
    wait_for(lambda: faults.row(endless)["status"] == "PROCESSING", "the message in hand")

    def ended() -> bool:
        if run.poll() is None:
            run.send_signal(signal.SIGINT)
        time.sleep(0.2)
        return run.poll() is not None

    wait_for(ended, "the run to end")

    assert end_of(run)[0] == 130
    assert faults.charges([endless]) == {("NEW", 0, 0)}


def test_following_takes_up_what_comes_later_and_ends_in_order(faults: Faults) -> None:
    run = faults.start("--follow")
    ids: list[int] = []
    for _ in range(3):
        ids += faults.add("probe.write")
        faults.wait_for_status("PROCESSED", len(ids))
    run.terminate()

    code, said = end_of(run)

    assert code == 0, said
    assert faults.effects() == dict.fromkeys(ids, 1)
    assert faults.last_run()["outcome"] == "succeeded"


def test_no_more_than_so_many_messages(faults: Faults) -> None:
    faults.add("probe.write", 25)
    done = faults.process("--max-messages=10")
    assert done.returncode == 0, done.stderr
    assert faults.counts() == {"PROCESSED": 10, "NEW": 15}
    assert faults.last_run()["counts"]["remaining"] == 15
    assert "remaining" in done.stdout
    assert faults.process().returncode == 0
    assert faults.counts() == {"PROCESSED": 25}


def test_no_longer_than_so_long(faults: Faults) -> None:
    faults.add("probe.misdeed-each", 30, payload={"do": "sleep", "seconds": 0.2})
    done = faults.process("--max-time=1")
    assert done.returncode == 0, done.stderr
    found = faults.counts()
    assert set(found) == {"PROCESSED", "NEW"}
    assert faults.last_run()["counts"]["remaining"] == found["NEW"]


def test_delayed_and_paused_messages_wait(faults: Faults) -> None:
    (delayed,) = faults.add("probe.write", available_at="2100-01-01")
    (paused,) = faults.add("probe.write")
    assert faults.cli("queue", "pause", str(paused), "--reason=test").returncode == 0
    (due,) = faults.add("probe.write")

    assert faults.process().returncode == 0
    assert faults.effects() == {due: 1}

    assert faults.cli("queue", "resume", str(paused)).returncode == 0
    faults.query("UPDATE queue_message SET available_at = now() WHERE id = %s", (delayed,))
    assert faults.process().returncode == 0
    assert faults.effects() == {due: 1, paused: 1, delayed: 1}


def test_a_paused_queue_rests_though_a_run_follows_it(faults: Faults) -> None:
    run = faults.start("--follow")
    first = faults.add("probe.write")
    faults.wait_for_status("PROCESSED")
    pause = faults.cli("queue", "pause", "--queue=general", "--reason=test")
    assert pause.returncode == 0, pause.stderr
    second = faults.add("probe.write")
    time.sleep(1.5)
    assert faults.effects() == dict.fromkeys(first, 1)
    assert faults.cli("queue", "resume", "--queue=general").returncode == 0
    faults.wait_for_status("PROCESSED", 2)
    run.terminate()
    assert end_of(run)[0] == 0
    assert faults.effects() == dict.fromkeys([*first, *second], 1)


def test_shards_and_an_unsharded_run_keep_each_other_out(faults: Faults) -> None:
    gate = faults.gate()
    faults.add("probe.misdeed-each", payload=gate.payload)
    whole = faults.start()
    gate.wait()
    shard = faults.process("--shard=1/2")
    assert (shard.returncode, faults.last_run()["job"]) == (0, "queue process")
    assert "skipped" in shard.stdout
    gate.open()
    assert end_of(whole)[0] == 0

    gate.close()
    faults.add("probe.misdeed-each", 2, payload=gate.payload)
    shards = [faults.start("--shard=1/2"), faults.start("--shard=2/2")]
    gate.wait(3)
    assert "skipped" in faults.process("--shard=1/2").stdout
    assert "skipped" in faults.process().stdout
    assert faults.counts() == {"PROCESSED": 1, "PROCESSING": 2}
    gate.open()
    assert [end_of(each)[0] for each in shards] == [0, 0]
    assert faults.counts() == {"PROCESSED": 3}

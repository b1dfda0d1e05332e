"""The database goes away, the lease is taken, or the whole run sleeps past it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cronops.contract.process import descendants
from tests.commands import CommandLine
from tests.databases import Database, OwnServer, clone_database
from tests.integration.queue.faults import SHORT_LEASE, Faults, end_of

MODES = pytest.mark.parametrize("mode", ["", "-each"], ids=["batch", "each"])
KEY = "cron.queue.process.general"


@MODES
def test_every_connection_cut_in_turn(faults: Faults, mode: str) -> None:
    ids = faults.add(f"probe.misdeed{mode}", 20, payload={"do": "sleep", "seconds": 0.05})
    gate = faults.gate()
    ids += faults.add(f"probe.misdeed{mode}", payload=gate.payload)
    ids += faults.add(f"probe.misdeed{mode}", 20, payload={"do": "sleep", "seconds": 0.05})
    run = faults.start(CRONOPS_LOCK__TTL="4")
    faults.wait_for_status("PROCESSED")
    faults.cut("run % queue process queue")
    gate.wait()
    for purpose in ("heartbeat", "supervisor", "run % queue process queue"):
        faults.cut(purpose)
    gate.open()

    code, said = end_of(run)

    assert code == 0, said
    assert faults.charges(ids) == {("PROCESSED", 1, 0)}
    assert faults.effects() == dict.fromkeys(ids, 1)
    assert faults.last_run()["outcome"] == "succeeded"


@MODES
def test_a_lock_released_by_hand_ends_the_run_and_nothing_of_it_is_committed(
    faults: Faults, mode: str
) -> None:
    gate = faults.gate()
    (in_hand,) = faults.add(f"probe.misdeed{mode}", payload=gate.payload)
    rest = faults.add(f"probe.write{mode}", 5)
    run = faults.start(CRONOPS_LOCK__TTL="3")
    gate.wait()
    released = faults.cli("locks", "release", KEY, "--yes", "--reason=test")
    assert released.returncode == 0, released.stderr

    code, said = end_of(run)

    assert code == 75, said
    assert faults.effects() == {}
    gate.open()
    faults.process_until_empty()
    assert faults.charges(rest) == {("PROCESSED", 1, 0)}
    assert faults.row(in_hand)["status"] == "PROCESSED"
    assert faults.effects() == dict.fromkeys([in_hand, *rest], 1)


@MODES
def test_a_run_stopped_past_its_lease_commits_nothing_once_it_wakes(
    faults: Faults, mode: str
) -> None:
    gate = faults.gate()
    (in_hand,) = faults.add(f"probe.misdeed{mode}", payload=gate.payload)
    rest = faults.add(f"probe.write{mode}", 20)
    sleeper = faults.start(**SHORT_LEASE)
    gate.wait()
    stopped = [sleeper.pid, *descendants(sleeper.pid)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    gate.open()

    faults.process_until_empty()
    assert faults.charges([in_hand, *rest]) == {("PROCESSED", 1, 0)}
    before = faults.query("SELECT id, pid FROM public.probe_effect ORDER BY id")

    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    code, said = end_of(sleeper)

    assert code == 75, said
    assert faults.query("SELECT id, pid FROM public.probe_effect ORDER BY id") == before
    assert faults.effects() == dict.fromkeys([in_hand, *rest], 1)
    assert faults.charges([in_hand, *rest]) == {("PROCESSED", 1, 0)}


@pytest.fixture
def restartable(
    own_server: OwnServer, probe_package: Path, tmp_path: Path
) -> Iterator[tuple[OwnServer, Faults]]:
    """A stage on a server that may be restarted."""
    from cronops.db.upgrade import upgrade

    database = Database(clone_database(own_server.url, "template1"), tmp_path)
    upgrade(database.settings())
    database.env["PYTHONPATH"] = str(probe_package)
    database.query(
        "CREATE TABLE public.probe_effect (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " message_id bigint, note text, pid integer, at timestamptz DEFAULT clock_timestamp())"
    )
    line = CommandLine(database, tmp_path)
    yield own_server, Faults(line, database, tmp_path)
    line.close()
    database.close()


@MODES
def test_the_server_restarted_in_the_middle(
    restartable: tuple[OwnServer, Faults], mode: str
) -> None:
    server, faults = restartable
    ids = faults.add(f"probe.misdeed{mode}", 40, payload={"do": "sleep", "seconds": 0.05})
    # The lease outlives the restart; were it shorter, the run would rightly end.
    run = faults.start(CRONOPS_LOCK__TTL="60")
    faults.wait_for_status("PROCESSED")
    faults.database.close()
    server.restart()

    code, said = end_of(run)

    assert code == 0, said
    assert faults.charges(ids) == {("PROCESSED", 1, 0)}
    assert faults.effects() == dict.fromkeys(ids, 1)


@pytest.mark.parametrize("option", [(), ("--force-restart",)])
def test_what_a_foreign_program_left_is_restarted_once_it_is_stale(
    faults: Faults, option: tuple[str, ...]
) -> None:
    ids = faults.add("probe.write", 2)
    old, young = ids
    faults.query(
        "UPDATE queue_message SET status = 'PROCESSING',"
        " started_at = now() - CASE WHEN id = %s THEN interval '5 min' ELSE '1 min' END,"
        " created_at = now() - interval '1 hour'",
        (old,),
    )

    done = faults.process(*option, CRONOPS_QUEUE__STALE_AFTER="PT2M")

    assert done.returncode == 0, done.stderr
    assert faults.charges([old]) == {("PROCESSED", 1, 0)}
    young_now = {("PROCESSED", 1, 0)} if option else {("PROCESSING", 0, 0)}
    assert faults.charges([young]) == young_now
    assert faults.last_run()["counts"]["restarted"] == (2 if option else 1)


def test_force_restart_is_refused_beside_another_shard_and_takes_nothing(faults: Faults) -> None:
    gate = faults.gate()
    (held,) = faults.add("probe.misdeed-each", payload=gate.payload)
    shard = faults.start("--shard=1/2")
    gate.wait()

    refused = faults.process("--shard=2/2", "--force-restart")

    assert refused.returncode == 64, refused.stderr
    assert "another shard" in refused.stderr + refused.stdout
    assert faults.row(held)["status"] == "PROCESSING"
    gate.open()
    assert end_of(shard)[0] == 0
    assert faults.charges([held]) == {("PROCESSED", 1, 0)}
    assert gate.reached == [held]
    alone = faults.process("--shard=2/2", "--force-restart")
    assert alone.returncode == 0, alone.stderr

"""Handlers that misuse the database, collide with each other, or lose their message."""

import pytest

from tests.integration.queue.faults import Faults, end_of, wait_for

MODES = pytest.mark.parametrize("mode", ["", "-each"], ids=["batch", "each"])


# Attempts, and a part of the error.
FAILURES = {
    "commit": (1, "does not commit or roll back"),
    "rollback": (1, "does not commit or roll back"),
    "commit-quietly": (2, "PendingRollbackError"),
    "swallow": (2, "went on after a database error"),
    "raise": (2, "failed after writing"),
}


@MODES
def test_nothing_that_a_failed_handler_wrote_is_kept(faults: Faults, mode: str) -> None:
    good = faults.add(f"probe.write{mode}", 10)
    failing: dict[str, int] = {}
    for misdeed in FAILURES:
        (failing[misdeed],) = faults.add(f"probe.misdeed{mode}", payload={"do": misdeed})
        good += faults.add(f"probe.write{mode}", 10)

    faults.process_until_empty()

    assert faults.charges(good) == {("PROCESSED", 1, 0)}
    assert faults.effects() == dict.fromkeys(good, 1)
    assert faults.effects("after") == {}
    for misdeed, (attempts, says) in FAILURES.items():
        row = faults.row(failing[misdeed])
        assert (row["status"], row["attempts"], row["crashes"]) == ("CRASH", attempts, 0), misdeed
        assert says in row["error"]


@MODES
def test_a_part_that_is_rolled_back_leaves_the_rest(faults: Faults, mode: str) -> None:
    ids = faults.add(f"probe.misdeed{mode}", 5, payload={"do": "partly"})

    assert faults.process().returncode == 0

    assert faults.counts() == {"PROCESSED": 5}
    assert faults.effects() == dict.fromkeys(ids, 1)
    assert faults.effects("kept") == dict.fromkeys(ids, 1)
    assert faults.effects("undone") == {}


@pytest.mark.parametrize(("mode", "selection"), [("", "id"), ("-each", "queue")])
def test_a_message_reset_while_in_a_handler_has_its_effect_once(
    faults: Faults, mode: str, selection: str
) -> None:
    good = faults.add(f"probe.write{mode}", 5)
    gate = faults.gate()
    (stolen,) = faults.add(f"probe.misdeed{mode}", payload=gate.payload)
    good += faults.add(f"probe.write{mode}", 5)
    run = faults.start()
    gate.wait()

    chosen = [str(stolen)] if selection == "id" else ["--queue=general"]
    reset = faults.cli("queue", "reset", *chosen, "--reason=test")
    gate.open()
    code, said = end_of(run)

    assert reset.returncode == 0, reset.stderr
    assert code == 0, said
    assert "taken away by a reset" in said
    assert faults.charges([*good, stolen]) == {("PROCESSED", 1, 0)}
    assert faults.effects() == dict.fromkeys([*good, stolen], 1)


@MODES
def test_a_message_reset_and_worked_by_another_run_meanwhile(faults: Faults, mode: str) -> None:
    gate = faults.gate()
    (stolen,) = faults.add(f"probe.misdeed{mode}", payload=gate.payload)
    first = faults.start("--shard=1/2")
    gate.wait()
    assert faults.cli("queue", "reset", str(stolen)).returncode == 0
    second = faults.start("--shard=2/2")
    gate.wait(2)
    assert faults.row(stolen)["status"] == "PROCESSING"
    gate.open()

    ends = [end_of(first), end_of(second)]

    assert [code for code, _ in ends] == [0, 0], ends
    assert faults.charges([stolen]) == {("PROCESSED", 1, 0)}
    assert faults.effects() == {stolen: 1}
    assert "taken away by a reset" in ends[0][1]


def test_handlers_that_deadlock_are_all_done_and_nobody_is_charged(faults: Faults) -> None:
    faults.query("ALTER DATABASE " + _name(faults) + " SET deadlock_timeout = '50ms'")
    there = {"rows": [1, 2, 3], "seconds": 0.002}
    back = {"rows": [3, 2, 1], "seconds": 0.002}
    ids: list[int] = []
    for _ in range(60):
        ids += faults.add("probe.hot", payload=there)
        ids += faults.add("probe.hot", payload=back)

    code, said = end_of(faults.start("--concurrency=2"))

    assert code == 0, said
    faults.process_until_empty()
    assert faults.charges(ids) == {("PROCESSED", 1, 0)}
    assert faults.query("SELECT id, n FROM public.probe_hot WHERE id <= 3 ORDER BY id") == [
        (1, 120),
        (2, 120),
        (3, 120),
    ]

    def collided() -> bool:
        seen = "SELECT deadlocks > 0 FROM pg_stat_database WHERE datname = current_database()"
        return bool(faults.query(seen)[0][0])

    wait_for(collided, "deadlocks in the statistics, which come a little late")


def _name(faults: Faults) -> str:
    name: str = faults.query("SELECT quote_ident(current_database())")[0][0]
    return name

"""Messages that kill whoever works them, among good ones."""

import pytest

from tests.integration.queue.faults import SHORT_LEASE, Faults, end_of, is_gone, wait_for

MODES = pytest.mark.parametrize("mode", ["", "-each"], ids=["batch", "each"])

KILLS = {
    "kill": "SIGKILL",
    "segv": "SIGSEGV",
    "abort": "SIGABRT",
    "overflow": "SIGSEGV",
    "exit-zero": "exited with code 0",
}
RAISES = {"sys-exit": "SystemExit: 3", "interrupt": "KeyboardInterrupt"}


@MODES
def test_whatever_kills_its_process_ends_in_crash_and_its_neighbours_pay_nothing(
    faults: Faults, mode: str
) -> None:
    good: list[int] = []
    poison: dict[str, int] = {}
    for misdeed in KILLS | RAISES:
        good += faults.add(f"probe.write{mode}", 25)
        (poison[misdeed],) = faults.add(f"probe.misdeed{mode}", payload={"do": misdeed})
    good += faults.add(f"probe.write{mode}", 25)

    faults.process_until_empty()

    assert len(good) == 200
    counted = faults.query("SELECT sum((counts ->> 'processed')::int) FROM run")
    assert counted == [(200,)], "what a worker had done before it was killed is counted"
    crashed = faults.query("SELECT sum((counts ->> 'crashed')::int) FROM run")
    assert crashed == [(len(poison),)]
    assert faults.charges(good) == {("PROCESSED", 1, 0)}
    assert faults.effects() == dict.fromkeys(good, 1)
    for misdeed, says in KILLS.items():
        row = faults.row(poison[misdeed])
        assert (row["status"], row["attempts"], row["crashes"]) == ("CRASH", 0, 2), misdeed
        assert says in row["error"]
    for misdeed, says in RAISES.items():
        row = faults.row(poison[misdeed])
        assert (row["status"], row["attempts"], row["crashes"]) == ("CRASH", 2, 0), misdeed
        assert says in row["error"]
    alerts = faults.query(
        "SELECT owner, state, labels ->> 'handler' FROM alert WHERE kind = 'crashed-messages'"
    )
    assert alerts == [("Vehicle Data", "firing", f"probe.misdeed{mode}")]

    faults.query(
        "UPDATE queue_message SET payload = '{\"do\": \"nothing\"}' WHERE status = 'CRASH'"
    )
    assert faults.cli("queue", "retry", f"--handler=probe.misdeed{mode}").returncode == 0
    assert faults.process().returncode == 0
    assert faults.counts() == {"PROCESSED": 200 + len(poison)}
    states = faults.query(
        "SELECT state FROM alert WHERE labels ->> 'handler' = %s ORDER BY id",
        (f"probe.misdeed{mode}",),
    )
    assert states == [("firing",), ("resolved",)]


@MODES
def test_one_that_uses_up_the_memory_leaves_enough_to_the_others(faults: Faults, mode: str) -> None:
    good = faults.add(f"probe.write{mode}", 100)
    (hungry,) = faults.add(f"probe.misdeed{mode}", payload={"do": "memory"})
    good += faults.add(f"probe.write{mode}", 100)

    faults.process_until_empty()

    assert faults.charges(good) == {("PROCESSED", 1, 0)}
    assert faults.effects() == dict.fromkeys(good, 1)
    assert faults.row(hungry)["status"] == "CRASH"
    assert "MemoryError" in faults.row(hungry)["error"]


@MODES
def test_one_that_kills_its_supervisor_too_is_found_out_alone(faults: Faults, mode: str) -> None:
    good = faults.add(f"probe.write{mode}", 20)
    (poison,) = faults.add(f"probe.misdeed{mode}", payload={"do": "kill-both"})
    good += faults.add(f"probe.write{mode}", 20)
    killed = 0

    def found_out() -> bool:
        nonlocal killed
        killed += faults.process(**SHORT_LEASE).returncode == -9
        return not faults.unfinished()

    wait_for(found_out, "no message unfinished")

    assert faults.charges(good) == {("PROCESSED", 1, 0)}
    assert faults.effects() == dict.fromkeys(good, 1)
    assert faults.charges([poison]) == {("CRASH", 0, 2)}
    assert "alone" in faults.row(poison)["error"]
    assert killed == 3  # once among others, then as often as a message may
    assert faults.query("SELECT owner FROM alert WHERE kind = 'crashed-messages'") == [
        ("Vehicle Data",)
    ]


@MODES
def test_one_that_kills_its_process_only_at_the_commit(faults: Faults, mode: str) -> None:
    good = faults.add(f"probe.write{mode}", 20)
    (poison,) = faults.add(f"probe.misdeed{mode}", payload={"do": "die-at-commit"})
    good += faults.add(f"probe.write{mode}", 20)

    # More often than a worker may die in a row without doing anything.
    faults.process_until_empty(CRONOPS_QUEUE__MAX_CRASHES="6")

    assert faults.row(poison)["status"] == "CRASH"
    assert faults.charges(good) == {("PROCESSED", 1, 0)}
    assert faults.effects() == dict.fromkeys(good, 1)


@MODES
def test_one_that_takes_too_long_is_killed_and_charged_alone(faults: Faults, mode: str) -> None:
    good = faults.add(f"probe.write{mode}", 20)
    late: list[int] = []
    for misdeed in ("hang-in-c", "ignore-term", "sleep"):
        late += faults.add(f"probe.late{mode}", payload={"do": misdeed}, max_attempts=1)
        good += faults.add(f"probe.write{mode}", 20)

    done = faults.process()

    assert done.returncode == 0, done.stderr
    assert faults.charges(good) == {("PROCESSED", 1, 0)}
    assert faults.effects() == dict.fromkeys(good, 1)
    assert faults.charges(late) == {("CRASH", 1, 0)}
    for message_id in late:
        assert faults.row(message_id)["error"].startswith("timed out after 1 s")


@MODES
def test_a_grandchild_in_a_session_of_its_own_does_not_outlive_the_run(
    faults: Faults, mode: str
) -> None:
    pid_file = faults.directory / "grandchild"
    ids = faults.add(
        f"probe.misdeed{mode}", payload={"do": "grandchild", "pid_file": str(pid_file)}
    )
    ids += faults.add(f"probe.write{mode}", 20)

    faults.process_until_empty(CRONOPS_SUPERVISOR__GRACE="0.5")

    assert faults.effects() == dict.fromkeys(ids, 1)
    assert is_gone(int(pid_file.read_text()))


@MODES
def test_a_forked_grandchild_that_keeps_the_dead_workers_connection_holds_nothing_up(
    faults: Faults, mode: str
) -> None:
    pid_file = faults.directory / "grandchild"
    good = faults.add(f"probe.write{mode}", 20)
    (poison,) = faults.add(
        f"probe.misdeed{mode}", payload={"do": "forked-grandchild", "pid_file": str(pid_file)}
    )
    good += faults.add(f"probe.write{mode}", 20)

    faults.process_until_empty(CRONOPS_SUPERVISOR__GRACE="0.5")

    assert faults.charges(good) == {("PROCESSED", 1, 0)}
    assert faults.effects() == dict.fromkeys(good, 1)
    assert faults.charges([poison]) == {("CRASH", 0, 2)}
    assert is_gone(int(pid_file.read_text()))


@MODES
def test_a_copy_that_comes_back_from_a_handler_works_nothing(faults: Faults, mode: str) -> None:
    ids = faults.add(f"probe.write{mode}", 20)
    for raises in (False, True):
        ids += faults.add(f"probe.misdeed{mode}", payload={"do": "copy", "raises": raises})
        ids += faults.add(f"probe.write{mode}", 20)

    faults.process_until_empty()

    assert faults.charges(ids) == {("PROCESSED", 1, 0)}
    assert faults.effects() == dict.fromkeys(ids, 1)
    assert faults.last_run()["counts"]["processed"] == len(ids)


@MODES
def test_what_damages_its_process_does_no_harm_to_the_others(faults: Faults, mode: str) -> None:
    good: list[int] = []
    for misdeed in ("threads", "mask"):
        good += faults.add(f"probe.write{mode}", 20)
        good += faults.add(f"probe.misdeed{mode}", payload={"do": misdeed})
    (closing,) = faults.add(f"probe.misdeed{mode}", payload={"do": "close-files"})
    good += faults.add(f"probe.write{mode}", 20)

    faults.process_until_empty()

    assert faults.charges(good) == {("PROCESSED", 1, 0)}
    assert faults.effects() == dict.fromkeys(good, 1)
    assert faults.row(closing)["status"] == "CRASH"


def test_one_that_blocks_every_signal_does_not_keep_the_run_from_stopping(faults: Faults) -> None:
    faults.add("probe.misdeed-each", payload={"do": "mask"})
    (waiting,) = faults.add("probe.misdeed-each", payload={"do": "until-stopping"})
    rest = faults.add("probe.write-each", 20)
    run = faults.start()
    wait_for(lambda: faults.row(waiting)["status"] == "PROCESSING", "the second in work")
    run.terminate()

    code, said = end_of(run)

    assert code == 0, said
    assert faults.row(waiting)["status"] == "PROCESSED"
    assert faults.charges(rest) == {("NEW", 0, 0)}

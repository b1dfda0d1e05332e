"""``cronops runs`` and ``cronops locks``, and the audit trail."""

import os
import pty
import subprocess

import pytest


@pytest.fixture
def held(database):
    """A lease that nobody renews, and nobody may take for an hour."""
    database.query(
        "INSERT INTO lease (token, key, owner_token, run_id, job, holder, expires_at)"
        " VALUES (7, 'probe.hang', 7, 'r-7', 'probe hang', 'node-1 pid 9', now() + interval '1 h')"
    )
    return "probe.hang"


def test_nothing_to_list_is_a_sentence(operator):
    assert operator.do("runs", "list") == "Nothing has run yet.\n"
    assert operator.do("locks", "list") == "No lock is held.\n"
    assert operator.do("audit", "list") == "No operator has changed anything.\n"
    assert operator.json("runs", "list") == []
    assert operator.json("locks", "list") == []
    assert operator.json("audit", "list") == []


def test_runs_are_listed_filtered_and_shown(operator, cli, probe):
    assert cli("probe", "ok", "--things=5", "--run-id=good-1").returncode == 0
    assert cli("probe", "fail", "--kind=permanent", "--run-id=bad-1").returncode == 1

    newest, oldest = operator.json("runs", "list")
    assert (newest["id"], newest["outcome"], newest["exit_code"]) == ("bad-1", "failed", 1)
    assert (oldest["id"], oldest["outcome"], oldest["counts"]) == (
        "good-1",
        "succeeded",
        {"things": 5},
    )
    for words, expected in (
        (("--job", "probe ok"), ["good-1"]),
        (("--outcome", "failed"), ["bad-1"]),
        (("--since", "1h"), ["bad-1", "good-1"]),
        (("--since", "2020-01-01T00:00:00Z", "--limit", "1"), ["bad-1"]),
        (("--outcome", "running"), []),
        (("--since", "0s"), []),
    ):
        assert [run["id"] for run in operator.json("runs", "list", *words)] == expected, words
    table = operator.do("runs", "list")
    assert "attempt 1 fails as permanent" in table
    assert "things=5" in table
    assert operator.do("runs", "list", "--outcome", "crashed") == "No run matches.\n"

    shown = operator.json("runs", "show", "bad")
    assert (shown["id"], shown["error"]) == ("bad-1", "attempt 1 fails as permanent")
    assert "accountable" in operator.do("runs", "show", "bad-1")


def test_a_run_or_job_nobody_knows_is_an_error(operator, probe):
    code, said = operator.fail("runs", "show", "nope")
    assert (code, "no run is called 'nope'" in said) == (64, True)
    code, said = operator.fail("runs", "list", "--job", "probe okk")
    assert (code, "did you mean 'probe ok'" in said) == (64, True)
    assert operator.do("runs", "list", "--job", "probe ok") == "No run matches.\n"
    assert operator.fail("runs", "list", "--outcome", "odd")[0] == 2
    assert operator.fail("runs", "list", "--limit", "0")[0] == 2


def test_a_run_left_unknown_is_settled_by_a_person(operator, cli, probe):
    slot = ("--scheduled-at", "2026-11-23T04:00:00Z")
    assert cli("probe", "not-safe", "--die", "--run-id=dead-1", *slot).returncode == 137
    refused = cli("probe", "not-safe", "--die", "--run-id=dead-2", *slot)
    assert refused.returncode == 1

    words = ("runs", "settle", "dead-1", "--as", "succeeded")
    assert operator.fail(*words)[0] == 2
    assert "its slot is used up" in operator.do(*words, "--reason", "the ERP has it")
    assert operator.audited() == [("runs settle", "dead-1", "the ERP has it")]
    assert "settled as succeeded by ada" in operator.json("runs", "show", "dead-1")["reason"]
    code, said = operator.fail(*words, "--reason", "again")
    assert (code, "nothing to settle" in said) == (64, True)
    (trail,) = operator.json("audit", "list")
    assert trail["details"] == {"as": "succeeded"}
    assert "the ERP has it" in operator.do("audit", "list", "--since", "1h")


def test_a_run_that_is_at_work_cannot_be_settled(operator, held, database):
    database.query(
        "INSERT INTO run (id, job, cr, arguments_hash, correlation_id, lock_key, token, holder,"
        " retry_safe) VALUES ('r-7', 'probe hang', 'X-001', 'h', 'c', 'probe.hang', 7, 'n', false)"
    )
    database.query("INSERT INTO slot VALUES ('probe hang', 'h', '', now(), 'r-7', 7, 'running')")
    words = ("runs", "settle", "r-7", "--as", "failed", "--reason", "it looks dead")
    code, said = operator.fail(*words)
    assert (code, "still at work" in said) == (64, True)
    database.query("DELETE FROM lease")
    assert "its slot may run again" in operator.do(*words)


def test_a_held_lock_is_listed_with_its_holder(operator, held):
    (lease,) = operator.json("locks", "list")
    assert (lease["key"], lease["holder"], lease["alive"]) == (held, "node-1 pid 9", True)
    assert "exclusive" in operator.do("locks", "list")


def test_releasing_a_lock_needs_a_terminal_or_yes(operator, held):
    words = ("locks", "release", held, "--reason", "node-1 burnt down")
    code, said = operator.fail(*words)
    assert (code, "--yes" in said) == (64, True)
    assert operator.json("locks", "list") != []
    assert operator.json(*words, "--yes") == {"key": held, "released": 1}
    assert operator.json("locks", "list") == []
    assert operator.audited() == [("locks release", held, "node-1 burnt down")]


def test_a_lock_nobody_holds_cannot_be_released(operator, held):
    code, said = operator.fail("locks", "release", "probe.hnag", "--reason", "x", "--yes")
    assert (code, "nobody holds a lock called 'probe.hnag'; did you mean 'probe.hang'" in said) == (
        64,
        True,
    )
    assert operator.audited() == []


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 1), ("y", 0, 0)])
def test_at_a_terminal_releasing_says_what_it_risks_and_asks(cli, held, answer, code, left):
    keyboard, terminal = pty.openpty()
    os.write(keyboard, f"{answer}\n".encode())
    done = subprocess.run(
        cli.command("locks", "release", held, "--reason", "x"),
        env=cli._environment(None),
        stdin=terminal,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(terminal)
    os.close(keyboard)
    assert done.returncode == code
    assert "Run r-7 of probe hang on node-1 pid 9" in done.stderr
    assert "It may still be at work." in done.stderr
    assert cli.database.query("SELECT count(*) FROM lease") == [(left,)]

"""``cronops queue process`` as a pod runs it: another process, supervised, under its lock."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands import CommandLine
from tests.databases import Database

SOON = 30.0
QUICK = {"CRONOPS_QUEUE__BACKOFF": "0", "CRONOPS_LOCK__TTL": "2"}
SETTLE = pytest.mark.parametrize("write", ["probe.write", "probe.write-each"])


@pytest.fixture(autouse=True)
def _with_probe(probe: Path) -> None:
    """Every test here works the probe's handlers."""


def add(database: Database, handler: str, count: int = 1, payload: Any = None) -> list[int]:
    rows = database.query(
        "INSERT INTO queue_message (handler, payload) SELECT %s, %s::jsonb"
        " FROM generate_series(1, %s) RETURNING id",
        (handler, json.dumps(payload or {}), count),
    )
    return [row[0] for row in rows]


def counts(database: Database) -> dict[str, int]:
    return dict(database.query("SELECT status, count(*) FROM queue_message GROUP BY status"))


def effects(database: Database) -> dict[int, int]:
    return dict(
        database.query("SELECT message_id, count(*) FROM public.probe_effect GROUP BY message_id")
    )


def run_counts(database: Database) -> dict[str, int]:
    found = database.query("SELECT counts FROM run ORDER BY started_at DESC LIMIT 1")
    made: dict[str, int] = found[0][0]
    return made


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {SOON:g} s: {what}")


@SETTLE
def test_real_handlers_write_through_sqlalchemy_exactly_once(
    database: Database, cli: CommandLine, write: str
) -> None:
    ids = add(database, write, 250)

    done = cli("queue", "process", "--queue=general")

    assert done.returncode == 0, done.stderr
    assert counts(database) == {"PROCESSED": 250}
    assert effects(database) == dict.fromkeys(ids, 1)
    assert run_counts(database)["processed"] == 250


@pytest.mark.parametrize("fail", ["probe.fail", "probe.fail-each"])
def test_a_failing_one_among_others(database: Database, cli: CommandLine, fail: str) -> None:
    ids = add(database, "probe.write", 50)
    (once,) = add(database, fail, payload={"times": 1})
    (hopeless,) = add(database, fail, payload={"kind": "permanent"})
    ids += add(database, "probe.write", 50)
    add(database, "probe.sql-error")

    done = cli("queue", "process", env={**QUICK, "CRONOPS_QUEUE__MAX_ATTEMPTS": "2"})

    assert done.returncode == 0, done.stderr
    assert counts(database) == {"PROCESSED": 101, "CRASH": 2}
    assert effects(database) == dict.fromkeys([*ids, once], 1)
    crashed = database.query(
        "SELECT id, error FROM queue_message WHERE status = 'CRASH' ORDER BY id"
    )
    assert crashed[0] == (hopeless, f"PermanentError: message {hopeless} fails as permanent")
    assert "division by zero" in crashed[1][1]
    alerts = database.query("SELECT owner, kind FROM alert ORDER BY id")
    assert ("Vehicle Data", "crashed-messages") in alerts


def test_one_that_kills_its_process_among_two_hundred(database: Database, cli: CommandLine) -> None:
    ids = add(database, "probe.write", 100)
    (killer,) = add(database, "probe.kill")
    ids += add(database, "probe.write", 100)

    done = cli("queue", "process", env=QUICK)

    assert done.returncode == 0, done.stderr
    assert counts(database) == {"PROCESSED": 200, "CRASH": 1}
    assert effects(database) == dict.fromkeys(ids, 1)
    assert database.query(
        "SELECT status, crashes, attempts FROM queue_message WHERE id = %s", (killer,)
    ) == [("CRASH", 3, 0)]
    assert database.query("SELECT max(crashes) FROM queue_message WHERE status = 'PROCESSED'") == [
        (0,)
    ]


def test_one_that_hangs_in_c_is_ended_and_charged_alone(
    database: Database, cli: CommandLine
) -> None:
    ids = add(database, "probe.write", 20)
    (hanging,) = add(database, "probe.hang")
    ids += add(database, "probe.write", 20)

    done = cli("queue", "process", env={**QUICK, "CRONOPS_QUEUE__MAX_ATTEMPTS": "1"})

    assert done.returncode == 0, done.stderr
    assert effects(database) == dict.fromkeys(ids, 1)
    rows = database.query(
        "SELECT status, attempts, error FROM queue_message WHERE id = %s", (hanging,)
    )
    assert rows[0][:2] == ("CRASH", 1)
    assert rows[0][2].startswith("timed out after 2 s")


@pytest.mark.parametrize("sleep", ["probe.sleep", "probe.sleep-each"])
def test_sigterm_finishes_the_message_in_hand_and_gives_the_rest_back(
    database: Database, cli: CommandLine, sleep: str
) -> None:
    add(database, sleep, 30, payload={"seconds": 0.3})
    process = cli.start("queue", "process")
    until(lambda: counts(database).get("PROCESSING"), "a message in work")
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)

    assert process.wait(SOON) == 0
    found = counts(database)
    assert set(found) == {"NEW", "PROCESSED"}
    assert effects(database) == dict.fromkeys(
        [
            row[0]
            for row in database.query("SELECT id FROM queue_message WHERE status = 'PROCESSED'")
        ],
        1,
    )
    assert database.query(
        "SELECT max(attempts), max(crashes) FROM queue_message WHERE status = 'NEW'"
    ) == [(0, 0)]


def test_a_second_run_is_skipped_and_processes_nothing(
    database: Database, cli: CommandLine
) -> None:
    add(database, "probe.sleep", payload={"seconds": 2})
    first = cli.start("queue", "process")
    until(lambda: counts(database).get("PROCESSING"), "a message in work")
    add(database, "probe.write", 5)

    second = cli("queue", "process")

    assert second.returncode == 0
    assert "skipped" in second.stdout + second.stderr
    assert counts(database)["NEW"] >= 5
    assert first.wait(SOON) == 0


def test_killed_together_with_its_supervisor_nothing_is_lost_or_doubled(
    database: Database, cli: CommandLine
) -> None:
    ids = add(database, "probe.write", 30)
    ids += add(database, "probe.sleep", 2, payload={"seconds": 1})
    process = cli.start("queue", "process", env=QUICK)
    until(lambda: counts(database).get("PROCESSED"), "a chunk done")
    process.kill()
    process.wait(SOON)

    def finished() -> bool:
        cli("queue", "process", env=QUICK)
        return counts(database) == {"PROCESSED": 32}

    until(finished, "all processed by later runs")
    assert effects(database) == dict.fromkeys(ids, 1)
    assert database.query("SELECT max(crashes) FROM queue_message") == [(0,)]


def test_several_processes_under_one_lock(database: Database, cli: CommandLine) -> None:
    ids = add(database, "probe.write", 2000)
    done = cli("queue", "process", "--concurrency=2")
    assert done.returncode == 0, done.stderr
    assert effects(database) == dict.fromkeys(ids, 1)
    assert run_counts(database)["processed"] == 2000


def test_shards_work_side_by_side_and_keep_an_unsharded_run_out(
    database: Database, cli: CommandLine
) -> None:
    add(database, "probe.sleep-each", 200, payload={"seconds": 0.5})
    shards = [
        cli.start("queue", "process", "--shard", "1/2"),
        cli.start("queue", "process", "--shard", "auto/2", env={"JOB_COMPLETION_INDEX": "2"}),
    ]
    until(lambda: counts(database).get("PROCESSING") == 2, "both at work")
    whole = cli("queue", "process")
    forced = cli("queue", "process", "--shard", "0/2", "--force-restart")
    for shard in shards:
        shard.terminate()

    assert [shard.wait(SOON) for shard in shards] == [0, 0]
    assert "skipped" in whole.stdout + whole.stderr
    assert forced.returncode == 64
    assert "another shard" in forced.stderr + forced.stdout
    assert set(counts(database)) == {"PROCESSED", "NEW"}
    assert database.query("SELECT count(DISTINCT pid) FROM public.probe_effect") == [(2,)]
    assert set(effects(database).values()) == {1}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--shard", "3/2"], "no shard 3 of 2"),
        (["--shard", "x"], "I/N"),
        (["--shard", "auto/2"], "JOB_COMPLETION_INDEX"),
        (["--concurrency", "0"], "at least 1"),
        (["--max-messages", "0"], "at least 1"),
        (["--until-empty", "--follow"], "exclude each other"),
    ],
)
def test_options_that_make_no_sense(cli: CommandLine, options: list[str], says: str) -> None:
    refused = cli("queue", "process", *options)
    assert refused.returncode == 64, refused.stderr
    assert says in refused.stderr + refused.stdout


def test_force_restart_takes_up_what_nobody_holds_any_more(
    database: Database, cli: CommandLine
) -> None:
    add(database, "probe.write", 3)
    database.query(
        "UPDATE queue_message SET status = 'PROCESSING', claimed_at = now(), heartbeat_at = now()"
    )
    cli("queue", "process")
    assert counts(database) == {"PROCESSING": 3}
    cli("queue", "process", "--force-restart")
    assert counts(database) == {"PROCESSED": 3}
    assert run_counts(database)["restarted"] == 3


def test_a_handler_longer_than_stale_after_is_kept_alive_by_its_heartbeat(
    database: Database, cli: CommandLine
) -> None:
    add(database, "probe.sleep-each", payload={"seconds": 4})
    settings = {"CRONOPS_QUEUE__STALE_AFTER": "2", "CRONOPS_LOCK__TTL": "2"}
    slow = cli.start("queue", "process", "--shard", "1/2", env=settings)
    until(lambda: counts(database).get("PROCESSING"), "a message in work")
    began = time.monotonic()
    while time.monotonic() - began < 3:
        cli("queue", "process", "--shard", "2/2", env=settings)
    assert slow.wait(SOON) == 0
    assert database.query("SELECT status, attempts, crashes FROM queue_message") == [
        ("PROCESSED", 1, 0)
    ]
    assert len(database.query("SELECT * FROM public.probe_effect")) == 1


def test_a_connection_cut_while_at_work(database: Database, cli: CommandLine) -> None:
    ids = add(database, "probe.write", 20)
    ids += add(database, "probe.sleep", 3, payload={"seconds": 0.7})
    ids += add(database, "probe.write", 20)
    process = cli.start("queue", "process")
    until(lambda: counts(database).get("PROCESSED"), "a chunk done")
    database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    _, said = process.communicate(timeout=SOON)
    assert process.returncode == 0, said
    assert counts(database) == {"PROCESSED": 43}, said
    assert effects(database) == dict.fromkeys(ids, 1)


def test_it_says_who_it_is_to_the_server(database: Database, cli: CommandLine) -> None:
    add(database, "probe.sleep", payload={"seconds": 1})
    process = cli.start("queue", "process")
    names = until(
        lambda: [
            row[0]
            for row in database.query(
                "SELECT application_name FROM pg_stat_activity"
                " WHERE application_name LIKE '%%queue process queue'"
            )
        ],
        "the worker's connection",
    )
    assert len(names) == 1
    assert process.wait(SOON) == 0

"""``cronops images``: what operators see of batches and images."""

import json
from typing import Any

import pytest

from tests.commands import CommandLine
from tests.databases import Database
from tests.servers import wait_until


@pytest.fixture
def edited(database: Database) -> Database:
    """Batch 1 was rejected, batch 2 has a row of each kind; one image is there, one was."""
    database.query(
        "INSERT INTO image_batch (file, sha256, filed_as, state, reason, rows, done, failed,"
        " rejected, run_id) VALUES"
        " ('images_a.csv', repeat('a', 64), 'images_a.csv', 'rejected', 'the file is empty',"
        "  0, 0, 0, 0, 'r'),"
        " ('images_b.csv', repeat('b', 64), 'images_b.csv', 'enqueued', NULL, 3, 1, 1, 1, 'r')"
    )
    database.query(
        "INSERT INTO image_edit (batch_id, line, article_number, position, action, source, state,"
        " reason, raw) VALUES"
        " (2, 2, 'A1', 1, 'add', 'one.jpg', 'done', NULL, NULL),"
        " (2, 3, 'A2', 1, 'add', 'two.jpg', 'failed', 'no such file', NULL),"
        " (2, 4, 'A3', 1, 'add', 'three.jpg', 'waiting', NULL, NULL),"
        " (2, 5, NULL, NULL, NULL, NULL, 'rejected', 'no article number', ';1;add;x.jpg')"
    )
    database.query(
        "INSERT INTO article_image (article_number, position, state, source, source_sha256, recipe,"
        " renditions, batch_id, line) VALUES"
        " ('A1', 1, 'present', 'one.jpg', 'x', 'y', %s, 2, 2),"
        " ('A1', 2, 'deleted', NULL, NULL, NULL, '[]', 2, 9)",
        (json.dumps([{"file": "aa/A1/1-big.jpg", "width": 30, "height": 20, "bytes": 1}]),),
    )
    return database


def shown(cli: CommandLine, *words: str) -> Any:
    done = cli("images", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_batches_are_listed_and_chosen(edited: Database, cli: CommandLine) -> None:
    listed = shown(cli, "batches", "list")
    assert [(row["id"], row["state"], row["waiting"]) for row in listed] == [
        (2, "enqueued", 1),
        (1, "rejected", 0),
    ]
    assert len(shown(cli, "batches", "list", "--failed")) == 2
    assert [row["id"] for row in shown(cli, "batches", "list", "--state", "rejected")] == [1]
    assert "the file is empty" in cli("images", "batches", "list").stdout
    assert cli("images", "batches", "list", "--state", "odd").returncode == 2


def test_a_batch_is_shown_with_its_bad_rows(edited: Database, cli: CommandLine) -> None:
    found = shown(cli, "batches", "show", "2")
    assert shown(cli, "batches", "show") == found
    assert [(row["line"], row["state"], row["reason"]) for row in found["bad_rows"]] == [
        (3, "failed", "no such file"),
        (5, "rejected", "no article number"),
    ]
    text = cli("images", "batches", "show", "2", "--limit", "1")
    assert "two.jpg" in text.stdout
    assert "the first 1 rows" in text.stderr
    missing = cli("images", "batches", "show", "7")
    assert missing.returncode == 64
    assert "there is no batch 7; the latest are 2, 1" in missing.stderr


def test_where_no_batch_has_come(database: Database, cli: CommandLine) -> None:
    assert "No batch has come yet" in cli("images", "batches", "list").stdout
    assert "no batch has come yet" in cli("images", "batches", "show").stderr
    assert "there is no batch 1; there is none yet" in cli("images", "retry", "1").stderr


def test_images_of_an_article(edited: Database, cli: CommandLine) -> None:
    assert [row["position"] for row in shown(cli, "list", "--article", "A1")] == [1]
    everything = shown(cli, "list", "--article", "A1", "--deleted")
    assert [row["state"] for row in everything] == ["present", "deleted"]
    assert "aa/A1/1-big.jpg (30x20)" in cli("images", "list", "--article", "A1").stdout
    unknown = cli("images", "list", "--article", "A11")
    assert unknown.returncode == 64
    assert "did you mean 'A1'" in unknown.stderr


def test_a_retry_is_enqueued_once_and_leaves_what_waits_alone(
    edited: Database, cli: CommandLine
) -> None:
    edited.query(
        "INSERT INTO queue_message (handler, payload, dedupe_key) VALUES"
        """ ('images.update', '{"batch": 2, "chunk": 1, "first": 4, "last": 4}', 'x')"""
    )
    assert shown(cli, "retry", "2") == {"batch": 2, "rows": 1, "messages": 1}
    assert shown(cli, "retry", "2") == {"batch": 2, "rows": 0, "messages": 0}
    assert edited.query("SELECT payload FROM queue_message WHERE dedupe_key <> 'x'") == [
        ({"batch": 2, "chunk": 1, "first": 3, "last": 3},)
    ]
    assert edited.query("SELECT failed, retries, state FROM image_batch WHERE id = 2") == [
        (0, 1, "enqueued")
    ]
    assert edited.query("SELECT line FROM image_edit WHERE state = 'waiting' ORDER BY line") == [
        (3,),
        (4,),
    ]
    assert edited.query("SELECT count(*) FROM audit") == [(1,)]


def test_a_message_for_a_batch_that_never_was(edited: Database, cli: CommandLine) -> None:
    edited.query(
        "INSERT INTO queue_message (handler, payload) VALUES"
        """ ('images.update', '{"batch": 9, "chunk": 1, "first": 2, "last": 3}')"""
    )
    assert cli("queue", "process").returncode == 0
    assert edited.query("SELECT status, error FROM queue_message") == [
        ("CRASH", "PermanentError: there is no batch 9 of images")
    ]


def test_a_number_that_no_batch_can_have(edited: Database, cli: CommandLine) -> None:
    for words in (("batches", "show"), ("retry",)):
        missing = cli("images", *words, "99999999999999999999")
        assert missing.returncode == 64
        assert "there is no batch 99999999999999999999; the latest are 2, 1" in missing.stderr


def test_a_retry_is_not_held_up_by_messages_that_nobody_can_read(
    edited: Database, cli: CommandLine
) -> None:
    broken: list[Any] = [
        {"batch": "two"}, {"batch": 2}, {"batch": 2, "first": 9, "last": 3}, {"batch": 1e40},
        {"batch": 2, "first": 2, "last": 1 << 40}, {"batch": 2, "first": "x", "last": None}, [2], 2,
        {"batch": 2, "first": 2.5, "last": 7},
    ]  # fmt: skip
    for payload in broken:
        edited.query(
            "INSERT INTO queue_message (handler, payload, status, finished_at)"
            " VALUES ('images.update', %s, 'CRASH', now())",
            (json.dumps(payload),),
        )
    assert shown(cli, "retry", "2") == {"batch": 2, "rows": 2, "messages": 1}
    assert edited.query("SELECT payload FROM queue_message WHERE status = 'NEW'") == [
        ({"batch": 2, "chunk": 1, "first": 3, "last": 4},)
    ]


def test_rows_whose_message_is_gone_are_enqueued_again(edited: Database, cli: CommandLine) -> None:
    edited.query(
        "INSERT INTO queue_message (handler, payload, dedupe_key) VALUES"
        """ ('images.update', '{"batch": 2, "chunk": 1, "first": 4, "last": 4}', 'x')"""
    )
    assert shown(cli, "retry", "2")["rows"] == 1  # the failed one: line 4 has its message
    edited.query("DELETE FROM queue_message")
    assert shown(cli, "retry", "2") == {"batch": 2, "rows": 2, "messages": 1}
    assert edited.query("SELECT payload FROM queue_message") == [
        ({"batch": 2, "chunk": 1, "first": 3, "last": 4},)
    ]
    assert shown(cli, "retry", "2") == {"batch": 2, "rows": 0, "messages": 0}
    assert edited.query("SELECT done, failed, state FROM image_batch WHERE id = 2") == [
        (1, 0, "enqueued")
    ]


def test_a_retry_and_a_worker_do_not_wait_for_each_other(
    edited: Database, cli: CommandLine
) -> None:
    with edited.connect() as worker, worker.transaction():
        worker.execute("SELECT FROM image_edit WHERE batch_id = 2 AND line = 3 FOR UPDATE")
        retry = cli.start("images", "retry", "2", "--json")
        wait_until(
            lambda: (
                edited.query(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
                == [(1,)]
            )
        )
        worker.execute("UPDATE image_batch SET done = 1 WHERE id = 2")
    assert retry.wait(20) == 0


def test_a_retry_counts_anew_what_somebody_has_changed_by_hand(
    edited: Database, cli: CommandLine
) -> None:
    edited.query("UPDATE image_edit SET state = 'waiting' WHERE state IN ('done', 'failed')")
    assert shown(cli, "retry", "2") == {"batch": 2, "rows": 3, "messages": 1}
    assert edited.query("SELECT done, failed, superseded FROM image_batch WHERE id = 2") == [
        (0, 0, 0)
    ]

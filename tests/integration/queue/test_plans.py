"""The claim's cost does not grow with what is not to be claimed: its plan, held by EXPLAIN."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cronops.queue import store
from cronops.queue.message import Message
from tests.databases import Database

HISTORY = """
INSERT INTO queue_message (handler, status, finished_at, priority, available_at)
SELECT 'work', 'PROCESSED', now(), 0, now() FROM generate_series(1, 30000)
"""
DELAYED = """
INSERT INTO queue_message (handler, priority, available_at, direction)
SELECT 'work', %s, now() + interval '2 days' + n * interval '1 second', 'outgoing'
FROM generate_series(1, 30000) n
"""
LEASE = """
INSERT INTO lease (token, key, owner_token, run_id, job, holder, expires_at)
VALUES (1, 'cron.queue.process.general', 1, 'run', 'queue process', 'test', now() + interval '1 h')
"""
DUE = "INSERT INTO queue_message (handler) SELECT 'work' FROM generate_series(1, 500)"


@pytest.fixture(params=[0, 500], ids=["delayed", "delayed and of high priority"])
def crowded(database: Database, request: pytest.FixtureRequest) -> Database:
    database.query(HISTORY)
    database.query(DELAYED, (request.param,))
    database.query(DUE)
    database.query(LEASE)
    database.query("VACUUM ANALYZE queue_message")
    return database


def plan(database: Database, **shape: Any) -> list[dict[str, Any]]:
    """The nodes of a step's plan as it really ran, undone afterwards."""
    values = {
        "token_0": 1,
        "queue": "general",
        "direction": "incoming",
        "claimed_by": 1,
        "worker": 0,
        "batch_handlers": ["work"],
        "settle_ids": [1, 2, 3],
        "settle_tokens": [1, 1, 1],
        "start_ids": [4, 5, 6],
        "start_tokens": [1, 1, 1],
        "settle_id": 1,
        "settle_token": 1,
        "start_id": 2,
        "start_token": 1,
    }
    statement = store.statement_of(store.Shape(leases=1, **shape))
    with database.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor = connection.execute(
            f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", values, prepare=True
        )
        row = cursor.fetchone()
    assert row
    found = row[0] if isinstance(row[0], list) else json.loads(row[0])
    return list(nodes(found[0]["Plan"]))


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from nodes(child)


@pytest.mark.parametrize("direction", [False, True], ids=["any direction", "one direction"])
def test_the_claim_looks_at_what_it_claims_and_nothing_else(
    crowded: Database, direction: bool
) -> None:
    found = plan(crowded, settle=store._MANY, start=store._MANY, claim=100, by_direction=direction)

    on_queue = [node for node in found if node.get("Relation Name") == "queue_message"]
    assert [node["Node Type"] for node in on_queue if "Seq" in node["Node Type"]] == []
    (walk,) = [
        node
        for node in found
        if node.get("Index Name")
        == ("queue_message_new_direction" if direction else "queue_message_new")
    ]
    assert walk["Node Type"] in ("Index Scan", "Index Only Scan")
    assert walk["Actual Rows"] == 100
    assert walk.get("Rows Removed by Filter", 0) == 0
    # What is claimed is put in order for the answer; what is walked over never is.
    sorted_rows = [node["Actual Rows"] for node in found if node["Node Type"] == "Sort"]
    assert all(rows <= 100 for rows in sorted_rows)


@pytest.mark.parametrize("which", [store._ONE, store._MANY], ids=["one", "many"])
def test_settling_and_starting_go_by_the_primary_key(crowded: Database, which: str) -> None:
    found = plan(crowded, settle=which, start=which, claim=0, by_direction=False)
    scans = [node for node in found if node.get("Relation Name") == "queue_message"]
    by_index = {
        node.get("Index Name") for node in scans if node["Node Type"] not in ("ModifyTable",)
    }
    assert by_index == {"queue_message_pkey"}


def test_an_empty_queue_is_not_searched_for(crowded: Database) -> None:
    crowded.query("DELETE FROM queue_message WHERE available_at <= now() AND status = 'NEW'")
    crowded.query("VACUUM ANALYZE queue_message")
    found = plan(crowded, settle=None, start=None, claim=100, by_direction=False)
    (walk,) = [node for node in found if node.get("Index Name") == "queue_message_new"]
    assert walk["Actual Rows"] == 0
    assert walk.get("Rows Removed by Filter", 0) == 0


def test_a_plan_is_made_once_and_then_kept(database: Database) -> None:
    """Planning each commit anew would cost a settle-each handler a quarter of its rate."""
    item = store.Claimed(Message(1, *[None] * 12), 1, True)  # type: ignore[arg-type]
    with database.connect() as connection:
        hot = store.Store(connection, queue="general", direction=None, tokens=[1], worker=0)
        for _ in range(30):
            hot.step(settle=[item], start=[item])
            hot.step(settle=[item] * 100, claim=100)
        rows = connection.execute(
            "SELECT generic_plans FROM pg_prepared_statements WHERE statement LIKE '%fence%'"
        ).fetchall()
    assert len(rows) == 2
    assert min(row[0] for row in rows) >= 20

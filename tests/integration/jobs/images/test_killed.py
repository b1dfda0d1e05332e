"""A run killed between any two of its steps, and run again: nothing lost, nothing twice."""

import shutil
from typing import Any

import pytest

from tests.integration.jobs.images.conftest import Studio
from tests.stepping import run_to_step

# The lease of one that was killed is free a second later.
WAIT = ("--wait", "10s")
ENQUEUE = ("images", "enqueue-batches", *WAIT)
PROCESS = ("queue", "process", *WAIT)
TAKEN = ["read", "write rejects", "archive", "read", "archive", "drop old edits"]
REJECTED = ["read", "record rejection", "write reason", "quarantine"]
# Two renditions for each of the first two; the third row deletes what the first batch had made.
WORKED = [
    *("fetch", "publish", "publish", "record image"),
    *("fetch", "publish", "publish", "record image"),
    *("remove", "record deletion", "settle"),
]

TABLES = ("image_batch", "image_edit", "queue_message", "article_image")
BATCHES = "SELECT file, filed_as, state, rows, done, failed, rejected, chunks FROM image_batch"
EDITS = "SELECT line, article_number, position, action, source, state, reason FROM image_edit"
MESSAGES = "SELECT handler, payload, dedupe_key FROM queue_message WHERE status <> 'PROCESSED'"
IMAGES = (
    "SELECT article_number, position, state, source_sha256, recipe, renditions, batch_id, line"
    " FROM article_image"
)


def state_of(studio: Studio) -> dict[str, Any]:
    tables = {
        name: sorted(studio.database.query(statement), key=repr)
        for name, statement in (
            ("batches", BATCHES),
            ("edits", EDITS),
            ("messages", MESSAGES),
            ("images", IMAGES),
        )
    }
    files = {
        str(path.relative_to(studio.root)): path.read_bytes()
        for path in studio.root.rglob("*")
        if path.is_file()
    }
    return {**tables, "files": files}


def two_batches(studio: Studio) -> None:
    """One with a bad row, one without, and an old one whose rows are due to be dropped."""
    studio.batch(
        "images_a.csv", *(f"A{n:07d};1;add;{n}.jpg" for n in range(1, 13)), "NONE;1;add;x.jpg"
    )
    studio.batch("images_b.csv", "A0000001;2;delete;")
    studio.database.query(
        "INSERT INTO image_batch (file, sha256, filed_as, state, rows, done, told, run_id,"
        " finished_at) VALUES ('images_old.csv', repeat('0', 64), 'images_old.csv', 'done', 1, 1,"
        " true, 'run', now() - interval '1 year')"
    )
    studio.database.query(
        "INSERT INTO image_edit (batch_id, line, article_number, position, action, state)"
        " VALUES (1, 2, 'A0000001', 1, 'delete', 'done')"
    )


def undo(studio: Studio) -> None:
    for table in TABLES:
        studio.database.query(f"TRUNCATE {table} RESTART IDENTITY")
    for directory in (studio.batches, studio.store):
        shutil.rmtree(directory)
        directory.mkdir()


def test_a_producer_killed_at_any_step(studio: Studio) -> None:
    two_batches(studio)
    env = studio.env | {"CRONOPS_IMAGES__CHUNK_ROWS": "5"}
    database, root = studio.database, studio.root.parent
    assert run_to_step(database, root, 0, *ENQUEUE, env=env) == TAKEN
    unbroken = state_of(studio)
    assert len(unbroken["messages"]) == 4
    assert len(unbroken["edits"]) == 14
    for number in range(1, len(TAKEN) + 1):
        undo(studio)
        two_batches(studio)
        run_to_step(database, root, number, *ENQUEUE, env=env)
        run_to_step(database, root, 0, *ENQUEUE, env=env)
        assert state_of(studio) == unbroken, TAKEN[number - 1]


def test_a_rejection_killed_at_any_step(studio: Studio) -> None:
    database, root = studio.database, studio.root.parent
    studio.batch("images_a.csv", "NONE;1;add;x.jpg")
    studio.enqueue(code=65)
    unbroken = state_of(studio)
    assert sorted(unbroken["files"]) == [
        "batches/quarantine/images_a.csv",
        "batches/quarantine/images_a.csv.reason.txt",
    ]
    for number in range(1, len(REJECTED) + 1):
        undo(studio)
        studio.batch("images_a.csv", "NONE;1;add;x.jpg")
        steps = run_to_step(database, root, number, *ENQUEUE, env=studio.env)
        assert steps == REJECTED[:number]
        studio.enqueue(*WAIT, code=65)
        assert state_of(studio) == unbroken, REJECTED[number - 1]
    undo(studio)
    studio.batch("images_a.csv", "NONE;1;add;x.jpg")
    with pytest.raises(AssertionError, match="never came to step"):
        run_to_step(database, root, len(REJECTED) + 1, *ENQUEUE, env=studio.env)


COLUMNS = """
SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns
WHERE table_schema = 'cronops' AND table_name = %s AND is_generated = 'NEVER'
"""


def save(studio: Studio) -> None:
    """Keep the tables and the store as they are, to come back to."""
    for table in TABLES:
        studio.database.query(f"CREATE TABLE public.saved_{table} AS TABLE {table}")
    shutil.copytree(studio.store, studio.root.parent / "saved")


def come_back(studio: Studio) -> None:
    """To what was kept by `save`."""
    for table in TABLES:
        ((columns,),) = studio.database.query(COLUMNS, (table,))
        studio.database.query(f"TRUNCATE {table}")
        studio.database.query(
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM public.saved_{table}"
        )
    shutil.rmtree(studio.store)
    shutil.copytree(studio.root.parent / "saved", studio.store)


def test_an_image_that_kills_its_worker_again_and_again_stops_nobody_else(studio: Studio) -> None:
    studio.source("one.jpg")
    studio.batch("images_a.csv", "A0000001;1;add;one.jpg", "A0000002;1;add;one.jpg")
    studio.enqueue()
    for _ in range(2):
        run_to_step(studio.database, studio.root.parent, 1, *PROCESS, env=studio.env)
    run_to_step(studio.database, studio.root.parent, 0, *PROCESS, env=studio.env)
    assert studio.edits() == [
        (2, "failed", "the process died 2 times while working this image"),
        (3, "done", None),
    ]
    assert studio.database.query("SELECT status FROM queue_message") == [("PROCESSED",)]


@pytest.mark.timeout(200)
def test_a_worker_killed_at_any_step(studio: Studio) -> None:
    studio.source("old.jpg", 7)
    studio.source("one.jpg", 1)
    studio.source("two.png", 2, kind="PNG")
    studio.batch("images_a.csv", "A0000002;1;add;old.jpg", "A0000003;7;add;old.jpg")
    studio.enqueue()
    studio.process()
    studio.batch(
        "images_b.csv", "A0000001;1;add;one.jpg", "A0000002;1;replace;two.png", "A0000003;7;delete;"
    )
    studio.enqueue()
    save(studio)
    database, root = studio.database, studio.root.parent
    assert run_to_step(database, root, 0, *PROCESS, env=studio.env) == WORKED
    unbroken = state_of(studio)
    assert studio.stored() == [
        f"A000000{article}/1-{file}" for article in (1, 2) for file in ("big.jpg", "thumb.webp")
    ]
    for number in range(1, len(WORKED) + 1):
        come_back(studio)
        run_to_step(database, root, number, *PROCESS, env=studio.env)
        run_to_step(database, root, 0, *PROCESS, env=studio.env)
        assert state_of(studio) == unbroken, WORKED[number - 1]

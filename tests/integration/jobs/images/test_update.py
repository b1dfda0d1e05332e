"""The handler `images.update`: what becomes of good sources, bad ones, and servers that fail."""

import io
import json
import time
from pathlib import Path

import pytest
from PIL import Image

from cronops.samples.images import image_bytes
from tests.integration.jobs.images.conftest import Studio
from tests.servers import HANG, WebServer, refusing_port, wait_until, web_server

LOCAL_SERVERS = {
    "CRONOPS_IMAGES__PUBLIC_ONLY": "false",
    "CRONOPS_CLIENTS__ATTEMPTS": "1",
    "CRONOPS_CLIENTS__READ_TIMEOUT": "1s",
}
LATER = {"CRONOPS_QUEUE__BACKOFF": "1h"}


def messages(studio: Studio) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = studio.database.query(
        "SELECT status, attempts FROM queue_message ORDER BY id"
    )
    return found


def batch_of(studio: Studio, number: int = 1) -> dict[str, object]:
    columns = ("state", "rows", "done", "failed", "superseded")
    (row,) = studio.database.query(
        f"SELECT {', '.join(columns)} FROM image_batch WHERE id = %s", (number,)
    )
    return dict(zip(columns, row, strict=True))


def work(studio: Studio, name: str, *rows: str) -> None:
    studio.batch(name, *rows)
    studio.enqueue()
    studio.process()


def test_added_replaced_and_deleted(studio: Studio) -> None:
    studio.source("a/one.jpg", size=(640, 480))
    studio.source("two.png", 2, kind="PNG", size=(200, 400))
    work(studio, "images_a.csv", "A0000001;1;add;a/one.jpg", "A0000001;2;replace;a/one.jpg")
    assert studio.stored() == [
        f"A0000001/{place}-{name}" for place in (1, 2) for name in ("big.jpg", "thumb.webp")
    ]
    assert batch_of(studio) == {
        "state": "done", "rows": 2, "done": 2, "failed": 0, "superseded": 0,
    }  # fmt: skip

    work(studio, "images_b.csv", "A0000001;1;replace;two.png", "A0000001;2;delete;")

    big, thumb = sorted(studio.store.rglob("*-*"))
    with Image.open(big) as image:
        assert (image.format, image.size) == ("JPEG", (150, 300))
    with Image.open(thumb) as image:
        assert (image.format, image.size) == ("WEBP", (60, 60))
    shown = studio.command("list", "--article", "A0000001", "--deleted").stdout
    assert "two.png" in shown
    assert "deleted" in shown
    work(studio, "images_c.csv", "A0000001;1;delete;", "A0000009;4;delete;")
    assert studio.stored() == []
    assert not any(studio.store.glob("*/*"))
    assert "were deleted" in studio.command("list", "--article", "A0000001").stdout


def test_what_is_there_already_is_not_made_again(studio: Studio) -> None:
    studio.source("one.jpg")
    work(studio, "images_a.csv", "A0000001;1;add;one.jpg")
    before = {path: path.stat().st_ino for path in studio.store.rglob("*-*")}
    studio.source("copy.jpg")
    work(studio, "images_b.csv", "A0000001;1;replace;copy.jpg")
    assert {path: path.stat().st_ino for path in studio.store.rglob("*-*")} == before
    assert studio.database.query("SELECT source, batch_id FROM article_image") == [("copy.jpg", 2)]
    # Where a file is gone, or other renditions are wanted, it is.
    next(iter(before)).unlink()
    work(studio, "images_c.csv", "A0000001;1;replace;one.jpg")
    assert set(studio.store.rglob("*-*")) == set(before)
    studio.env["CRONOPS_IMAGES__RENDITIONS"] = '[{"name": "only", "width": 50, "height": 50}]'
    assert "Enqueued 1 rows" in studio.command("retry", "3", "--all").stdout
    studio.process()
    assert batch_of(studio, 3)["done"] == 1
    assert studio.stored() == ["A0000001/1-only.jpg"]


def test_an_addition_takes_no_position_that_is_taken(studio: Studio) -> None:
    studio.source("one.jpg", 1)
    studio.source("two.jpg", 2)
    work(studio, "images_a.csv", "A0000001;1;add;one.jpg")
    work(studio, "images_b.csv", "A0000001;1;add;two.jpg", "A0000001;2;add;two.jpg")
    assert batch_of(studio, 2)["failed"] == 1
    assert "position 1 has another image, from one.jpg" in studio.edits()[1][2]
    # The same source again is no contradiction, and a deleted position is free.
    work(studio, "images_c.csv", "A0000001;1;add;one.jpg", "A0000001;2;delete;")
    work(studio, "images_d.csv", "A0000001;2;add;one.jpg")
    assert (batch_of(studio, 3)["failed"], batch_of(studio, 4)["failed"]) == (0, 0)


def test_a_late_message_of_an_older_batch_undoes_nothing(studio: Studio) -> None:
    studio.source("old.jpg", 1)
    studio.source("new.jpg", 2)
    studio.batch("images_a.csv", "A0000001;1;replace;old.jpg", "A0000002;1;replace;old.jpg")
    studio.enqueue()
    studio.database.query("UPDATE queue_message SET available_at = now() + interval '1 hour'")
    work(studio, "images_b.csv", "A0000001;1;replace;new.jpg", "A0000002;1;delete;")
    new = {path.name: path.read_bytes() for path in studio.store.rglob("*-*")}
    studio.database.query("UPDATE queue_message SET available_at = now()")
    studio.process()
    assert {path.name: path.read_bytes() for path in studio.store.rglob("*-*")} == new
    assert batch_of(studio, 1)["superseded"] == 2
    assert batch_of(studio, 1)["state"] == "done"
    assert studio.edits()[0][1:] == ("superseded", "batch 2, line 2 came later and was first")


def test_a_bad_source_fails_alone_and_is_told_of(studio: Studio, tmp_path: Path) -> None:
    studio.source("good.jpg")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "one.jpg").write_bytes(image_bytes(1))
    (studio.sources / "link.jpg").symlink_to(outside / "one.jpg")
    (studio.sources / "dir").symlink_to(outside)
    (studio.sources / "folder.jpg").mkdir()
    (studio.sources / "page.jpg").write_text("<!doctype html>")
    (studio.sources / "empty.jpg").write_bytes(b"")
    (studio.sources / "half.jpg").write_bytes(image_bytes(1)[:3000])
    (studio.sources / "large.jpg").write_bytes(b"\xff\xd8" + b"\0" * 200_000)
    (studio.sources / "bomb.png").write_bytes(bomb())
    bad = {
        "link.jpg": "it is a symbolic link",
        "dir/one.jpg": "a symbolic link leads to it",
        "folder.jpg": "it is a directory",
        "lost.jpg": "there is no such file",
        "page.jpg": "no image of a kind that is taken",
        "empty.jpg": "no image of a kind that is taken",
        "half.jpg": "cannot be decoded",
        "large.jpg": "larger than 150,000 bytes",
        "bomb.png": "20,000 x 20,000 pixels are more than",
        "http://127.0.0.1:1/one.jpg": "not a public address",
    }
    bad |= {"http://xn--/one.jpg": "is no URL", "https://localhost:0/x": "is no URL"}
    rows = [f"A{n:07d};1;add;{source}" for n, source in enumerate(bad, 1)]
    studio.env["CRONOPS_IMAGES__MAX_BYTES"] = "150000"

    work(studio, "images_a.csv", *rows, "A0000100;1;add;good.jpg")

    assert messages(studio) == [("PROCESSED", 1)]
    assert batch_of(studio) == {
        "state": "done", "rows": 13, "done": 1, "failed": 12, "superseded": 0,
    }  # fmt: skip
    for (_, state, reason), (source, says) in zip(studio.edits(), bad.items(), strict=False):
        assert state == "failed", source
        assert says in reason, source
    assert len(studio.stored()) == 2
    shown = studio.command("batches", "show", "1")
    assert "lost.jpg" in shown.stdout
    assert "cronops images retry 1" in shown.stderr
    assert "images_a.csv" in studio.command("batches", "list", "--failed").stdout
    told = "12 rows of images_a.csv failed; see: cronops images batches show 1"
    assert told in studio.enqueue().stderr
    assert told not in studio.enqueue().stderr
    studio.command("retry", "1")
    studio.process()
    assert told in studio.enqueue().stderr  # of what failed once more, once more


def bomb() -> bytes:
    """A few kilobytes that decode to 400 megapixels."""
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, format="PNG")
    return buffer.getvalue()


def test_an_image_whose_record_is_damaged_is_made_again(studio: Studio) -> None:
    studio.source("one.jpg")
    rows = [f"A000000{n};1;replace;one.jpg" for n in range(1, 8)]
    work(studio, "images_a.csv", *rows)
    damaged = [[], {}, 5, "x", None, [{}], [{"file": None, "bytes": "x"}]]
    for number, renditions in enumerate(damaged, 1):
        studio.database.query(
            "UPDATE article_image SET renditions = %s WHERE article_number = %s",
            (json.dumps(renditions), f"A000000{number}"),
        )
    work(studio, "images_b.csv", *reversed(rows))
    assert batch_of(studio, 2) | {"done": 7, "failed": 0} == batch_of(studio, 2)
    assert studio.database.query(
        "SELECT DISTINCT jsonb_array_length(renditions) FROM article_image"
    ) == [(2,)]
    assert studio.command("list", "--article", "A0000001").returncode == 0


def test_a_damaged_record_can_be_listed(studio: Studio) -> None:
    studio.source("one.jpg")
    work(studio, "images_a.csv", "A0000001;1;add;one.jpg")
    for renditions in ({}, 5, [{}], [{"file": "x"}]):
        studio.database.query("UPDATE article_image SET renditions = %s", (json.dumps(renditions),))
        listed = studio.command("list", "--article", "A0000001")
        assert listed.returncode == 0, listed.stderr


def test_where_all_rows_fail_the_owners_are_told_and_a_retry_helps(studio: Studio) -> None:
    work(studio, "images_a.csv", "A0000001;1;add;one.jpg", "A0000002;1;add;one.jpg")
    assert messages(studio) == [("CRASH", 1)]
    ((error,),) = studio.database.query("SELECT error FROM queue_message")
    assert "all 2 rows of chunk 1 failed" in error
    owners = studio.database.query("SELECT owner FROM alert WHERE state = 'firing'")
    assert {("Webshop Admin",), ("Stock Import",)} <= set(owners)

    studio.source("one.jpg")
    said = studio.command("retry", "1", "--reason", "it is there now")
    assert said.returncode == 0, said.stderr
    assert "Enqueued 2 failed rows of batch 1 again, in 1 messages" in said.stdout
    studio.process()

    assert batch_of(studio) | {"state": "done", "done": 2, "failed": 0} == batch_of(studio)
    # The message that was in CRASH has done it: there is no second one for the same rows.
    assert [status for status, _ in messages(studio)] == ["PROCESSED"]
    assert studio.database.query(
        "SELECT action, subject, reason FROM audit ORDER BY id DESC LIMIT 1"
    ) == [("images retry", "batch 1", "it is there now")]
    assert studio.database.query("SELECT count(*) FROM alert WHERE state = 'resolved'") != [(0,)]
    assert "No row of batch 1 has failed" in studio.command("retry", "1").stdout


def test_queue_retry_does_as_well(studio: Studio) -> None:
    work(studio, "images_a.csv", "A0000001;1;add;one.jpg")
    studio.source("one.jpg")
    studio.database.query(
        "UPDATE queue_message SET status = 'NEW', attempts = 0, finished_at = NULL"
    )
    studio.process()
    assert batch_of(studio) | {"state": "done", "done": 1, "failed": 0} == batch_of(studio)


def test_a_rejected_batch_has_nothing_to_retry(studio: Studio) -> None:
    studio.batch("images_a.csv", "NONE;1;add;one.jpg")
    studio.enqueue(code=65)
    refused = studio.command("retry", "1")
    assert refused.returncode == 64
    assert "was rejected" in refused.stderr


# Servers ----------------------------------------------------------------------------------------


def of(server: WebServer, studio: Studio) -> None:
    studio.env |= LOCAL_SERVERS
    studio.source("local.jpg")
    studio.batch("images_a.csv", f"A0000001;1;add;{server.url}/one.jpg", "A0000002;1;add;local.jpg")
    studio.enqueue()


def test_fetched_from_a_server_with_the_runs_correlation_id(studio: Studio) -> None:
    with web_server(answer=image_bytes(1, size=(400, 300))) as server:
        of(server, studio)
        studio.process()
    assert batch_of(studio)["done"] == 2
    ((correlation,),) = studio.database.query("SELECT correlation_id FROM queue_message")
    assert server.requests[0].headers["X-Correlation-ID"] == correlation


def test_a_server_that_is_down_holds_up_no_other_row_and_is_asked_again(studio: Studio) -> None:
    with web_server(status=503) as server:
        of(server, studio)
        studio.process(LATER)
        assert studio.edits()[1] == (3, "done", None)
        assert studio.edits()[0][1] == "waiting"
        assert "503" in studio.edits()[0][2]
        assert messages(studio) == [("NEW", 1)]
        before = {path: path.stat().st_ino for path in studio.store.rglob("*-*")}
        server.status, server.answer = 200, image_bytes(1, size=(400, 300))
        studio.database.query("UPDATE queue_message SET available_at = now()")
        studio.process()
    assert batch_of(studio) | {"state": "done", "done": 2} == batch_of(studio)
    # What was done was left alone.
    assert before.items() <= {p: p.stat().st_ino for p in studio.store.rglob("*-*")}.items()


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        ({"status": 404}, "404"),
        ({"answer": b"<html>login</html>"}, "no image of a kind that is taken"),
        ({"answer": image_bytes(1)[:2000]}, "cannot be decoded"),
    ],
)
def test_a_server_that_has_no_such_image(
    studio: Studio, behaviour: dict[str, object], says: str
) -> None:
    with web_server(**behaviour) as server:
        of(server, studio)
        studio.process()
    assert messages(studio) == [("PROCESSED", 1)]
    assert studio.edits()[0][1] == "failed"
    assert says in studio.edits()[0][2]


def test_a_server_that_never_comes_back_is_given_up(studio: Studio) -> None:
    studio.env |= LOCAL_SERVERS
    url = f"http://127.0.0.1:{refusing_port()}"
    studio.source("local.jpg")
    rows = [f"A000000{n};1;add;{url}/{n}.jpg" for n in range(1, 6)]
    studio.batch("images_a.csv", *rows, "A0000009;1;add;local.jpg")
    studio.enqueue()
    studio.process()
    assert messages(studio) == [("PROCESSED", 5)]
    assert batch_of(studio) | {"state": "done", "done": 1, "failed": 5} == batch_of(studio)
    assert "given up after 5 attempts" in studio.edits()[0][2]


def test_after_three_failures_in_a_row_a_server_is_left_alone_until_the_next_attempt(
    studio: Studio,
) -> None:
    studio.env |= LOCAL_SERVERS
    with web_server(status=503) as server:
        studio.batch(
            "images_a.csv", *(f"A000000{n};1;add;{server.url}/{n}.jpg" for n in range(1, 7))
        )
        studio.enqueue()
        studio.process(LATER)
        assert [request.path for request in server.requests] == ["/1.jpg", "/2.jpg", "/3.jpg"]
        studio.database.query("UPDATE queue_message SET available_at = now()")
        server.status, server.answer = 200, image_bytes(1, size=(400, 300))
        studio.process(LATER)
        # First those that were not tried at all: one bad address holds up nobody for ever.
        assert [request.path for request in server.requests[3:6]] == ["/4.jpg", "/5.jpg", "/6.jpg"]
    assert batch_of(studio) | {"state": "done", "done": 6} == batch_of(studio)


def test_a_root_of_sources_that_is_not_there_fails_no_row(studio: Studio) -> None:
    studio.source("one.jpg")
    studio.batch("images_a.csv", "A0000001;1;add;one.jpg")
    studio.enqueue()
    studio.sources.rename(studio.root / "unmounted")
    studio.process(LATER)
    assert messages(studio) == [("NEW", 1)]
    assert "CRONOPS_IMAGES__SOURCE_ROOT" in studio.edits()[0][2]
    (studio.root / "unmounted").rename(studio.sources)
    studio.database.query("UPDATE queue_message SET available_at = now()")
    studio.process()
    assert batch_of(studio)["done"] == 1


def test_a_store_that_is_not_there_fails_no_row(studio: Studio) -> None:
    studio.source("one.jpg")
    studio.batch("images_a.csv", "A0000001;1;add;one.jpg")
    studio.enqueue()
    studio.store.rmdir()
    studio.process()
    assert messages(studio) == [("CRASH", 5)]
    assert studio.edits()[0][1] == "waiting"
    ((error,),) = studio.database.query("SELECT error FROM queue_message")
    assert "CRONOPS_IMAGES__STORE" in error
    studio.store.mkdir()
    assert "in 1 messages" in studio.command("retry", "1").stdout
    studio.process()
    assert batch_of(studio)["done"] == 1


def test_a_row_that_kills_its_process_is_given_up_and_the_others_are_worked(
    studio: Studio,
) -> None:
    studio.source("one.jpg")
    studio.batch("images_a.csv", "A0000001;1;add;one.jpg", "A0000002;1;add;one.jpg")
    studio.enqueue()
    # As two processes leave it that were killed while they decoded it.
    studio.database.query("UPDATE image_edit SET starts = 2 WHERE line = 2")
    studio.process()
    assert studio.edits()[0][1:] == (
        "failed", "the process died 2 times while working this image",
    )  # fmt: skip
    assert studio.edits()[1][1] == "done"
    assert studio.command("retry", "1").returncode == 0
    studio.process()
    assert batch_of(studio) | {"done": 2, "failed": 0} == batch_of(studio)


def test_told_to_stop_it_leaves_the_rest_to_a_message_of_its_own(studio: Studio) -> None:
    studio.env |= LOCAL_SERVERS | {"CRONOPS_CLIENTS__READ_TIMEOUT": "20s"}
    studio.source("local.jpg")
    with web_server(mode=HANG, answer=image_bytes(1)) as server:
        rows = ["A0000001;1;add;local.jpg", f"A0000002;1;add;{server.url}/x.jpg"]
        studio.batch("images_a.csv", *rows, *(f"A000000{n};1;add;local.jpg" for n in range(3, 9)))
        studio.enqueue()
        process = studio.start("queue", "process")
        wait_until(lambda: bool(server.requests))
        process.terminate()
        time.sleep(0.3)
        server.mode = "answer"
        server.stopped.set()
        assert process.wait(20) == 0
    assert {status for status, _ in messages(studio)} <= {"PROCESSED", "NEW"}
    assert studio.edits()[7][1] == "waiting"
    with web_server(answer=image_bytes(1)) as again:
        studio.database.query(
            "UPDATE image_edit SET source = %s WHERE line = 3", (f"{again.url}/x.jpg",)
        )
        studio.process()
    assert batch_of(studio) | {"state": "done", "done": 8} == batch_of(studio)


def test_two_workers_on_the_same_articles_leave_the_newest_images(studio: Studio) -> None:
    for number in (1, 2, 3):
        studio.source(f"{number}.jpg", number)
        rows = [f"A{article:07d};1;replace;{number}.jpg" for article in range(1, 9)]
        studio.batch("images_a.csv", *rows)
        studio.enqueue(env={"CRONOPS_IMAGES__CHUNK_ROWS": "1"})
    # In the least favourable order: those of all batches for one article at the same time.
    studio.database.query("UPDATE queue_message SET priority = 100 - (payload ->> 'chunk')::int")
    studio.process(options=("--concurrency=2",))
    assert {status for status, _ in messages(studio)} == {"PROCESSED"}
    assert studio.database.query("SELECT DISTINCT source, batch_id FROM article_image") == [
        ("3.jpg", 3)
    ]
    assert len({path.read_bytes() for path in studio.store.rglob("*-big.jpg")}) == 1
    done, superseded = studio.database.query(
        "SELECT sum(done)::int, sum(superseded)::int FROM image_batch WHERE state = 'done'"
    )[0]
    assert done + superseded == 24

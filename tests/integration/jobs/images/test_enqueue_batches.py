"""``cronops images enqueue-batches`` with the files that people and programs send."""

import json
import os
import threading
import time
from pathlib import Path

import pytest

from cronops.samples.images import HEADER, write_batch
from tests.commands import CommandLine
from tests.databases import Database
from tests.integration.jobs.images.conftest import Studio
from tests.servers import wait_until

GOOD = "A0000001;1;add;one.jpg"


def test_a_batch_becomes_messages_and_is_archived(studio: Studio) -> None:
    studio.batch("images_a.csv", *(f"A{n:07d};1;add;{n}.jpg" for n in range(1, 8)))

    studio.enqueue(env={"CRONOPS_IMAGES__CHUNK_ROWS": "3"})

    assert studio.files() == {".": [], "archive": ["images_a.csv"]}
    assert studio.counts() | {"files": 1, "rows": 7, "messages": 3} == studio.counts()
    messages = studio.database.query(
        "SELECT handler, payload, dedupe_key, correlation_id FROM queue_message ORDER BY id"
    )
    assert [payload for _, payload, _, _ in messages] == [
        {"batch": 1, "chunk": 1, "first": 2, "last": 4},
        {"batch": 1, "chunk": 2, "first": 5, "last": 7},
        {"batch": 1, "chunk": 3, "first": 8, "last": 8},
    ]
    assert {handler for handler, _, _, _ in messages} == {"images.update"}
    ((sha256,),) = studio.database.query("SELECT sha256 FROM image_batch")
    assert [key for _, _, key, _ in messages] == [f"images.update {sha256} {n}" for n in (1, 2, 3)]
    assert all(correlation for _, _, _, correlation in messages)


def test_columns_in_any_order_crlf_and_a_byte_order_mark(studio: Studio) -> None:
    path = studio.batches / "images_a.csv"
    path.write_bytes(
        b"\xef\xbb\xbfaction;Source;article_number;position\r\nADD;one.jpg;A0000001;1\r\n\r\n"
        b'replace;"b;""2"".jpg";A0000002;3'
    )
    studio.enqueue()
    assert studio.database.query(
        "SELECT line, article_number, position, action, source FROM image_edit ORDER BY line"
    ) == [
        (2, "A0000001", 1, "add", "one.jpg"),
        (4, "A0000002", 3, "replace", 'b;"2".jpg'),
    ]


def test_another_delimiter_and_encoding(studio: Studio) -> None:
    path = studio.batches / "images_a.csv"
    path.write_text(f"{HEADER}\n{GOOD.replace('one', 'größe')}\n".replace(";", ","), "cp1252")
    studio.enqueue(env={"CRONOPS_IMAGES__DELIMITER": ",", "CRONOPS_IMAGES__ENCODING": "cp1252"})
    assert studio.database.query("SELECT source FROM image_edit") == [("größe.jpg",)]


def test_a_dry_run_changes_nothing(studio: Studio) -> None:
    studio.batch("images_a.csv", GOOD)
    studio.batch("images_b.csv", "NONE;1;add;one.jpg")
    done = studio.enqueue("--dry-run", code=65)
    assert "the shop has no article NONE" not in done.stdout
    assert "1 of 1 rows are bad" in done.stderr
    assert studio.counts() | {"rows": 1, "messages": 1, "rejected": 1} == studio.counts()
    assert studio.files() == {".": ["images_a.csv", "images_b.csv"]}
    for table in ("image_batch", "image_edit", "queue_message"):
        assert studio.database.query(f"SELECT count(*) FROM {table}") == [(0,)]


def test_nothing_there(database: Database, cli: CommandLine, tmp_path: Path) -> None:
    absent = {"CRONOPS_IMAGES__BATCH_DIR": str(tmp_path / "absent")}
    done = cli("images", "enqueue-batches", env=absent)
    assert done.returncode == 0, done.stderr
    assert "CRONOPS_IMAGES__BATCH_DIR" in done.stdout + done.stderr
    empty = cli("images", "enqueue-batches", env={"CRONOPS_IMAGES__BATCH_DIR": str(tmp_path)})
    assert empty.returncode == 0, empty.stderr


def test_a_shop_without_articles_is_a_matter_of_configuration(
    database: Database, cli: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "images_a.csv").write_text(f"{HEADER}\n{GOOD}\n")
    env = {"CRONOPS_IMAGES__BATCH_DIR": str(tmp_path), "CRONOPS_IMAGES__SETTLE": "0"}
    done = cli("images", "enqueue-batches", env=env)
    assert done.returncode == 78
    assert "article" in done.stderr
    assert (tmp_path / "images_a.csv").exists()


@pytest.mark.parametrize("folder", ["archive", "batches"])
def test_a_directory_that_is_none_is_a_matter_of_configuration(studio: Studio, folder: str) -> None:
    studio.batch("images_a.csv", GOOD)
    if folder == "archive":
        (studio.batches / "archive").symlink_to(studio.root)
    else:
        studio.batches.rename(studio.root / "elsewhere")
        studio.batches.write_text("")
    done = studio.enqueue(code=78)
    assert "CRONOPS_IMAGES__BATCH_DIR" in done.stderr
    assert studio.edits() == []


# Bad rows ---------------------------------------------------------------------------------------

BAD_ROWS = {
    "NOSUCH;1;add;one.jpg": "the shop has no article NOSUCH",
    ";1;add;one.jpg": "no article number",
    f"{'A' * 51};1;add;one.jpg": "longer than 50",
    "A0000002;x;add;one.jpg": "position 'x' is no whole number",
    "A0000002;0;add;one.jpg": "position '0' is no whole number",
    "A0000002;1.5;add;one.jpg": "position '1.5' is no whole number",
    "A0000002;٣;add;one.jpg": "is no whole number",
    "A0000002;10000;add;one.jpg": "is no whole number",
    "A0000002;1;turn;one.jpg": "action 'turn' is not add, replace or delete",
    "A0000002;1;delete;one.jpg": "a deletion names a source",
    "A0000002;1;add;": "no source",
    "A0000002;1;add;../one.jpg": "has .. in it",
    "A0000002;1;add;a/../../one.jpg": "has .. in it",
    "A0000002;1;add;/etc/passwd": "lies outside of",
    "A0000002;1;add;ftp://example.com/one.jpg": "not ftp",
    "A0000002;1;add;file:///etc/passwd": "not file",
    "A0000002;1;add;https://me:secret@example.com/one.jpg": "has a login in it",
    "A0000002;1;add;http:///one.jpg": "names no host",
    "A0000002;1;add;https://example.com:x/one.jpg": "is no URL",
    "A0000002;1;add": "3 columns, not 4",
    "A0000002;1;add;one.jpg;more": "5 columns, not 4",
    'A0000002;1;add;"one.jpg': "a quotation mark is not closed",
    "A0000002;1;add;one\x07.jpg": "cannot be printed",
    f"A0000002;1;add;{'x' * 2001}": "longer than 2000",
}


def test_bad_rows_are_left_out_and_listed(studio: Studio) -> None:
    studio.batch("images_a.csv", GOOD, *BAD_ROWS)

    done = studio.enqueue(env={"CRONOPS_IMAGES__MAX_REJECT_PERCENT": "99"})

    assert f"{len(BAD_ROWS)} rows of images_a.csv were left out" in done.stderr
    assert studio.edits()[0] == (2, "waiting", None)
    for (line, state, reason), (row, says) in zip(
        studio.edits()[1:], BAD_ROWS.items(), strict=True
    ):
        assert state == "rejected", row
        assert says in reason, row
        assert line == list(BAD_ROWS).index(row) + 3
    assert studio.files() == {".": [], "archive": ["images_a.csv", "images_a.rejects.csv"]}
    rejects = (studio.batches / "archive/images_a.rejects.csv").read_text().split("\n")
    assert rejects[0] == f"line;reason;{HEADER}"
    assert rejects[1] == "3;the shop has no article NOSUCH;NOSUCH;1;add;one.jpg"
    assert len(rejects) == len(BAD_ROWS) + 2


def test_as_many_rows_may_be_bad_as_is_allowed(studio: Studio) -> None:
    good = [f"A{n:07d};1;add;one.jpg" for n in range(1, 10)]
    studio.batch("images_a.csv", *good, "NONE;1;add;one.jpg")
    studio.enqueue()
    studio.batch("images_b.csv", *good[:8], "NONE;1;add;one.jpg")
    studio.enqueue(code=65)
    assert studio.database.query("SELECT file, state, rows FROM image_batch ORDER BY id") == [
        ("images_a.csv", "enqueued", 9),
        ("images_b.csv", "rejected", 0),
    ]


def test_a_rejects_file_corrected_is_a_batch(studio: Studio) -> None:
    studio.batch("images_a.csv", GOOD, "A0000002;x;add;one.jpg")
    studio.enqueue(env={"CRONOPS_IMAGES__MAX_REJECT_PERCENT": "50"})
    rejects = (studio.batches / "archive/images_a.rejects.csv").read_text()
    (studio.batches / "images_again.csv").write_text(rejects.replace(";x;add", ";2;add"))
    studio.enqueue()
    assert studio.database.query(
        "SELECT article_number, position FROM image_edit WHERE batch_id = 2 AND state = 'waiting'"
    ) == [("A0000002", 2)]


def test_a_row_said_twice_counts_once_and_one_said_in_two_ways_not_at_all(studio: Studio) -> None:
    studio.batch(
        "images_a.csv",
        GOOD,
        "A0000002;1;add;two.jpg",
        GOOD,
        "A0000003;1;add;three.jpg",
        "A0000003;1;delete;",
        GOOD,
    )
    studio.enqueue(env={"CRONOPS_IMAGES__MAX_REJECT_PERCENT": "80"})
    differently = "lines 5 and 6 edit this position in different ways"
    assert studio.edits() == [
        (2, "waiting", None),
        (3, "waiting", None),
        (4, "rejected", "the same as line 2"),
        (5, "rejected", differently),
        (6, "rejected", differently),
        (7, "rejected", "the same as line 2"),
    ]


# Bad files --------------------------------------------------------------------------------------

FIRST = f"{HEADER}\n{GOOD}\n".encode()
BAD_FILES = {
    "empty": (b"", "the file is empty"),
    "header only": (f"{HEADER}\n".encode(), "a header and no rows"),
    "no header": (f"{GOOD}\n".encode(), "does not name the columns"),
    "an unknown column": (f"{HEADER};colour\n".encode(), "unknown column 'colour'"),
    "a column twice": (f"{HEADER};source\n".encode(), "a column is there twice"),
    "bad encoding half-way": (FIRST + b"A0000002;1;add;\xff.jpg\n", "line 3 is not utf-8"),
    "cut in a character": (FIRST + "A0000002;1;add;ö".encode()[:-1], "line 3 is not utf-8"),
    "NUL bytes": (FIRST + b"\0\0\0\0\n", "line 3 has a NUL byte"),
    "UTF-16": ("\ufeff".encode("utf-16-le") + FIRST.decode().encode("utf-16-le"), "not utf-8"),
    "an endless line": (FIRST + b"x" * (3 << 20), "line 3 is longer than 1,048,576 bytes"),
    "an endless first line": (b"x" * (3 << 20), "line 1 is longer than 1,048,576 bytes"),
    "too many bad rows": (FIRST + b"x\n", "1 of 2 rows are bad"),
    "HTML": (b"<!doctype html>\n<html></html>\n", "does not name the columns"),
}


@pytest.mark.parametrize("bad", BAD_FILES)
def test_a_bad_file_is_quarantined_with_the_reason_and_the_others_are_taken(
    studio: Studio, bad: str
) -> None:
    content, says = BAD_FILES[bad]
    (studio.batches / "images_bad.csv").write_bytes(content)
    studio.batch("images_good.csv", GOOD)

    done = studio.enqueue(code=65)

    assert "1 of 2 batches could not be taken: images_bad.csv" in done.stderr
    assert studio.files() == {
        ".": [],
        "archive": ["images_good.csv"],
        "quarantine": ["images_bad.csv", "images_bad.csv.reason.txt"],
    }
    reason = (studio.batches / "quarantine/images_bad.csv.reason.txt").read_text()
    assert says in reason
    assert (studio.batches / "quarantine/images_bad.csv").read_bytes() == content
    assert studio.database.query("SELECT file, state FROM image_batch ORDER BY file") == [
        ("images_bad.csv", "rejected"),
        ("images_good.csv", "enqueued"),
    ]
    assert len(studio.edits()) == 1
    assert studio.database.query("SELECT DISTINCT owner FROM alert ORDER BY owner") == [
        ("Shared Ops",),
        ("Stock Import",),
        ("Webshop Admin",),
    ]


def test_the_reasons_of_rows_stand_in_the_files_reason(studio: Studio) -> None:
    studio.batch("images_a.csv", "NONE;1;add;one.jpg", "A0000001;x;add;one.jpg")
    studio.enqueue(code=65)
    reason = (studio.batches / "quarantine/images_a.csv.reason.txt").read_text()
    assert "line 2: the shop has no article NONE" in reason
    assert "line 3: position 'x'" in reason
    assert "at most 10 % may be" in reason


def test_what_is_no_file_is_not_read(studio: Studio) -> None:
    secret = studio.root / "secret.csv"
    secret.write_text(f"{HEADER}\n{GOOD}\n")
    (studio.batches / "images_link.csv").symlink_to(secret)
    (studio.batches / "images_dangling.csv").symlink_to("nowhere")
    (studio.batches / "images_dir.csv").mkdir()
    os.mkfifo(studio.batches / "images_pipe.csv")

    done = studio.enqueue(code=65)

    for name, says in {
        "images_link.csv": "a symbolic link",
        "images_dangling.csv": "a symbolic link",
        "images_dir.csv": "a directory",
        "images_pipe.csv": "a pipe",
    }.items():
        assert f"{name}: it is {says}, not a file" in done.stderr
        assert says in (studio.batches / f"quarantine/{name}.reason.txt").read_text()
    assert studio.files()["."] == []
    assert secret.exists()
    assert studio.edits() == []


def test_a_file_that_nobody_may_read_stays_and_is_told_of(studio: Studio) -> None:
    from types import SimpleNamespace
    from typing import Any

    from cronops.jobs.images import intake
    from cronops.jobs.images.batch_file import Found

    # Root may read everything: only the system call can say no.
    def refuse(*_: Any) -> int:
        raise PermissionError(13, "Permission denied")

    studio.batch("images_a.csv", GOOD)
    ctx: Any = SimpleNamespace(
        settings=studio.database.settings(images={"batch_dir": str(studio.batches), "settle": 0}),
        step=lambda *_, **__: None,
    )
    taking = intake.Intake(ctx, None, dry_run=False)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "open_file", refuse)
        taking.take(Found("images_a.csv", 0.0))
    assert taking.problems == ["images_a.csv cannot be read: Permission denied"]
    assert studio.files() == {".": ["images_a.csv"]}


def test_a_name_of_odd_bytes(studio: Studio) -> None:
    odd = os.fsencode(str(studio.batches)) + b"/images_\xff\n.csv"
    Path(os.fsdecode(odd)).write_text(f"{HEADER}\n{GOOD}\n")
    studio.enqueue()
    shown = "images_\\xff\\n.csv"
    assert studio.database.query("SELECT file, filed_as FROM image_batch") == [(shown, shown)]
    assert studio.files() == {".": [], "archive": [shown]}


# Files that come again, or are still coming -----------------------------------------------------


def test_a_file_still_being_written_is_left_for_a_later_run(studio: Studio) -> None:
    path = studio.batch("images_a.csv", GOOD)
    studio.enqueue(env={"CRONOPS_IMAGES__SETTLE": "1h"})
    assert studio.counts()["unsettled"] == 1
    # A time in the past, which an upload may set, does not make it whole.
    os.utime(path, (0, 0))
    studio.enqueue(env={"CRONOPS_IMAGES__SETTLE": "1h"})
    assert studio.files() == {".": ["images_a.csv"]}
    assert studio.edits() == []
    studio.enqueue()
    assert studio.files() == {".": [], "archive": ["images_a.csv"]}


def test_a_file_appended_to_while_it_is_read_is_left(studio: Studio) -> None:
    path = studio.batches / "images_a.csv"
    write_batch(path, 150_000, sources=["one.jpg"], articles=200)
    over = threading.Event()

    def append() -> None:
        with path.open("a") as file:
            while not over.wait(0.002):
                file.write(f"{GOOD}\n")
                file.flush()

    writer = threading.Thread(target=append)
    writer.start()
    try:
        studio.enqueue(env={"CRONOPS_IMAGES__MAX_REJECT_PERCENT": "100"})
    finally:
        over.set()
        writer.join()
    assert studio.counts() | {"unsettled": 1, "files": 0} == studio.counts()
    assert studio.files()["."] == ["images_a.csv"]
    assert studio.database.query("SELECT count(*) FROM image_edit") == [(0,)]
    assert studio.database.query("SELECT count(*) FROM queue_message") == [(0,)]


def test_the_same_content_is_enqueued_once_whatever_it_is_called(studio: Studio) -> None:
    studio.source("one.jpg")
    studio.batch("images_a.csv", GOOD)
    studio.batch("images_b.csv", GOOD)
    studio.enqueue()
    assert studio.counts() | {"files": 1, "repeated": 1} == studio.counts()
    studio.process()
    # Even when its messages are done and gone.
    studio.database.query("DELETE FROM queue_message")
    studio.batch("images_a.csv", GOOD)
    studio.enqueue()
    assert studio.counts() | {"files": 0, "repeated": 1, "messages": 0} == studio.counts()
    assert studio.files() == {
        ".": [],
        "archive": ["images_a.2.csv", "images_a.csv", "images_b.csv"],
    }
    assert studio.database.query("SELECT count(*) FROM queue_message") == [(0,)]


def test_the_same_name_with_other_content_gets_a_number(studio: Studio) -> None:
    for number in range(1, 4):
        studio.batch("images_a.csv", f"A000000{number};1;add;one.jpg")
        studio.enqueue()
    assert studio.files()["archive"] == ["images_a.2.csv", "images_a.3.csv", "images_a.csv"]
    assert len(studio.edits()) == 3


def test_a_rejected_file_that_becomes_good_is_taken_as_the_newest(studio: Studio) -> None:
    studio.batch("images_a.csv", "NEW-1;1;add;one.jpg")
    studio.enqueue(code=65)
    studio.batch("images_b.csv", GOOD)
    studio.enqueue()
    studio.database.query(
        "INSERT INTO shop.article (article_number, type) VALUES ('NEW-1', 'tyre')"
    )
    studio.batch("images_a.csv", "NEW-1;1;add;one.jpg")
    studio.enqueue()
    assert studio.database.query("SELECT file, state FROM image_batch ORDER BY id") == [
        ("images_b.csv", "enqueued"),
        ("images_a.csv", "enqueued"),
    ]


def test_the_rows_of_old_batches_are_dropped_but_the_batches_stay_known(studio: Studio) -> None:
    studio.batch("images_a.csv", "A0000001;1;delete;")
    studio.enqueue()
    studio.process()
    wait_until(lambda: studio.database.query("SELECT state FROM image_batch") == [("done",)])
    studio.enqueue(env={"CRONOPS_IMAGES__KEEP_EDITS": "1h"})
    assert len(studio.edits()) == 1
    studio.database.query("UPDATE image_batch SET finished_at = now() - interval '61 minutes'")
    studio.enqueue(env={"CRONOPS_IMAGES__KEEP_EDITS": "1h"})
    assert studio.edits() == []
    studio.batch("images_a.csv", "A0000001;1;delete;")
    studio.enqueue()
    assert studio.counts()["repeated"] == 1


def test_its_owners_are_those_of_the_specification(cli: CommandLine) -> None:
    shown = json.loads(cli("jobs", "show", "images enqueue-batches", "--json").stdout)
    assert shown["accountable"] == ["Webshop Admin", "Stock Import"]
    assert shown["responsible"] == "Shared Ops"
    assert shown["consulted"] == ["Webshop"]


def test_a_name_as_long_as_can_be_holds_up_no_other(studio: Studio) -> None:
    bad, good = "images_" + "b" * 244 + ".csv", "images_" + "ü" * 122 + ".csv"
    studio.batch(bad, "NONE;1;add;one.jpg")
    studio.batch(good, *(f"A{n:07d};1;add;one.jpg" for n in range(1, 20)), "NONE;1;add;x.jpg")

    studio.enqueue(code=65)

    assert [state for _, state, _ in studio.edits()] == ["waiting"] * 19 + ["rejected"]
    (batch,) = studio.database.query("SELECT filed_as FROM image_batch WHERE state = 'enqueued'")[0]
    (rejected,) = studio.database.query(
        "SELECT filed_as FROM image_batch WHERE state = 'rejected'"
    )[0]
    assert studio.files() == {
        ".": [],
        "archive": sorted([batch, batch.removesuffix(".csv") + ".rejects.csv"]),
        "quarantine": [rejected, f"{rejected}.reason.txt"],
    }
    studio.batch(bad, "NONE;1;add;one.jpg")
    studio.enqueue(code=65)
    assert len(studio.files()["quarantine"]) == 4


def test_what_was_left_out_and_what_failed_is_told_of_beside_a_rejected_file(
    studio: Studio,
) -> None:
    studio.batch("images_a.csv", "A0000001;1;add;lost.jpg")
    studio.enqueue()
    studio.process()
    studio.batch("images_b.csv", "NONE;1;add;one.jpg")
    stderr = studio.enqueue(code=65).stderr
    assert "1 of 1 batches could not be taken: images_b.csv" in stderr
    told = "1 rows of images_a.csv failed; see: cronops images batches show 1"
    ((reason,),) = studio.database.query("SELECT reason FROM run ORDER BY started_at DESC LIMIT 1")
    assert told in reason


def test_what_was_enqueued_before_is_said_to_be_repeated_though_the_archive_was_emptied(
    studio: Studio,
) -> None:
    studio.batch("images_a.csv", GOOD)
    studio.enqueue()
    (studio.batches / "archive/images_a.csv").unlink()
    studio.batch("images_a.csv", GOOD)
    assert "was enqueued before" in studio.enqueue().stderr
    assert studio.counts()["repeated"] == 1
    assert studio.files() == {".": [], "archive": ["images_a.csv"]}
    assert len(studio.edits()) == 1


def test_a_batch_beyond_measure_is_not_even_read(studio: Studio) -> None:
    with (studio.batches / "images_a.csv").open("wb") as file:
        file.truncate(10 << 40)  # a hole: it takes no room
    studio.batch("images_b.csv", GOOD)
    begun = time.monotonic()
    stderr = studio.enqueue(code=65).stderr
    assert time.monotonic() - begun < 20
    assert "images_a.csv: it has 10,995,116,277,760 bytes" in stderr
    assert "CRONOPS_IMAGES__MAX_BATCH_BYTES" in stderr
    assert len(studio.edits()) == 1
    assert "images_a.csv" in studio.files()["quarantine"]

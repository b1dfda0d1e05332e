"""Files that somebody touches between their messages' commit and the archive; in this process."""

import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cronops.errors import ConfigurationError, LeaseLost
from cronops.jobs.images import enqueue_batches, intake
from cronops.jobs.images.batch_file import Found
from cronops.jobs.images.intake import Intake
from tests.integration.jobs.images.conftest import Studio

GOOD = "A0000001;1;add;one.jpg"
LEVELS = ("info", "warning", "error")
OTHER = "article_number;position;action;source\nA0000002;1;add;two.jpg\n"


def take(
    studio: Studio,
    meddle: Callable[[Path], None],
    *,
    rows: Sequence[str] = (GOOD,),
    at: str = "archive",
    also: Sequence[str] = (),
    holds_lock: bool = True,
) -> Intake:
    """Take in a batch, with which somebody meddles when it comes to the step `at`."""
    path = studio.batch("images_a.csv", *rows)
    ((token,),) = studio.database.query(
        "INSERT INTO lease (key, owner_token, run_id, job, holder, expires_at)"
        " VALUES ('images', 0, 'run', 'images', 'test', now() + interval '1 hour')"
        " RETURNING token"
    )

    def step(name: str, **_: object) -> None:
        if name == at:
            meddle(path)

    ctx: Any = SimpleNamespace(
        settings=studio.database.settings(images={"batch_dir": str(studio.batches), "settle": 0}),
        tokens=[token if holds_lock else 0],
        run_id="run",
        correlation_id="c",
        log=SimpleNamespace(**{level: lambda *_, **__: None for level in LEVELS}),
        stopping=False,
        connect=lambda _: studio.database.connect(),
        step=step,
        count=lambda *_: None,
        progress=lambda *_: step("progress"),
    )
    found = [Found(name, 0.0) for name in ("images_a.csv", *also)]
    return enqueue_batches.take_in(ctx, found, dry_run=False)


def test_nothing_happens(studio: Studio) -> None:
    taken = take(studio, lambda _: None)
    assert (taken.problems, taken.warnings) == ([], [])
    assert studio.edits() == [(2, "waiting", None)]
    assert studio.files() == {".": [], "archive": ["images_a.csv"]}


@pytest.mark.parametrize("row", [GOOD, "NONE;1;add;one.jpg"])
def test_without_its_lock_a_run_commits_nothing(studio: Studio, row: str) -> None:
    with pytest.raises(LeaseLost):
        take(studio, lambda _: None, rows=(row,), holds_lock=False)
    for table in ("image_batch", "image_edit", "queue_message"):
        assert studio.database.query(f"SELECT count(*) FROM {table}") == [(0,)]
    assert studio.files()["."] == ["images_a.csv"]


def test_appended_to(studio: Studio) -> None:
    def append(path: Path) -> None:
        with path.open("a") as file:
            file.write("A0000002;1;add;two.jpg\n")

    (problem,) = take(studio, append).problems
    assert "was written to after it was enqueued" in problem
    assert "archive/images_a.csv" in problem


@pytest.mark.parametrize("mode", ["ab", "r+b"])
def test_what_is_bad_while_it_is_still_written_is_left(studio: Studio, mode: str) -> None:
    def write(path: Path) -> None:
        # Appended, or put where room was made for it: then the size is the same.
        with path.open(mode) as file:
            file.write(b"article_number")

    # More than one block: what is damaged is come to after somebody has written.
    taken = take(studio, write, rows=(*[GOOD] * 15_000, "\0"), at="progress")
    assert (taken.problems, taken.warnings) == ([], [])
    assert studio.files()["."] == ["images_a.csv"]
    assert studio.database.query("SELECT count(*) FROM image_batch") == [(0,)]


@pytest.mark.parametrize("replaced", [True, False])
def test_replaced_or_taken_away(studio: Studio, replaced: bool) -> None:
    def meddle(path: Path) -> None:
        path.unlink()
        if replaced:
            new = path.with_name("new")
            new.write_text(OTHER)
            new.rename(path)

    (warning,) = take(studio, meddle).warnings
    assert studio.edits() == [(2, "waiting", None)]
    assert "was replaced or taken away" in warning
    assert studio.files()["."] == (["images_a.csv"] if replaced else [])
    if replaced:
        assert (studio.batches / "images_a.csv").read_text() == OTHER
        studio.enqueue()
        assert studio.counts()["rows"] == 1
        assert studio.files() == {".": [], "archive": ["images_a.csv"]}


def test_a_bad_batch_that_was_replaced_meanwhile_leaves_the_new_one_alone(studio: Studio) -> None:
    def meddle(path: Path) -> None:
        new = path.with_name("new")
        new.write_text(OTHER)
        new.rename(path)

    (problem,) = take(studio, meddle, rows=("NONE;1;add;one.jpg",), at="quarantine").problems
    assert "1 of 1 rows are bad" in problem
    assert (studio.batches / "images_a.csv").read_text() == OTHER
    assert studio.files()["quarantine"] == ["images_a.csv.reason.txt"]
    studio.enqueue()
    assert studio.counts()["rows"] == 1


@pytest.mark.parametrize("moment", ["enqueued", "rejected"])
def test_what_cannot_be_moved_holds_up_no_other(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """As in a directory with the sticky bit, where each may only move what is their own."""
    studio.batch("images_b.csv", "A0000002;1;add;two.jpg")
    good = GOOD if moment == "enqueued" else "NONE;1;add;one.jpg"
    file_away = intake.file_away

    def refuse(root: Path, name: str, *arguments: Any, **options: Any) -> bool:
        if name == "images_a.csv":
            raise PermissionError(errno.EPERM, "Operation not permitted", name)
        return file_away(root, name, *arguments, **options)

    monkeypatch.setattr(intake, "file_away", refuse)
    with pytest.raises(ConfigurationError, match=r"Operation not permitted: 'images_a\.csv'"):
        take(studio, lambda _: None, rows=(good,), also=("images_b.csv",))
    assert studio.files()["."] == ["images_a.csv"]
    assert studio.files()["archive"] == ["images_b.csv"]

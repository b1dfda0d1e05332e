"""Files that somebody touches between their messages' commit and the archive; in this process."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cronops.jobs.images.batch_file import Found
from cronops.jobs.images.intake import Intake
from tests.integration.jobs.images.conftest import Studio

GOOD = "A0000001;1;add;one.jpg"
OTHER = "article_number;position;action;source\nA0000002;1;add;two.jpg\n"


def take(studio: Studio, meddle: Callable[[Path], None]) -> Intake:
    """Take in a batch, with which somebody meddles once its messages are committed."""
    path = studio.batch("images_a.csv", GOOD)
    ((token,),) = studio.database.query(
        "INSERT INTO lease (key, owner_token, run_id, job, holder, expires_at)"
        " VALUES ('images', 0, 'run', 'images', 'test', now() + interval '1 hour')"
        " RETURNING token"
    )

    def step(name: str, **_: object) -> None:
        if name == "archive":
            meddle(path)

    ctx: Any = SimpleNamespace(
        settings=studio.database.settings(images={"batch_dir": str(studio.batches), "settle": 0}),
        tokens=[token],
        run_id="run",
        correlation_id="c",
        log=SimpleNamespace(info=lambda *_, **__: None),
        step=step,
        count=lambda *_: None,
        progress=lambda *_: None,
    )
    with studio.database.connect() as connection:
        intake = Intake(ctx, connection, dry_run=False)
        intake.take(Found("images_a.csv", 0.0))
    assert studio.edits() == [(2, "waiting", None)]
    return intake


def test_nothing_happens(studio: Studio) -> None:
    intake = take(studio, lambda _: None)
    assert (intake.problems, intake.warnings) == ([], [])
    assert studio.files() == {".": [], "archive": ["images_a.csv"]}


def test_appended_to(studio: Studio) -> None:
    def append(path: Path) -> None:
        with path.open("a") as file:
            file.write("A0000002;1;add;two.jpg\n")

    (problem,) = take(studio, append).problems
    assert "was written to after it was enqueued" in problem
    assert "archive/images_a.csv" in problem


@pytest.mark.parametrize("replaced", [True, False])
def test_replaced_or_taken_away(studio: Studio, replaced: bool) -> None:
    def meddle(path: Path) -> None:
        path.unlink()
        if replaced:
            new = path.with_name("new")
            new.write_text(OTHER)
            new.rename(path)

    intake = take(studio, meddle)
    (warning,) = intake.warnings
    assert "was replaced or taken away" in warning
    assert studio.files()["."] == (["images_a.csv"] if replaced else [])
    if replaced:
        assert (studio.batches / "images_a.csv").read_text() == OTHER
        studio.enqueue()
        assert studio.counts()["rows"] == 1
        assert studio.files() == {".": [], "archive": ["images_a.csv"]}

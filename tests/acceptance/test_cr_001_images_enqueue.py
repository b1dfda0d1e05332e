"""CR-001, as the feature file tells it."""

from pathlib import Path

from pytest_bdd import given, parsers, scenarios, then, when

from cronops.samples.images import HEADER, environment, image_bytes
from tests.acceptance.conftest import World

scenarios("features/cr_001_images_enqueue.feature")

BATCH = "images_1.csv"


def _prepare(world: World) -> None:
    for name in ("batches", "sources", "store"):
        (world.directory / name).mkdir()
    (world.directory / "sources" / "wheel.jpg").write_bytes(image_bytes(1, size=(300, 200)))
    world.environment |= environment(world.directory)
    # Of two rows one is bad.
    world.environment["CRONOPS_IMAGES__MAX_REJECT_PERCENT"] = "50"


def _write(world: World, heading: str = HEADER) -> None:
    rows = (heading, "A0000001;1;add;wheel.jpg", "NOBODY;1;add;wheel.jpg", "")
    (world.directory / "batches" / BATCH).write_text("\n".join(rows))


def _lies_in(world: World, folder: str) -> list[Path]:
    return sorted((world.directory / "batches" / folder).glob("images_1*"))


@given("a batch that adds an image to article A0000001, and one to an article there is not")
def batch(world: World) -> None:
    _prepare(world)
    _write(world)


@given("a batch whose heading is another")
def no_batch(world: World) -> None:
    _prepare(world)
    _write(world, "article;picture")


@when("the same batch arrives again")
def again(world: World) -> None:
    _write(world)


@then("the batch lies in the archive")
def archived(world: World) -> None:
    assert not (world.directory / "batches" / BATCH).exists()
    assert _lies_in(world, "archive")


@then("the batch lies in quarantine, with a reason beside it")
def quarantined(world: World) -> None:
    assert not (world.directory / "batches" / BATCH).exists()
    assert len(_lies_in(world, "quarantine")) == 2


@then("no image was made yet")
def none_made(world: World) -> None:
    assert not [path for path in (world.directory / "store").rglob("*") if path.is_file()]


@then("article A0000001 has an image")
def has_an_image(world: World) -> None:
    stored = [path for path in (world.directory / "store").rglob("*") if path.is_file()]
    assert stored
    assert all("A0000001" in str(path) for path in stored)


@then(parsers.parse('the other edit failed for the reason "{reason}"'))
def failed_for(world: World, reason: str) -> None:
    found = world.database.query("SELECT reason FROM image_edit WHERE article_number = 'NOBODY'")
    assert reason == found[0][0]


@then("no message waits")
def nothing_waits(world: World) -> None:
    waiting = "SELECT count(*) FROM queue_message WHERE status = 'NEW'"
    assert world.database.query(waiting) == [(0,)]

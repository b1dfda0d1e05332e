"""Images of articles, and batches of edits, the same for the same seed, in any number.

``python -m cronops.samples.images --into DIR --images 12 --rows 40`` makes ``DIR/sources``,
``DIR/batches`` and ``DIR/store``, and tells by which settings they are used.
"""

import argparse
import io
import os
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cronops.config import load_settings
from cronops.samples.tour import Step

HEADER = "article_number;position;action;source"
BATCH = "images_sample.csv"

_SUFFIXES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
_TOP_LEFT_IS_RIGHT = 6
"""EXIF: the camera was held upright."""


def image_bytes(
    number: int, *, size: tuple[int, int] = (1200, 900), kind: str = "JPEG", seed: int = 1
) -> bytes:
    """A picture of a wheel, nearly: number 3 is the same each time."""
    from PIL import Image, ImageDraw

    width, height = size
    dice = random.Random(seed * 1_000_003 + number)  # noqa: S311 - sample data
    ground = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", [ground.point(_shade(dice.random())) for _ in "RGB"])
    draw = ImageDraw.Draw(image)
    radius = min(size) * 0.45
    middle = (width / 2, height / 2)
    for share in (1.0, 0.72, 0.2):
        colour = (dice.randrange(256), dice.randrange(256), dice.randrange(256))
        draw.circle(middle, radius * share, fill=colour)
    buffer = io.BytesIO()
    exif = Image.Exif()
    if kind == "JPEG" and number % 4 == 1:
        exif[0x0112] = _TOP_LEFT_IS_RIGHT
    image.save(buffer, format=kind, exif=exif)
    return buffer.getvalue()


def make_sources(
    directory: Path,
    count: int,
    *,
    size: tuple[int, int] = (1200, 900),
    kinds: Sequence[str] = tuple(_SUFFIXES),
    seed: int = 1,
) -> list[str]:
    """Write images ``wheel-1.jpg`` to `count`, of these kinds in turn; their names."""
    directory.mkdir(parents=True, exist_ok=True)
    names = []
    for number in range(1, count + 1):
        kind = kinds[(number - 1) % len(kinds)]
        name = f"wheel-{number}.{_SUFFIXES[kind]}"
        (directory / name).write_bytes(image_bytes(number, size=size, kind=kind, seed=seed))
        names.append(name)
    return names


def batch_lines(count: int, *, sources: list[str], articles: int, seed: int = 1) -> Iterator[str]:
    """A batch of `count` rows, its header first; every article and position once.

    The articles are those of `cronops.samples.articles`, as many as there are in the shop.
    """
    yield HEADER
    for number in range(count):
        dice = random.Random(seed * 1_000_003 + number)  # noqa: S311 - sample data
        article, position = number % articles + 1, number // articles + 1
        yield f"A{article:07d};{position};replace;{dice.choice(sources)}"


def write_batch(
    path: Path, count: int, *, sources: list[str], articles: int, seed: int = 1
) -> None:
    """Write a batch of `count` rows, under a name that is none of a batch's until it is whole."""
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        for line in batch_lines(count, sources=sources, articles=articles, seed=seed):
            file.write(f"{line}\n")
    part.rename(path)


def prepare(
    batch_dir: Path,
    source_root: Path,
    store: Path,
    *,
    images: int = 12,
    rows: int = 40,
    articles: int = 200,
    seed: int = 1,
) -> None:
    """Make sources, an empty store, and a batch with two rows that cannot be worked.

    One names an article that the shop does not have, one a source that is not there.
    """
    names = make_sources(source_root, images, seed=seed)
    store.mkdir(parents=True, exist_ok=True)
    batch_dir.mkdir(parents=True, exist_ok=True)
    lines = list(batch_lines(rows, sources=names, articles=articles, seed=seed))
    lines += [f"UNKNOWN-1;1;add;{names[0]}", f"A{articles:07d};99;add;lost.jpg"]
    (batch_dir / BATCH).write_text("\n".join(lines) + "\n", encoding="utf-8")


def environment(root: Path) -> Mapping[str, str]:
    """The settings that make the commands use what `prepare` made."""
    return {
        "CRONOPS_IMAGES__BATCH_DIR": str(root / "batches"),
        "CRONOPS_IMAGES__SOURCE_ROOT": str(root / "sources"),
        "CRONOPS_IMAGES__STORE": str(root / "store"),
        "CRONOPS_IMAGES__SETTLE": "0",
    }


def tour() -> Iterator[Step]:
    """The commands, in order, in the directories that the settings name.

    What they work on is made first, and is another each time: the same batch counts only once.
    """
    images = load_settings().settings.images
    seed = int(time.time())
    prepare(images.batch_dir, images.source_root, images.store, seed=seed)
    yield Step(
        "A batch of image edits has arrived: what is in it?", "images enqueue-batches --dry-run"
    )
    yield Step("Take it in: its good rows become messages.", "images enqueue-batches")
    yield Step("Work them: fetch, check, make the renditions.", "queue process --queue=general")
    yield Step("What became of the batches?", "images batches list --limit=3")
    yield Step("Which rows of the newest failed, and why?", "images batches show")
    yield Step("What does an article have now?", "images list --article A0000001")
    yield Step("Later runs find no batch, and tell of what failed.", "images enqueue-batches")


def _shade(share: float) -> list[int]:
    return [round(value * (0.4 + 0.6 * share)) for value in range(256)]


def main() -> int:
    """Make what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m cronops.samples.images", description=__doc__)
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="made if missing")
    parser.add_argument("--images", type=int, default=12, help="so many source images")
    parser.add_argument("--rows", type=int, default=40, help="so many rows in the batch")
    parser.add_argument("--articles", type=int, default=200, help="as many as the shop has")
    given = parser.parse_args()
    root = Path(os.path.abspath(given.into))  # noqa: PTH100 - no link is resolved
    where = [root / name for name in ("batches", "sources", "store")]
    prepare(*where, images=given.images, rows=given.rows, articles=given.articles)
    for name, value in environment(root).items():
        sys.stdout.write(f"export {name}={value}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

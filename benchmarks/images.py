"""Image batches: rows enqueued per second and peak memory, and images made beside bare Pillow."""

import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageOps

from benchmarks.database import Database
from benchmarks.harness import Goal, Ratio, Section, Unmeasurable, alternate
from benchmarks.memory import MEGABYTE, SAMPLE_SECONDS, high_water_mark, process_tree
from benchmarks.workers import command_of
from cronops.config.rooms import ImagesSettings
from cronops.samples.articles import fill_shop
from cronops.samples.images import environment, make_sources, write_batch

ARTICLES = 100_000
COPY = "COPY image_bench (article_number, position, action, source) FROM STDIN"
TABLE = """
    CREATE TABLE image_bench (line bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        article_number text, position integer, action text, source text)
"""


def run(database: Database, quick: bool) -> Sequence[Section]:
    """Enqueueing at two sizes; photographs of 12 megapixels."""
    _make_shop(database)
    sizes = (1_000, 10_000) if quick else (100_000, 1_000_000)
    return [
        _enqueueing(database, sizes, 1 if quick else 3),
        _memory(database, sizes),
        _editing(database, 4 if quick else 40, 1 if quick else 3),
    ]


def _enqueueing(database: Database, sizes: tuple[int, int], rounds: int) -> Section:
    count = sizes[1]
    section = Section(
        f"Image batch of {count:,} rows",
        "rows/s",
        "`cronops images enqueue-batches`, the whole process, file archived, against a COPY of the "
        "file's unchecked rows into a table with a primary key, which has no messages either.",
    )
    subjects: dict[str, Callable[[], float]] = {
        "cronops images enqueue-batches": lambda: count / _enqueue(database, count)[0],
        "COPY, nothing checked": lambda: count / _copy(database, count),
    }
    section.add(alternate(subjects, rounds))
    section.compare("enqueue-batches / COPY", *subjects)
    return section


def _memory(database: Database, sizes: tuple[int, int]) -> Section:
    section = Section(
        "Image batch, memory", "MB", "Peak of supervisor and worker added up.", digits=1
    )
    small, large = (f"{count:,} rows" for count in sizes)
    subjects: dict[str, Callable[[], float]] = {
        small: lambda: _enqueue(database, sizes[0])[1],
        large: lambda: _enqueue(database, sizes[1])[1],
    }
    section.add(alternate(subjects, 1))
    low, high = section.median(small), section.median(large)
    grown = high - low if low is not None and high is not None else None
    section.ratios.append(Ratio("growth", grown, Goal(20, at_most=True), unit=" MB"))
    return section


def _editing(database: Database, images: int, rounds: int) -> Section:
    section = Section(
        "Photographs of 12 megapixels",
        "images/s",
        "`cronops queue process`, one worker, the default renditions (1600, 640, 160 pixels), "
        "each image committed by itself, against Pillow as one would write it: open, turn, "
        "`thumbnail` and save for each size, no checks, no database, nothing synced.",
        digits=2,
    )
    root = _directories(database)
    names = make_sources(root / "sources", images, size=(4000, 3000), kinds=("JPEG",))
    subjects: dict[str, Callable[[], float]] = {
        "cronops images.update": lambda: images / _edit(database, names),
        "Pillow, as one would write it": lambda: images / _plain(root, names),
    }
    section.add(alternate(subjects, rounds))
    section.compare("images.update / Pillow", *subjects)
    return section


def _make_shop(database: Database) -> None:
    from cronops.db.shop import create_shop

    with database.connect() as connection:
        create_shop(connection, "shop")
        connection.execute("SET search_path TO cronops, shop")
        fill_shop(connection, ARTICLES)
        connection.execute(f"DROP TABLE IF EXISTS image_bench; {TABLE}")


def _directories(database: Database) -> Path:
    root = database.scratch / "images"
    for name in ("batches", "sources", "store"):
        (root / name).mkdir(parents=True, exist_ok=True)
    return root


def _start_afresh(database: Database) -> Path:
    root = _directories(database)
    shutil.rmtree(root / "batches")
    shutil.rmtree(root / "store")
    tables = "image_batch, image_edit, article_image, queue_message, image_bench"
    database.execute(f"TRUNCATE {tables} RESTART IDENTITY")
    database.settle("image_edit", "queue_message")
    return _directories(database)


def _enqueue(database: Database, count: int) -> tuple[float, float]:
    """Seconds, and peak memory in MB."""
    root = _start_afresh(database)
    path = root / "batches" / "images_bench.csv"
    sources = [f"wheels/{number}.jpg" for number in range(100)]
    write_batch(path, count, sources=sources, articles=ARTICLES)
    began = time.perf_counter()
    process = _command(database, root, "images", "enqueue-batches")
    peaks: dict[int, int] = {}
    while process.poll() is None:
        for pid in process_tree(process.pid):
            peaks[pid] = max(peaks.get(pid, 0), high_water_mark(pid))
        time.sleep(SAMPLE_SECONDS)
    seconds = time.perf_counter() - began
    _check(process, database, "SELECT count(*) FROM image_edit WHERE state = 'waiting'", count)
    return seconds, sum(peaks.values()) / MEGABYTE


def _copy(database: Database, count: int) -> float:
    path = _start_afresh(database) / "batches" / "plain.csv"
    write_batch(path, count, sources=["wheels/1.jpg"], articles=ARTICLES)
    began = time.perf_counter()
    with (
        path.open("rb") as file,
        database.connect() as connection,
        connection.cursor() as cursor,
        cursor.copy(f"{COPY} (FORMAT csv, DELIMITER ';', HEADER)") as copy,
    ):
        while block := file.read(1 << 18):
            copy.write(block)
    return time.perf_counter() - began


def _edit(database: Database, names: Sequence[str]) -> float:
    root = _start_afresh(database)
    path = root / "batches" / "images_bench.csv"
    rows = [f"A{number:07d};1;replace;{name}" for number, name in enumerate(names, 1)]
    path.write_text("\n".join(["article_number;position;action;source", *rows, ""]))
    _command(database, root, "images", "enqueue-batches").wait()
    began = time.perf_counter()
    process = _command(database, root, "queue", "process", "--queue=general")
    process.wait()
    seconds = time.perf_counter() - began
    _check(process, database, "SELECT count(*) FROM article_image", len(names))
    return seconds


def _plain(root: Path, names: Sequence[str]) -> float:
    target = root / "plain"
    target.mkdir(exist_ok=True)
    began = time.perf_counter()
    for name in names:
        for one in ImagesSettings().renditions:
            with Image.open(root / "sources" / name) as image:
                upright = ImageOps.exif_transpose(image)
                size = (one.width, one.height)
                made = ImageOps.fit(upright, size) if one.fit == "cover" else upright
                made.thumbnail(size)
                made.save(target / f"{name}-{one.name}.jpg", quality=one.quality)
    return time.perf_counter() - began


def _command(database: Database, root: Path, *words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [command_of("cronops"), *words],
        env={**database.env, **environment(root)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _check(
    process: "subprocess.Popen[bytes]", database: Database, statement: str, count: int
) -> None:
    if process.returncode:
        raise Unmeasurable(f"exit {process.returncode}")
    with database.connect() as connection:
        found = connection.execute(statement).fetchone()
    if found != (count,):
        raise Unmeasurable(f"{found} rows are there, not {count}")

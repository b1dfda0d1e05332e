"""Files that change, move, or are not what they are called."""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cronops.clients.confined import NotAFile, directory, open_file
from cronops.config import Settings
from cronops.errors import BadInput, TransientError
from cronops.jobs.images import batch_file, store, writing
from cronops.jobs.images.batch_file import ChangedWhileRead, find_batches, fingerprint, read_lines
from cronops.jobs.images.fetch import Fetcher, read_file
from cronops.jobs.images.filing import REASON, file_away, free_name, is_filed, put_beside
from cronops.jobs.images.picture import Made
from cronops.jobs.images.store import Store
from cronops.jobs.images.writing import Standstill


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    path = tmp_path / "images_a.csv"
    path.write_bytes(b"header\nrow\n")
    file = os.open(path, os.O_RDONLY)
    yield path, file
    os.close(file)


# Batches ----------------------------------------------------------------------------------------


def lines_of(file: int, encoding: str = "utf-8") -> list[str]:
    content = fingerprint(file)
    numbered = [
        (first + at, line)
        for first, lines in read_lines(file, content, encoding)
        for at, line in enumerate(lines)
    ]
    assert [number for number, _ in numbered] == list(range(1, len(numbered) + 1))
    return [line for _, line in numbered]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    text=st.text(st.characters(exclude_characters="\0\ufeff", codec="utf-8")),
    block=st.integers(1, 9),
)
def test_lines_are_the_same_wherever_a_block_ends(tmp_path: Path, text: str, block: int) -> None:
    path = tmp_path / "images_a.csv"
    path.write_bytes(text.encode())
    file = os.open(path, os.O_RDONLY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_file, "_BLOCK", block)
        found = lines_of(file)
    os.close(file)
    wanted = text.split("\n")
    # What comes after the last newline is a line only where it is something: "\r" is.
    wanted = wanted if wanted[-1] else wanted[:-1]
    assert found == [line.removesuffix("\r") for line in wanted]


@pytest.mark.parametrize("change", [b"more\n", b""])
def test_what_changes_between_two_looks_is_noticed(opened: tuple[Path, int], change: bytes) -> None:
    path, file = opened
    content = fingerprint(file)
    reading = read_lines(file, content, "utf-8")
    next(reading)
    if change:
        with path.open("ab") as more:
            more.write(change)
    else:
        # The same length, and its old time put back: only the content tells.
        facts = path.stat()
        path.write_bytes(b"HEADER\nrow\n")
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        reading = read_lines(file, content, "utf-8")
    with pytest.raises(ChangedWhileRead):
        list(reading)


def test_whoever_writes_as_fast_as_it_is_read_does_not_keep_it_reading(
    opened: tuple[Path, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, file = opened
    content, before = fingerprint(file), path.stat().st_size
    read = os.read

    def read_and_write(descriptor: int, most: int) -> bytes:
        block = read(descriptor, most)
        with path.open("ab") as more:
            more.write(b"more\n")
        assert path.stat().st_size < before + 100
        return block

    monkeypatch.setattr(batch_file.os, "read", read_and_write)
    with pytest.raises(ChangedWhileRead):
        list(read_lines(file, content, "utf-8"))
    with pytest.raises(ChangedWhileRead):
        fingerprint(file)


def test_a_damaged_line_is_named_by_its_number(opened: tuple[Path, int]) -> None:
    path, file = opened
    path.write_bytes(b"\n" * 70_000 + b"\xff\n")
    with pytest.raises(BadInput, match="line 70001 is not utf-8: byte 0xff"):
        lines_of(file)
    path.write_bytes(b"\n" * 70_000 + b"\0\n")
    with pytest.raises(BadInput, match="line 70001 has a NUL byte"):
        lines_of(file)


def test_a_line_may_be_a_mebibyte_and_no_longer(opened: tuple[Path, int]) -> None:
    path, file = opened
    path.write_bytes(b"x" * (1 << 20) + b"\n")
    assert [len(line) for line in lines_of(file)] == [1 << 20]
    path.write_bytes(b"\n" + b"x" * ((1 << 20) + 1) + b"\n")
    with pytest.raises(BadInput, match="line 2 is longer than 1,048,576 bytes"):
        lines_of(file)


def test_batches_are_found_by_their_names_the_oldest_first(tmp_path: Path) -> None:
    for age, name in enumerate(("images_new.csv", "images_old.csv", "images_.csv")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1_000 - age, 1_000 - age))
    for name in ("images.csv", "Images_a.csv", "images_a.csv.part", ".images_a.csv", "a.csv"):
        (tmp_path / name).touch()
    with directory(tmp_path) as here:
        names = [found.name for found in find_batches(here)]
    assert names == ["images_.csv", "images_old.csv", "images_new.csv"]


def test_a_batch_that_vanishes_while_the_directory_is_read_is_no_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("images_a.csv", "images_b.csv"):
        (tmp_path / name).touch()
    scan = os.scandir

    @contextmanager
    def meddled(parent: int) -> Iterator[Iterator[os.DirEntry[str]]]:
        with scan(parent) as entries:
            found = list(entries)
        (tmp_path / "images_a.csv").unlink()
        yield iter(found)

    monkeypatch.setattr(batch_file.os, "scandir", meddled)
    with directory(tmp_path) as here:
        assert [found.name for found in find_batches(here)] == ["images_b.csv"]


# Filing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["images_" + "a" * 244 + ".csv", "images_" + "ö" * 122 + ".csv"])
def test_the_longest_name_is_filed_under_a_shorter_one(tmp_path: Path, name: str) -> None:
    assert len(name.encode()) == 255
    for number in (1, 2):
        (tmp_path / name).touch()
        filed_as = free_name(tmp_path, "archive", name)
        assert filed_as.startswith(name[:60])
        assert filed_as.endswith("….csv" if number == 1 else "….2.csv")
        put_beside(tmp_path, "archive", filed_as + REASON, [b"why"])
        assert file_away(tmp_path, name, "archive", filed_as)


def test_nothing_is_overwritten_in_the_archive(tmp_path: Path) -> None:
    for number, wanted in enumerate(("images_a.csv", "images_a.2.csv", "images_a.3.csv")):
        (tmp_path / "images_a.csv").write_text(str(number))
        name = free_name(tmp_path, "archive", "images_a.csv")
        assert name == wanted
        assert file_away(tmp_path, "images_a.csv", "archive", name)
        assert is_filed(tmp_path, "archive", name)
    contents = [path.read_text() for path in sorted((tmp_path / "archive").iterdir())]
    assert contents == ["1", "2", "0"]


def test_a_file_that_was_replaced_since_it_was_read_stays(opened: tuple[Path, int]) -> None:
    path, file = opened
    inode = fingerprint(file).inode
    new = path.with_name("new")
    new.write_text("new")
    new.rename(path)
    assert not file_away(path.parent, path.name, "archive", path.name, inode=inode)
    assert path.read_text() == "new"
    assert not is_filed(path.parent, "archive", path.name)


def test_a_file_that_was_taken_back_is_no_matter(tmp_path: Path) -> None:
    assert not file_away(tmp_path, "images_a.csv", "archive", "images_a.csv", inode=1)


def test_what_explains_a_batch_is_whole_and_replaces_what_was_there(tmp_path: Path) -> None:
    put_beside(tmp_path, "quarantine", "a.reason.txt", [b"a longer text"])
    put_beside(tmp_path, "quarantine", "a.reason.txt", [b"short"])
    assert (tmp_path / "quarantine/a.reason.txt").read_bytes() == b"short"
    assert [path.name for path in (tmp_path / "quarantine").iterdir()] == ["a.reason.txt"]


# Confined ---------------------------------------------------------------------------------------


def test_no_link_below_the_root_is_followed_but_the_root_may_be_one(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "one.jpg").write_bytes(b"1")
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a/one.jpg").write_bytes(b"2")
    (root / "link").symlink_to(outside)
    (root / "inside").symlink_to("a")
    (root / "a/link.jpg").symlink_to("one.jpg")
    by_link = tmp_path / "by-link"
    by_link.symlink_to(root)

    assert read_file("a/one.jpg", by_link, limit=10) == b"2"
    for source in ("link/one.jpg", "inside/one.jpg", "a/link.jpg"):
        with pytest.raises(BadInput, match="symbolic link"):
            read_file(source, root, limit=10)


@pytest.mark.parametrize("part", ["..", ".", "", "a/b"])
def test_nothing_leads_up_whoever_has_written_it(tmp_path: Path, part: str) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "secret.jpg").touch()
    with pytest.raises(BadInput, match="no such file"):
        read_file(f"{part}/secret.jpg", tmp_path / "root", limit=100)
    with pytest.raises(OSError), directory(tmp_path / "root", part):
        raise AssertionError


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with directory(tmp_path) as here, pytest.raises(NotAFile, match="a pipe"):
        open_file("pipe", here)


def test_a_file_may_have_as_many_bytes_as_its_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 10)
    assert len(read_file("a", tmp_path, limit=10)) == 10
    with pytest.raises(BadInput, match="larger than 9 bytes"):
        read_file("a", tmp_path, limit=9)


def test_a_file_that_is_longer_than_it_says_is_not_read_on_for_ever() -> None:
    # Of no size at all, by its facts.
    with pytest.raises(BadInput, match="larger than 3 bytes"):
        read_file("version", Path("/proc"), limit=3)


def test_an_answer_makes_a_server_one_that_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ctx: Any = SimpleNamespace(settings=Settings())
    fetcher, url = Fetcher(ctx), "https://example.com/one.jpg"
    answers = iter((False, False, True, False, False, False))

    def get(*_: object, **__: object) -> Any:
        if not next(answers):
            raise TransientError("it is down")
        return SimpleNamespace(content=b"")

    monkeypatch.setattr(fetcher, "_client", lambda: SimpleNamespace(get=get))
    for _ in range(6):
        assert fetcher.why_not_now(url) is None
        with suppress(TransientError):
            fetcher.fetch(url)
    assert fetcher.why_not_now(url) == "it is down"
    assert fetcher.why_not_now("https://example.org/one.jpg") is None


def test_a_root_that_is_missing_is_nobodys_fault_but_the_mounts(tmp_path: Path) -> None:
    with pytest.raises(Standstill, match="CRONOPS_IMAGES__SOURCE_ROOT"):
        read_file("a", tmp_path / "missing", limit=9)


# Store ------------------------------------------------------------------------------------------


def made(*names: str, content: bytes = b"1") -> list[Made]:
    return [Made(name, content, 1, 1, "jpeg") for name in names]


def test_the_store_holds_what_was_written_last_and_nothing_else_of_the_position(
    tmp_path: Path,
) -> None:
    store, steps = Store(tmp_path), []
    (first,) = store.write("A/1", 1, made("old"), step=steps.append)
    folder = (tmp_path / first).parent
    (folder / ".1-gone.jpg.part").write_bytes(b"left by a process that died")
    (folder / ".11-large.jpg.part").write_bytes(b"somebody is at it")
    (folder / "11-large.jpg").write_bytes(b"another position")

    files = store.write("A/1", 1, made("large", "small", content=b"22"), step=steps.append)

    assert steps == ["1-old.jpg", "1-large.jpg", "1-small.jpg"]
    assert sorted(path.name for path in folder.iterdir()) == [
        ".11-large.jpg.part", "1-large.jpg", "1-small.jpg", "11-large.jpg",
    ]  # fmt: skip
    assert store.has([{"file": file, "bytes": 2} for file in files])
    assert not store.has([{"file": file, "bytes": 1} for file in files])
    assert not store.has([{"file": "nowhere", "bytes": 2}])
    assert stat.S_IMODE((tmp_path / files[0]).stat().st_mode) == 0o644
    store.remove("A/1", 1)
    assert sorted(path.name for path in folder.iterdir()) == [".11-large.jpg.part", "11-large.jpg"]


@pytest.mark.parametrize("full_at", [1, 2])
def test_a_full_disk_leaves_what_was_there_and_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_at: int
) -> None:
    old, new = (
        [Made(name, content, 1, 1, "jpeg") for name in ("big", "thumb")]
        for content in (b"old", b"new")
    )
    shop = Store(tmp_path)
    files = [tmp_path / file for file in shop.write("A1", 1, old, step=lambda _: None)]
    places = iter((1, 2))

    def full(part: str, parent: int, blocks: Iterable[bytes]) -> None:
        if next(places) == full_at:
            blocks = half(*blocks)
        writing.write_part(part, parent, blocks)

    def half(content: bytes) -> Iterator[bytes]:
        yield content[:1]
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "write_part", full)
    with pytest.raises(Standstill, match="No space left on device"):
        shop.write("A1", 1, new, step=lambda _: None)
    assert [file.read_bytes() for file in files] == [b"old", b"old"]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == sorted(
        file.name for file in files
    )


def test_removing_the_last_image_removes_the_articles_directory(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (file,) = store.write("A1", 1, made("one"), step=lambda _: None)
    store.remove("A1", 1)
    store.remove("A1", 1)
    store.remove("never seen", 1)
    assert not (tmp_path / file).parent.exists()


def test_a_link_in_the_store_is_not_written_through(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    store = Store(root)
    (file,) = store.write("A1", 1, made("one"), step=lambda _: None)
    folder = (root / file).parent
    (root / file).unlink()
    folder.rmdir()
    folder.symlink_to(outside)
    with pytest.raises(TransientError, match="CRONOPS_IMAGES__STORE"):
        store.write("A1", 1, made("one"), step=lambda _: None)
    assert list(outside.iterdir()) == []

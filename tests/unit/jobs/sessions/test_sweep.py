"""The sweep itself, on a real directory, while others move what it looks at."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cronops.errors import ConfigurationError, TransientError
from cronops.jobs.sessions import sweep as sweeping
from cronops.jobs.sessions.purge import begin_of
from cronops.jobs.sessions.sweep import Rule, Sweep, Tally

CUTOFF = 1_000_000 * 10**9
NOW = CUTOFF + 86_400 * 10**9


def write(path: Path, at: int = 0) -> Path:
    path.touch()
    os.utime(path, ns=(at, at))
    return path


def sweep(root: Path, *, go_on: Callable[[Tally], bool] = lambda _: True, **rule: Any) -> Sweep:
    made = Sweep(Rule("sess_*", CUTOFF, NOW, **{"most": 10**9, **rule}), go_on=go_on)
    held = os.open(root, os.O_RDONLY)
    try:
        made.run(held)
    finally:
        os.close(held)
    return made


def test_what_is_exactly_as_old_as_the_retention_stays(tmp_path: Path) -> None:
    at = [write(tmp_path / f"sess_{n}", CUTOFF + n - 1) for n in range(3)]
    found = sweep(tmp_path).tally
    assert (found.deleted, found.kept) == (1, 2)
    assert [path.exists() for path in at] == [False, True, True]


def test_a_little_ahead_is_no_future(tmp_path: Path) -> None:
    write(tmp_path / "sess_1", NOW + 59 * 10**9)
    write(tmp_path / "sess_2", NOW + 61 * 10**9)
    assert sweep(tmp_path).tally == Tally(kept=2, future=1)


def test_told_to_stop_it_leaves_the_rest(tmp_path: Path) -> None:
    for number in range(1_200):
        write(tmp_path / f"sess_{number}")
    found = sweep(tmp_path, go_on=lambda tally: tally.deleted < 600).tally
    assert found.deleted == 1_000
    assert len(list(tmp_path.iterdir())) == 200


def test_a_session_that_is_used_in_the_last_moment_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name was read from the directory; then its owner comes back."""
    for number in range(3):
        write(tmp_path / f"sess_{number}")
    read = Sweep._names

    def used(entries: Any) -> list[str]:
        names = read(entries)
        if names:
            write(tmp_path / "sess_1", NOW)
        return names

    monkeypatch.setattr(Sweep, "_names", staticmethod(used))
    assert sweep(tmp_path).tally == Tally(deleted=2, kept=1)
    assert (tmp_path / "sess_1").exists()


@pytest.mark.parametrize("what", ["gone", "link", "directory", "pipe"])
def test_what_another_puts_in_its_place_in_the_last_moment_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    root, outside = tmp_path / "root", write(tmp_path / "sess_outside")
    root.mkdir()
    name = write(root / "sess_1")
    read = Sweep._names

    def swapped(entries: Any) -> list[str]:
        names = read(entries)
        if names:
            name.unlink()
            if what == "link":
                name.symlink_to(outside)
            elif what == "directory":
                name.mkdir()
            elif what == "pipe":
                os.mkfifo(name)
        return names

    monkeypatch.setattr(Sweep, "_names", staticmethod(swapped))
    found = sweep(root).tally
    assert found == (Tally(vanished=1) if what == "gone" else Tally(other=1))
    assert outside.exists()


@contextmanager
def swapping(at: Path, outside: Path, aside: Path) -> Iterator[list[int]]:
    """All the while, `at` is a directory and a link to `outside` in turn; how often it was both."""
    over, turns = threading.Event(), [0]

    def swap() -> None:
        while not over.is_set():
            at.rename(aside)
            at.symlink_to(outside)
            at.unlink()
            aside.rename(at)
            turns[0] += 1

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield turns
    finally:
        over.set()
        thread.join()


def test_a_directory_that_becomes_a_link_again_and_again_leads_nowhere(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "a").mkdir(parents=True)
    outside.mkdir()
    for number in range(50):
        write(outside / f"sess_{number}")
    inside = os.open(root / "a", os.O_RDONLY)
    seen = Tally()
    with swapping(root / "a", outside, tmp_path / "aside") as turns:
        while turns[0] < 300 or not (seen.other and seen.deleted):
            found = sweep(root, depth=1).tally
            seen.other += found.other
            seen.deleted += found.deleted
            assert len(list(outside.iterdir())) == 50
            # Something to delete for the next time, in the directory itself.
            file = os.open("sess_x", os.O_CREAT | os.O_WRONLY, dir_fd=inside)
            os.utime(file, (0, 0))
            os.close(file)
    os.close(inside)
    assert seen.deleted > 0
    assert seen.other > 0


def test_a_directory_that_is_swapped_while_it_is_read_stays_the_same(tmp_path: Path) -> None:
    """What is held open is purged to its end, wherever its name leads by then."""
    root, outside, aside = tmp_path / "root", tmp_path / "outside", tmp_path / "aside"
    for directory in (root, outside):
        directory.mkdir()
        for number in range(2_000):
            write(directory / f"sess_{number}")

    def swap(tally: Tally) -> bool:
        if not aside.exists():
            root.rename(aside)
            root.symlink_to(outside)
        return True

    assert sweep(root, go_on=swap).tally.deleted == 2_000
    assert list(aside.iterdir()) == []
    assert len(list(outside.iterdir())) == 2_000


def test_what_is_mounted_below_is_another_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    write(tmp_path / "a" / "sess_1")
    inode = (tmp_path / "a").stat().st_ino
    look = os.fstat

    def elsewhere(file: int) -> os.stat_result:
        facts = look(file)
        if facts.st_ino == inode:
            return os.stat_result((*facts[:2], facts.st_dev + 1, *facts[3:10]))
        return facts

    monkeypatch.setattr(os, "fstat", elsewhere)
    assert sweep(tmp_path, depth=1).tally == Tally(other=1)


def test_a_file_system_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "sess_1")

    def failing(number: int) -> Callable[..., None]:
        def unlink(name: str, *, dir_fd: int) -> None:
            raise OSError(number, os.strerror(number), name)

        return unlink

    monkeypatch.setattr(os, "unlink", failing(5))
    with pytest.raises(TransientError, match="Input/output error") as told:
        sweep(tmp_path)
    assert "sess_1" not in str(told.value)
    monkeypatch.setattr(os, "unlink", failing(30))
    with pytest.raises(ConfigurationError, match="read-only"):
        sweep(tmp_path)
    monkeypatch.setattr(os, "unlink", failing(13))
    found = sweep(tmp_path)
    assert found.tally == Tally(denied=1)
    assert found.first_denial == "Permission denied"


NAMES = st.sampled_from(["sess_1", "sess_2", "sess_", "other", "a", "b", "Sess_1", "xsess_1", "ab"])
KINDS = st.sampled_from(["old", "young", "link", "pipe", "directory"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tree=st.dictionaries(st.tuples(st.sampled_from(["", "a", "b", "ab"]), NAMES), KINDS),
    depth=st.integers(0, 2),
    most=st.integers(1, 4),
)
def test_of_any_tree_only_old_regular_files_of_that_name_go(
    tmp_path: Path, tree: dict[tuple[str, str], str], depth: int, most: int
) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    shutil.rmtree(root, ignore_errors=True)
    outside.mkdir(exist_ok=True)
    write(outside / "sess_1")
    for directory in ("", "a", "b", "ab"):
        (root / directory).mkdir(parents=True, exist_ok=True)
    due = set()
    for (directory, name), kind in tree.items():
        path = root / directory / name
        if path.exists():
            continue
        if kind in ("old", "young"):
            write(path, 0 if kind == "old" else NOW)
        elif kind == "link":
            path.symlink_to(outside, target_is_directory=True)
        elif kind == "pipe":
            os.mkfifo(path)
            os.utime(path, (0, 0))
        else:
            path.mkdir()
        levels = 0 if not directory else (1 if len(directory) == 1 else 9)
        if kind == "old" and name.startswith("sess_") and levels <= depth:
            due.add(path)
    every = set(root.rglob("*"))

    rehearsed = sweep(root, depth=depth, most=most, is_rehearsal=True)
    assert set(root.rglob("*")) == every
    found = sweep(root, depth=depth, most=most)

    gone = every - set(root.rglob("*"))
    assert gone <= due
    assert len(gone) == found.tally.deleted == rehearsed.tally.deleted == min(most, len(due))
    assert found.is_capped == rehearsed.is_capped == (len(due) > most)
    assert (outside / "sess_1").exists()


def test_the_beginning_of_a_name_is_shown_and_no_more() -> None:
    assert begin_of("sess_0123456789", "sess_*") == "sess_0123..."
    assert begin_of("sess_\udcff\n", "sess_*") == "sess_\\xff?"
    assert begin_of("abcdefgh", "[a-z]*") == "abcd..."


def test_the_look_ahead_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "_AHEAD", 7)
    for number in range(50):
        write(tmp_path / f"sess_{number}")
    longest, read = [0], Sweep._names

    def counted(entries: Any) -> list[str]:
        names = read(entries)
        longest.append(len(names))
        return names

    monkeypatch.setattr(Sweep, "_names", staticmethod(counted))
    assert sweep(tmp_path).tally.deleted == 50
    assert max(longest) == 7

"""A directory of generated files, kept by runs that may be killed at any moment."""

import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from cronops.cli.schedules.folder import INDEX, Changes, Folder
from cronops.errors import UsageError

_TOUCHES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}


def files(**texts: str) -> dict[str, str]:
    """Files with the index that lists them; ``__`` stands for the slash, ``.yaml`` is added."""
    made = {f"{name.replace('__', '/')}.yaml": text for name, text in texts.items()}
    index = {"generator": "cronops 0.1.0", "files": dict.fromkeys(made, "hash")}
    return {**made, INDEX: json.dumps(index)}


def write(path: Path, expected: Mapping[str, str]) -> Changes:
    return Folder(path).write(expected)


def on_disk(path: Path) -> dict[str, str]:
    return {
        one.relative_to(path).as_posix(): one.read_text()
        for one in path.rglob("*")
        if not one.is_dir()
    }


OLD = files(kept="same", changed="old", schedules__stale="gone soon", schedules__a__b="deep")
NEW = files(kept="same", changed="new", schedules__fresh="hello", more__fresh="hello")


def test_what_is_expected_is_written_and_what_is_stale_is_removed(tmp_path: Path) -> None:
    out = tmp_path / "made" / "here"
    first = write(out, OLD)
    changes = write(out, NEW)

    assert first == Changes(written=sorted(OLD))
    assert changes.written == ["changed.yaml", INDEX, "more/fresh.yaml", "schedules/fresh.yaml"]
    assert changes.removed == ["schedules/a/b.yaml", "schedules/stale.yaml"]
    assert changes.unchanged == 1
    assert on_disk(out) == NEW
    assert not (out / "schedules/a").exists()


def test_what_is_as_it_should_be_is_not_touched(tmp_path: Path) -> None:
    write(tmp_path, NEW)
    before = {path: path.stat() for path in tmp_path.rglob("*")}

    assert write(tmp_path, NEW) == Changes(unchanged=len(NEW))
    assert {path: path.stat() for path in tmp_path.rglob("*")} == before


def test_foreign_files_are_left_and_named(tmp_path: Path) -> None:
    write(tmp_path, OLD)
    (tmp_path / "schedules/mine.yaml").write_text("mine")

    assert write(tmp_path, NEW).foreign == ["schedules/mine.yaml"]
    assert on_disk(tmp_path) == {**NEW, "schedules/mine.yaml": "mine"}


def killed(path: Path, expected: Mapping[str, str], touches: int) -> bool:
    """Whether a run was killed just before its next file operation after so many `touches`."""
    child = os.fork()
    if child == 0:
        done = 0

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal done
            if event in _TOUCHES and str(path) in str(arguments[0]):
                done += 1
                if done > touches:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        write(path, expected)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("before", [{}, OLD], ids=["into nothing", "over an earlier one"])
def test_a_run_that_is_killed_anywhere_is_put_right_by_the_next(
    tmp_path: Path, before: dict[str, str]
) -> None:
    points = 0
    while True:
        out = tmp_path / str(points)
        write(out, before) if before else None
        was_killed = killed(out, NEW, points)
        # The file was changed once more meanwhile: nothing of what was half made may stay.
        later = files(kept="same", other="name")
        write(out, later if was_killed else NEW)

        assert on_disk(out) == (later if was_killed else NEW), points
        if not was_killed:
            break
        points += 1
    assert points > 10


@pytest.mark.parametrize(
    "index",
    ["{}", "[]", "no json", '{"generator": "kustomize", "files": []}', "[" * 100_000, '{"a": 1}'],
)
def test_a_directory_with_a_foreign_index_is_refused(tmp_path: Path, index: str) -> None:
    (tmp_path / INDEX).write_text(index)

    with pytest.raises(UsageError, match=r"is no list of files that .* restore it"):
        Folder(tmp_path)


def test_an_index_cannot_have_files_elsewhere_removed(tmp_path: Path) -> None:
    outside, out = tmp_path / "outside.yaml", tmp_path / "out"
    outside.write_text("mine")
    index = {"generator": "cronops 0.1.0", "files": {"../outside.yaml": "", str(outside): ""}}
    out.mkdir()
    (out / INDEX).write_text(json.dumps(index))

    write(out, NEW)

    assert outside.read_text() == "mine"


def test_only_a_directory_of_ours_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "bin").symlink_to("/usr/bin")

    # Advice about what stands in somebody else's directory would be bad advice.
    with pytest.raises(UsageError, match=r"such as bin; name an empty directory"):
        Folder(tmp_path)


def test_what_is_kept_for_something_else_is_not_overwritten(tmp_path: Path) -> None:
    def of(name: str) -> dict[str, str]:
        return {**OLD, INDEX: json.dumps({**json.loads(OLD[INDEX]), "environment": name})}

    write(tmp_path, of("staging"))
    before = on_disk(tmp_path)

    with pytest.raises(UsageError, match=r"of staging, and is not overwritten with .* production"):
        write(tmp_path, of("production"))
    with pytest.raises(UsageError, match="not overwritten with a chart"):
        Folder(tmp_path).refuse_another(OLD)
    assert on_disk(tmp_path) == before
    assert killed(tmp_path, {**of("staging"), "new.yaml": "x"}, 8)
    with pytest.raises(UsageError, match="not overwritten"):
        write(tmp_path, of("production"))


def test_runs_at_the_same_time_write_one_after_the_other(tmp_path: Path) -> None:
    def many(text: str, *more: str) -> dict[str, str]:
        return files(**{f"schedules__{n}": text * 1000 for n in (*map(str, range(60)), *more)})

    one, two = many("one"), many("two", "besides")
    for attempt in range(10):
        out = tmp_path / str(attempt)
        children = []
        for expected in (one, two, one):
            child = os.fork()
            if child == 0:
                done = False
                with suppress(OSError):
                    write(out, expected)
                    done = True
                os._exit(not done)
            children.append(child)

        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
        assert on_disk(out) in (one, two)


def test_links_are_never_followed(tmp_path: Path) -> None:
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.mkdir()
    (elsewhere / "kept.yaml").write_text("mine")
    write(out, OLD)
    (out / "kept.yaml").unlink()
    (out / "kept.yaml").symlink_to(elsewhere / "kept.yaml")

    assert "kept.yaml" in write(out, NEW).written
    assert (elsewhere / "kept.yaml").read_text() == "mine"
    (out / "link").symlink_to(elsewhere)
    with pytest.raises(UsageError, match="a symbolic link to another directory"):
        Folder(out)
    (tmp_path / "alias").symlink_to(elsewhere)
    with pytest.raises(UsageError, match="name the directory itself"):
        Folder(tmp_path / "alias")


def test_what_is_no_directory_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")

    with pytest.raises(UsageError, match=r"such as note\.txt; name an empty directory"):
        Folder(tmp_path)
    with pytest.raises(UsageError, match="is no directory"):
        Folder(tmp_path / "note.txt")

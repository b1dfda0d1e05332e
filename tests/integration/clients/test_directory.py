"""What only a directory of this machine can be made to do: links, pipes, other file systems."""

import errno
import os
import stat
from pathlib import Path

import pytest

from cronops.clients.transfer import directory, open_transfer
from cronops.errors import BadInput, ConfigurationError, TransientError
from tests.partners import client_settings


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "root" / "in").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    return tmp_path / "root"


def opened(root: Path, path: str = "in"):
    return open_transfer(path, client_settings(), root=root)


def test_only_regular_files_are_listed_and_taken(root, tmp_path):
    inside = root / "in"
    (inside / "a.csv").write_text("a")
    (inside / "link.csv").symlink_to(tmp_path / "secret.txt")
    (inside / "directory.csv").mkdir()
    os.mkfifo(inside / "pipe.csv")

    with opened(root) as there:
        assert [file.name for file in there.list()] == ["a.csv"]
        for name in ("link.csv", "pipe.csv", "directory.csv"):
            with pytest.raises(BadInput, match="no regular file"):
                there.download(name, tmp_path / "got", limit=100)
            with pytest.raises(BadInput, match="no regular file"):
                there.move(name, "backup")
    assert not (tmp_path / "got").exists()


def test_a_directory_that_becomes_a_link_out_is_not_followed(root, tmp_path):
    with opened(root) as there:
        there.upload(tmp_path / "secret.txt", "a.csv")
        (root / "in").rename(root / "moved")
        (root / "in").symlink_to(tmp_path)
        assert [file.name for file in there.list()] == ["a.csv"]
    again = opened(root, "moved")
    (root / "moved").rename(root / "other")
    (root / "moved").symlink_to(tmp_path)
    with pytest.raises(ConfigurationError, match="moved"):
        again.__enter__()


def test_an_upload_does_not_write_through_a_link(root, tmp_path):
    (root / "in" / "a.csv").symlink_to(tmp_path / "secret.txt")
    (root / "in" / "b.csv.part").symlink_to(tmp_path / "secret.txt")
    source = tmp_path / "source"
    source.write_text("new")
    with opened(root) as there:
        there.upload(source, "a.csv")
        with pytest.raises(TransientError, match=r"b\.csv"):
            there.upload(source, "b.csv")
    assert (tmp_path / "secret.txt").read_text() == "secret"
    assert (root / "in" / "a.csv").read_text() == "new"


@pytest.mark.parametrize("aim", ["../../elsewhere", "/etc", "out"])
def test_a_move_does_not_leave_the_root(root, tmp_path, aim):
    (root / "in" / "out").symlink_to(tmp_path)
    (root / "in" / "a.csv").write_text("a")
    with opened(root) as there, pytest.raises(ConfigurationError, match="outside of"):
        there.move("a.csv", aim)
    assert (root / "in" / "a.csv").exists()


def test_a_missing_directory_is_told(root):
    with pytest.raises(ConfigurationError, match="nowhere: No such file or directory"):
        opened(root, "nowhere").__enter__()
    with pytest.raises(ConfigurationError, match="No such file"):
        opened(root / "missing").__enter__()


def grow(file: Path) -> None:
    with file.open("ab") as writer:
        writer.write(b"more")


def rewrite(file: Path) -> None:
    """With as many bytes."""
    with file.open("r+b") as writer:
        writer.write(b"other")
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))


@pytest.mark.parametrize(
    ("change", "said"), [(grow, "still being written"), (rewrite, "changed while it was read")]
)
def test_a_file_that_changes_while_it_is_read_is_not_taken(
    root, tmp_path, monkeypatch, change, said
):
    file = root / "in" / "a.csv"
    file.write_bytes(b"x" * 3 * directory.BLOCK)
    begin = directory.landing

    def landing_of_a_changing_file(*arguments, **options):
        change(file)
        return begin(*arguments, **options)

    monkeypatch.setattr(directory, "landing", landing_of_a_changing_file)
    with opened(root) as there, pytest.raises(TransientError, match=said):
        there.download("a.csv", tmp_path / "got", limit=1 << 30)
    assert not (tmp_path / "got").exists()


def test_a_move_that_was_cut_off_after_it_took_its_name_is_completed_under_it(root):
    (root / "in" / "backup").mkdir()
    (root / "in" / "backup" / "a.csv").touch()
    (root / "in" / "a.csv").write_text("a")
    with opened(root) as there:
        assert there.move("a.csv", "backup") == "a.csv"
        assert there.list() == []
    assert [file.read_text() for file in (root / "in" / "backup").iterdir()] == ["a"]


def test_a_name_that_a_directory_has_is_taken(root):
    (root / "in" / "backup" / "a.csv").mkdir(parents=True)
    (root / "in" / "a.csv").write_text("a")
    with opened(root) as there:
        assert there.move("a.csv", "backup") == "a.1.csv"


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_a_move_to_a_real_other_file_system(tmp_path, monkeypatch):
    import shutil
    import tempfile

    other = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        common = Path(os.path.commonpath([tmp_path, other]))
        (tmp_path / "a.csv").write_text("a")
        with open_transfer(str(tmp_path), client_settings(), root=common) as there:
            assert there.move("a.csv", str(other / "backup")) == "a.csv"
        assert (other / "backup" / "a.csv").read_text() == "a"
        assert list(tmp_path.iterdir()) == []
        # Killed after the copy and before the original went: no second copy is made.
        (tmp_path / "a.csv").write_text("a")
        with open_transfer(str(tmp_path), client_settings(), root=common) as there:
            assert there.move("a.csv", str(other / "backup")) == "a.csv"
        assert [file.name for file in (other / "backup").iterdir()] == ["a.csv"]
        (tmp_path / "a.csv").write_text("another")
        with open_transfer(str(tmp_path), client_settings(), root=common) as there:
            assert there.move("a.csv", str(other / "backup")) == "a.1.csv"
        assert (other / "backup" / "a.1.csv").read_text() == "another"
        # Replaced by a newer one while it is copied: the newer one stays.
        (tmp_path / "a.csv").write_text("third")
        (tmp_path / "newer").write_text("fourth")
        rename = os.rename

        def rename_and_replace(*arguments, **options):
            rename(*arguments, **options)
            (tmp_path / "newer").replace(tmp_path / "a.csv")

        with open_transfer(str(tmp_path), client_settings(), root=common) as there:
            monkeypatch.setattr(os, "rename", rename_and_replace)
            assert there.move("a.csv", str(other / "backup")) == "a.2.csv"
        assert (other / "backup" / "a.2.csv").read_text() == "third"
        assert (tmp_path / "a.csv").read_text() == "fourth"
    finally:
        shutil.rmtree(other)


def test_an_upload_is_on_the_disk_before_it_has_its_name_and_then_its_name_is(
    root, tmp_path, monkeypatch
):
    source = tmp_path / "source"
    source.write_text("new")
    done = noted(monkeypatch)
    with opened(root) as there:
        there.upload(source, "a.csv")
    assert done == ["sync file", "rename", "sync directory"]


def test_a_download_is_on_the_disk_before_it_has_its_name_and_then_its_name_is(
    root, tmp_path, monkeypatch
):
    (root / "in" / "a.csv").write_text("a")
    done = noted(monkeypatch)
    with opened(root) as there:
        there.download("a.csv", tmp_path / "got", limit=1)
    assert done == ["sync file", "rename", "sync directory"]


def noted(monkeypatch) -> list[str]:
    """What is done to the disk from now on, in order."""
    done: list[str] = []
    sync, rename, replace = os.fsync, os.rename, os.replace

    def note_sync(descriptor: int) -> None:
        is_directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        done.append("sync directory" if is_directory else "sync file")
        sync(descriptor)

    def note(action):
        def noting(*arguments, **options):
            done.append("rename")
            return action(*arguments, **options)

        return noting

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "rename", note(rename))
    monkeypatch.setattr(os, "replace", note(replace))
    return done


def test_an_export_that_changes_while_it_is_published_is_not(root, tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.write_text("new")
    sync = os.fsync

    def sync_and_grow(descriptor: int) -> None:
        sync(descriptor)
        with source.open("a") as writer:
            writer.write("er")

    (root / "in" / "a.csv").write_text("old")
    monkeypatch.setattr(os, "fsync", sync_and_grow)
    with opened(root) as there, pytest.raises(TransientError, match="changed in the meantime"):
        there.upload(source, "a.csv")
    assert (root / "in" / "a.csv").read_text() == "old"


def test_a_full_disk_leaves_the_old_file(root, tmp_path, monkeypatch):
    (root / "in" / "a.csv").write_text("old")
    source = tmp_path / "source"
    source.write_text("new")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with opened(root) as there, pytest.raises(TransientError, match="No space left"):
        there.upload(source, "a.csv")
    assert [file.name for file in (root / "in").iterdir()] == ["a.csv"]
    assert (root / "in" / "a.csv").read_text() == "old"

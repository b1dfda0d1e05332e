"""The one module that walks by descriptors."""

import os
import socket
from pathlib import Path

import pytest

from cronops.clients import confined
from cronops.clients.confined import NotAFile, directory, open_below, open_directory, open_file


def fds() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def held(tmp_path: Path):
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def test_what_lies_below_is_opened_and_what_is_missing_is_made(tmp_path: Path) -> None:
    before = fds()
    with pytest.raises(FileNotFoundError), directory(tmp_path, "a", "b"):
        pass
    with directory(tmp_path, "a", "b", make=True) as made:
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=made))
    assert (tmp_path / "a" / "b" / "file").exists()
    assert fds() == before


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc"])
def test_no_name_is_a_way(tmp_path: Path, held: int, name: str) -> None:
    before = fds()
    with pytest.raises(FileNotFoundError), directory(tmp_path, name):
        pass
    for opening in (open_file, open_directory):
        with pytest.raises(FileNotFoundError):
            opening(name, held)
    assert fds() == before


@pytest.mark.parametrize("make", [False, True])
def test_a_link_is_followed_at_the_root_only_and_only_if_that_is_wanted(
    tmp_path: Path, make: bool
) -> None:
    target = tmp_path / "target"
    (target / "a").mkdir(parents=True)
    (target / "link").symlink_to(target)
    (tmp_path / "root").symlink_to(target)
    before = fds()
    os.close(open_below(tmp_path / "root", "a", make=make))
    with pytest.raises(NotADirectoryError):
        open_below(tmp_path / "root", "a", make=make, follow_root=False)
    for parts in (("link",), ("link", "a")):
        with pytest.raises(NotADirectoryError):
            open_below(target, *parts, make=make)
    assert fds() == before


def test_passing_through_takes_no_right_to_list(tmp_path: Path) -> None:
    if os.getuid() == 0:
        pytest.skip("root may list everything")
    (tmp_path / "closed" / "open").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o111)
    with directory(tmp_path, "closed", "open"):
        pass
    (tmp_path / "closed").chmod(0o755)


def test_only_a_regular_file_is_opened(tmp_path: Path, held: int) -> None:
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    before = fds()
    for name, kind in (("link", "link"), ("directory", "a directory"), ("pipe", "a pipe")):
        with pytest.raises(NotAFile, match=kind):
            open_file(name, held)
    assert fds() == before


@pytest.mark.parametrize("what", ["link", "pipe", "socket", "directory"])
def test_what_comes_by_the_name_between_look_and_open_is_not_taken(
    tmp_path: Path, held: int, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    look, before = confined.refuse_unless_regular, fds()

    def swap(facts: os.stat_result) -> None:
        look(facts)
        monkeypatch.undo()
        file.unlink()
        if what == "link":
            file.symlink_to("/etc/hostname")
        elif what == "pipe":
            os.mkfifo(file)
        elif what == "directory":
            file.mkdir()
        else:
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(str(file))

    monkeypatch.setattr(confined, "refuse_unless_regular", swap)
    with pytest.raises(NotAFile, match=what):
        open_file("file", held)
    assert fds() == before

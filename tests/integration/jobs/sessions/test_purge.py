"""``cronops sessions purge``, as a person or a pod calls it, on real files."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from tests.integration.jobs.sessions.conftest import Sessions, age, write


def test_only_what_is_older_than_the_retention_goes(sessions: Sessions) -> None:
    sessions.add(1, 25)
    young = sessions.add(2, 23)
    write(sessions.root / "notes.txt", 1000)
    write(sessions.root / ".sess_hidden", 1000)
    done = sessions.purge()
    assert sessions.left() == [".sess_hidden", "notes.txt", young.name]
    assert "1 deleted, 1 kept" in done.stdout
    assert sessions.counts() == {"deleted": 1, "kept": 1}
    # A repeat finds nothing.
    sessions.purge()
    assert sessions.counts() == {"kept": 1}


def test_whatever_is_no_regular_file_stays(sessions: Sessions) -> None:
    outside = write(sessions.root.parent / "sess_outside", 1000)
    (sessions.root / "sess_link").symlink_to(outside)
    (sessions.root / "sess_dangling").symlink_to("nowhere")
    (sessions.root / "sess_directory").mkdir()
    write(sessions.root / "sess_directory" / "sess_1", 1000)
    os.mkfifo(sessions.root / "sess_pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(sessions.root / "sess_socket"))
    for path in sessions.root.iterdir():
        age(path, 1000)
    before = sessions.left()
    sessions.purge()
    assert sessions.left() == before
    assert outside.exists()
    assert sessions.counts() == {"other": 5}


def test_a_hard_link_goes_and_its_file_stays(sessions: Sessions) -> None:
    elsewhere = write(sessions.root.parent / "kept", 1000)
    os.link(elsewhere, sessions.root / "sess_1")
    sessions.purge()
    assert sessions.left() == []
    assert elsewhere.read_bytes() == b"user|i:1;"


def test_a_time_in_the_future_keeps_the_file_and_is_told(sessions: Sessions) -> None:
    sessions.add(1, -48)
    done = sessions.purge()
    assert sessions.counts() == {"kept": 1, "future": 1}
    assert "1 session files were written in the future" in done.stdout + done.stderr


def test_names_that_are_no_text(sessions: Sessions) -> None:
    for name in (b"sess_\xff\xfe", b"sess_a\nb", b"sess_" + b"x" * 250):
        path = os.fsencode(sessions.root) + b"/" + name
        Path(os.fsdecode(path)).write_bytes(b"")
        os.utime(path, (0, 0))
    shown = sessions.purge("--dry-run").stderr
    assert "\\xff" in shown
    sessions.purge()
    assert sessions.left() == []


def test_a_dry_run_shows_some_and_deletes_nothing(sessions: Sessions) -> None:
    for number in range(20):
        sessions.add(number, 25 + number)
    done = sessions.purge("--dry-run")
    assert len(sessions.left()) == 20
    assert "20 deleted" in done.stdout
    assert "dry run: nothing was deleted" in done.stdout + done.stderr
    # A session's id is as good as its owner's password: only its beginning is shown.
    assert done.stderr.count("would delete") == 10
    assert "sess_0000..." in done.stderr
    assert "sess_00000" not in done.stderr + done.stdout


def test_a_run_deletes_no_more_than_it_may_and_the_next_goes_on(sessions: Sessions) -> None:
    for number in range(7):
        sessions.add(number, 25)
    done = sessions.purge(env={"CRONOPS_SESSIONS__MAX_FILES": "4"})
    assert len(sessions.left()) == 3
    assert "there are more than 4 old session files" in done.stdout + done.stderr
    done = sessions.purge(env={"CRONOPS_SESSIONS__MAX_FILES": "3"})
    assert sessions.left() == []
    assert "there are more than" not in done.stdout + done.stderr


def test_levels_of_directories_as_php_makes_them(sessions: Sessions) -> None:
    for place in ("a/b", "a/,", "Z", "a/b/c", "ab"):
        (sessions.root / place).mkdir(parents=True, exist_ok=True)
        write(sessions.root / place / "sess_old", 25)
        write(sessions.root / place / "sess_young", 1)
    outside = sessions.root.parent / "elsewhere"
    outside.mkdir()
    write(outside / "sess_1", 1000)
    (sessions.root / "x").symlink_to(outside)
    sessions.purge()
    assert sessions.counts() == {}
    sessions.purge(env={"CRONOPS_SESSIONS__DEPTH": "2"})
    assert sessions.counts() == {"deleted": 3, "kept": 3, "other": 1}
    left = [name for name in sessions.left() if name.endswith("sess_old")]
    assert left == ["a/b/c/sess_old", "ab/sess_old"]
    assert (outside / "sess_1").exists()


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DIRECTORY", "/etc", "lies outside of what CRONOPS_SESSIONS__ALLOWED allows"),
        ("DIRECTORY", "{root}/link", "is a symbolic link or no directory"),
        ("MAX_AGE", "0", "must be at least 1m"),
    ],
)
def test_settings_that_could_delete_something_else_are_refused(
    sessions: Sessions, variable: str, value: str, said: str
) -> None:
    sessions.add(1, 25)
    target = sessions.root.parent / "target"
    target.mkdir()
    write(target / "sess_1", 1000)
    (sessions.root / "link").symlink_to(target)
    before = sessions.left()
    env = {f"CRONOPS_SESSIONS__{variable}": value.replace("{root}", str(sessions.root))}
    refused = sessions.purge(env=env, code=78)
    assert said in refused.stderr
    assert sessions.left() == before
    assert (target / "sess_1").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a directory that is another's")
def test_what_may_not_be_deleted_fails_the_run_after_the_rest(sessions: Sessions) -> None:
    (sessions.root / "a").mkdir()
    (sessions.root / "b").mkdir()
    for number in range(3):
        write(sessions.root / "a" / f"sess_{number}", 25)
        write(sessions.root / "b" / f"sess_{number}", 25)
    subprocess.run(["chattr", "+i", sessions.root / "a"], check=False)
    immutable = subprocess.run(
        ["rm", sessions.root / "a" / "sess_0"], check=False, capture_output=True
    )
    if immutable.returncode == 0:
        pytest.skip("this file system has no immutable directories")
    try:
        failed = sessions.purge(env={"CRONOPS_SESSIONS__DEPTH": "1"}, code=1)
    finally:
        subprocess.run(["chattr", "-i", sessions.root / "a"], check=True)
    assert sessions.left() == ["a", "a/sess_0", "a/sess_1", "a/sess_2", "b"]
    assert "3 session files or directories could not be deleted" in failed.stderr
    assert sessions.counts() == {"deleted": 3, "denied": 3}

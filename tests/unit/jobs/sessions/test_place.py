"""Which directories may be purged."""

import json
from pathlib import Path

import pytest

from cronops.config import load_settings
from cronops.errors import ConfigurationError
from cronops.jobs.sessions.place import check_place, opened

ALLOWED = [Path("/srv/sessions"), Path("/var/lib/php")]


@pytest.mark.parametrize("directory", ["/srv/sessions", "/srv/sessions/a/b", "/var/lib/php/x"])
def test_what_is_allowed_and_what_lies_below(directory: str) -> None:
    check_place(Path(directory), ALLOWED)


@pytest.mark.parametrize(
    ("directory", "said"),
    [
        ("/", "never purged"),
        ("", "must be absolute"),
        ("sessions", "must be absolute"),
        ("//srv/sessions", "must be absolute"),
        ("/srv/sessions/../../etc", r"must not hold '\.\.'"),
        ("/srv/sessions/..", r"must not hold '\.\.'"),
        ("/srv/sessions2", "lies outside of"),
        ("/srv", "lies outside of"),
        ("/etc", "lies outside of"),
    ],
)
def test_what_is_not(directory: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        check_place(Path(directory), ALLOWED)


def test_nothing_is_allowed_by_an_empty_list_or_by_the_root_of_all() -> None:
    for allowed in ([], [Path("/")]):
        with pytest.raises(ConfigurationError, match="lies outside of"):
            check_place(Path("/srv/sessions"), allowed)


def test_no_link_on_the_way_is_followed(tmp_path: Path) -> None:
    target = tmp_path / "target" / "below"
    target.mkdir(parents=True)
    (tmp_path / "link").symlink_to(target.parent)
    (target / "last").symlink_to(target)
    (tmp_path / "file").touch()
    for place in (tmp_path / "link", tmp_path / "link" / "below", target / "last"):
        with pytest.raises(ConfigurationError, match="symbolic link"), opened(place):
            raise AssertionError("it was opened")
    for place, said in ((tmp_path / "file", "no directory"), (tmp_path / "gone", "is it mounted")):
        with pytest.raises(ConfigurationError, match=said), opened(place):
            raise AssertionError("it was opened")
    with opened(target):
        pass


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ALLOWED", '["/"]', "not / itself"),
        ("ALLOWED", '["here"]', "must be absolute"),
        ("ALLOWED", '["/srv/../etc"]', "must be absolute, without"),
        ("ALLOWED", '"/srv"', "must be a JSON list"),
        ("ALLOWED", "[1]", "must be a JSON list"),
        ("MAX_AGE", "0", "would be logged out"),
        ("MAX_AGE", "-1h", "sessions.max_age"),
        ("PATTERN", "*", "begins with a letter"),
        ("PATTERN", "?ess_*", "begins with a letter"),
        ("PATTERN", "sess_/*", "without /"),
        ("MAX_FILES", "0", "must be at least 1"),
        ("DEPTH", "-1", "must be at least 0"),
        ("DEPTH", "9", "at most 8"),
    ],
)
def test_settings_that_are_refused(name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        load_settings({f"CRONOPS_SESSIONS__{name}": value})


def test_a_list_of_directories() -> None:
    found = load_settings({"CRONOPS_SESSIONS__ALLOWED": json.dumps(["/srv/a", "/srv/b/"])})
    assert found.settings.sessions.allowed == [Path("/srv/a"), Path("/srv/b")]

"""Places as operators write them: what is meant, and what is refused in which words."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronops.clients.transfer import check_location, open_transfer
from cronops.clients.transfer.location import confined, read_location
from cronops.config import Settings
from cronops.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "path", "shown"),
    [
        ("incoming/acme", "file", "", 0, "incoming/acme", "incoming/acme"),
        ("/data/in", "file", "", 0, "/data/in", "/data/in"),
        ("file:///data/in%20bound", "file", "", 0, "/data/in bound", "/data/in bound"),
        ("sftp://a.example/in", "sftp", "a.example", 22, "/in", "sftp://a.example/in"),
        ("SFTP://A.example:2222/in/", "sftp", "a.example", 2222, "/in", "sftp://a.example:2222/in"),
        ("sftp://a.example", "sftp", "a.example", 22, "/", "sftp://a.example/"),
        ("sftp://a.example/~/in", "sftp", "a.example", 22, "in", "sftp://a.example/~/in"),
        ("sftp://a.example/~", "sftp", "a.example", 22, ".", "sftp://a.example/~"),
        ("ftps://[::1]:990/a/../b", "ftps", "::1", 990, "/b", "ftps://[::1]:990/b"),
        ("ftp://a.example/%C3%A4", "ftp", "a.example", 21, "/ä", "ftp://a.example/ä"),
        ("https://h/a%2Fb.csv", "https", "h", 443, "/a%2Fb.csv", "https://h/a%2Fb.csv"),
        ("https://a.example/x.csv?v=1", "https", "a.example", 443, "/x.csv", None),
    ],
)
def test_places(text, scheme, host, port, path, shown):
    found = read_location(text)
    assert (found.scheme, found.host, found.port, found.path) == (scheme, host, port, path)
    assert found.shown == (shown or "https://a.example/x.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "give a directory, or a URL such as"),
        (" /in", "blanks at its ends"),
        ("/in\nbound", "control characters are refused"),
        ("sftp://user:pass@a.example/in", "a user or password inside the URL is refused"),
        ("sftp://user@a.example/in", "a user or password inside the URL is refused"),
        ("stfp://a.example/in", "did you mean sftp://"),
        ("s3://bucket/in", "s3:// is not known here: file, sftp, ftps, ftp and https are"),
        ("http://a.example/in", "only https is taken"),
        ("sftp:///in", "it names no host"),
        ("sftp://a.example:99999/in", "it is no URL"),
        ("sftp://a.example:0/in", "0 is no port"),
        ("sftp://a.example/in?x=1", "is written %3F"),
        ("sftp://a.example/in#x", "is written %3F"),
        ("sftp://a.example/in%0D%0ADELE", "control characters in a path"),
        ("sftp://a.example/in%00", "control characters in a path"),
        ("sftp://a.example/~/../other", "may not leave the login's home"),
        ("file://server/share", "three slashes"),
        ("file://", "names no directory"),
        ("https://a.example/x.csv?apikey=123", r"write apikey=\{token\} in its place"),
        ("../outside", "lies outside of"),
        ("/etc", "lies outside of"),
        ("file:///etc", "lies outside of"),
        ("in/../../outside", "lies outside of"),
        ("out", "lies outside of"),
        ("loop", "loop"),
    ],
)
def test_what_is_refused_and_why(tmp_path, text, said):
    root = tmp_path / "root"
    root.mkdir()
    (root / "out").symlink_to(tmp_path)
    (root / "loop").symlink_to("loop")
    with pytest.raises(ValueError, match=said):
        check_location(text, root=root)
    with pytest.raises(ConfigurationError, match=said):
        open_transfer(text, Settings(), root=root)


def test_a_password_is_in_no_error():
    url = "sftp://user:s3cret@a.example/in?token=s3cret"
    with pytest.raises(ConfigurationError) as raised:
        open_transfer(url, Settings(), root=Path("/nowhere"))
    assert str(raised.value).startswith("sftp://a.example/in: a user or password")
    assert "s3cret" not in str(raised.value)


def test_checking_connects_to_nothing_and_needs_no_directory(tmp_path):
    check_location("sftp://nowhere.invalid/in", root=tmp_path)
    check_location("https://nowhere.invalid/x.csv?key={token}&v=2", root=tmp_path)
    check_location("not/there/yet", root=tmp_path / "neither")


def test_a_link_that_stays_below_the_root_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to("real")
    assert confined("alias", tmp_path) == tmp_path.resolve() / "real"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30), st.sampled_from(["", "sftp://h/", "file:///", "https://h/", "ftp://"]))
def test_every_text_is_a_place_or_refused_in_words(text, before):
    try:
        assert read_location(before + text).shown
    except ValueError as error:
        said = str(error)
        assert said

"""Files over HTTPS: what a web server can do, and what it is not asked for."""

import pytest

from cronops.clients.transfer import open_transfer
from cronops.errors import ConfigurationError, PermanentError, TransientError
from tests.partners import Reply, client_settings, https_file_server, https_server


def opened(server, root, path: str = "/", **options):
    return open_transfer(server.url + path, client_settings(server), root=root, **options)


def test_a_url_of_one_file_lists_it_and_a_slash_at_the_end_cannot(tmp_path):
    (tmp_path / "stock ü.csv").write_text("12345")
    with https_file_server(tmp_path) as server:
        with opened(server, tmp_path, "/stock%20%C3%BC.csv") as there:
            [found] = there.list("*.csv")
            assert (found.name, found.size) == ("stock ü.csv", 5)
            assert found.modified is not None
            assert there.list("*.xml") == []
            assert there.download("stock ü.csv", tmp_path / "got", limit=5) == found
            with pytest.raises(ConfigurationError, match="end the URL with a slash"):
                there.download("other.csv", tmp_path / "got", limit=5)
        with (
            opened(server, tmp_path) as there,
            pytest.raises(ConfigurationError, match="does not list what it has"),
        ):
            there.list()


def test_nothing_is_moved(tmp_path):
    with (
        https_file_server(tmp_path) as server,
        opened(server, tmp_path) as there,
        pytest.raises(ConfigurationError, match=r"cannot move a\.csv to backup"),
    ):
        there.move("a.csv", "backup")
    assert server.requests == []


def test_a_server_that_does_not_know_head_is_asked_by_get(tmp_path):
    def answer(request):
        return Reply(status=405) if request.method == "HEAD" else Reply(b"12345")

    with https_server(answer) as server, opened(server, tmp_path, "/a.csv") as there:
        [found] = there.list()
        assert (found.size, found.modified) == (None, None)
        assert there.download("a.csv", tmp_path / "got", limit=5).size == 5


@pytest.mark.parametrize("name", ["key", "customer"])
def test_a_token_in_the_query_comes_from_the_credential_and_is_in_no_error(tmp_path, name):
    with https_server(lambda _: Reply(status=403), credential={"token": "t0p/s3cret"}) as server:
        with (
            opened(server, tmp_path, f"/a.csv?v=1&{name}={{token}}", credential="partner") as there,
            pytest.raises(ConfigurationError, match="answered 403") as raised,
        ):
            there.download("a.csv", tmp_path / "got", limit=5)
        assert server.requests[0].path == f"/a.csv?v=1&{name}=t0p%2Fs3cret"
        assert "Authorization" not in server.requests[0].headers
    assert "s3cret" not in str(raised.value) + there.where


def test_a_place_for_a_token_needs_one(tmp_path):
    with pytest.raises(ConfigurationError, match="has a place for"):
        open_transfer("https://h/a.csv?key={token}", client_settings(), root=tmp_path)


def test_an_upload_that_arrived_in_part_is_noticed(tmp_path):
    def answer(request):
        return Reply(b"part") if request.method == "HEAD" else Reply(status=201)

    source = tmp_path / "source"
    source.write_text("the whole")
    with (
        https_server(answer) as server,
        opened(server, tmp_path) as there,
        pytest.raises(TransientError, match=r"a\.csv has 4 bytes there and 9 here"),
    ):
        there.upload(source, "a.csv")


@pytest.mark.parametrize("status", [403, 404, 405])
def test_a_letter_box_takes_files_and_shows_none(tmp_path, status):
    def answer(request):
        return Reply(status=201 if request.method == "PUT" else status)

    source = tmp_path / "source"
    source.write_text("x")
    with https_server(answer) as server, opened(server, tmp_path) as there:
        there.upload(source, "a.csv")
    assert server.requests[0].body == b"x"


def test_a_redirect_to_a_login_elsewhere_is_no_file(tmp_path):
    reply = Reply(status=302, headers={"Location": "https://login.example/"})
    with (
        https_server(lambda _: reply) as server,
        opened(server, tmp_path) as there,
        pytest.raises(PermanentError, match=r"redirects to https://login\.example:443"),
    ):
        there.download("a.csv", tmp_path / "got", limit=100)
    assert not (tmp_path / "got").exists()

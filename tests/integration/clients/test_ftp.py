"""What only FTP servers do: old dialects, names in use, TLS that is half there."""

import logging
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cronops.clients.transfer import open_transfer
from cronops.clients.transfer.ftp.replies import text_of
from cronops.errors import BadInput, ConfigurationError, TransientError
from tests.partners import client_settings, ftp_server


def opened(server, path: str = "", **limits):
    return open_transfer(
        server.url + path,
        client_settings(server, **limits),
        root=Path("/nowhere"),
        credential="partner",
        pause=lambda _: True,
    )


@pytest.mark.parametrize(
    "without",
    [
        (),
        ("MLSD", "MLST"),
        ("MLSD", "MLST", "MDTM"),
        ("MLSD", "MLST", "SIZE"),
        ("MLSD", "MLST", "SIZE", "MDTM", "FEAT", "OPTS"),
    ],
    ids="-".join,
)
def test_servers_of_every_age_list_fetch_publish_and_move(tmp_path, without):
    files = tmp_path / "there"
    (files / "directory.csv").mkdir(parents=True)
    (files / "Bestände vom 3. Mai.csv").write_text("12345")
    source = tmp_path / "source"
    source.write_text("new")
    with ftp_server(files, without=without) as server, opened(server) as there:
        [found] = there.list("*.csv")
        assert (found.name, found.size) == ("Bestände vom 3. Mai.csv", 5)
        assert (found.modified is None) == ("MDTM" in without or "SIZE" in without)
        there.download(found.name, tmp_path / "got", limit=5)
        there.upload(source, "export.csv")
        assert there.move(found.name, "backup") == found.name
        with pytest.raises(BadInput, match="no such file"):
            there.move(found.name, "backup")
        assert [file.name for file in there.list()] == ["export.csv"]
    assert (tmp_path / "got").read_text() == "12345"
    assert (files / "export.csv").read_text() == "new"


def test_a_server_whose_rename_does_not_overwrite_gets_the_new_file_all_the_same(tmp_path):
    files = tmp_path / "there"
    files.mkdir()
    (files / "a.csv").write_text("old")
    source = tmp_path / "source"
    source.write_text("new")
    with ftp_server(files, overwrites=False) as server, opened(server) as there:
        there.upload(source, "a.csv")
        there.upload(source, "b.csv")
    assert {file.name: file.read_text() for file in files.iterdir()} == dict.fromkeys(
        ("a.csv", "b.csv"), "new"
    )


def test_the_data_goes_on_with_the_tls_session_of_the_control_connection(tmp_path):
    (tmp_path / "a.csv").write_text("a")
    with (
        ftp_server(tmp_path, tls=True, wants_known_session=True) as server,
        opened(server) as there,
    ):
        assert [file.name for file in there.list()] == ["a.csv"]
        there.upload(tmp_path / "a.csv", "b.csv")
    assert server.reused_sessions == [True, True]
    assert "PROT P" in server.commands


def test_ftps_at_a_server_without_tls_sends_no_password(tmp_path):
    with ftp_server(tmp_path) as server:
        server.scheme = "ftps"
        with pytest.raises(ConfigurationError, match="the server offers no TLS"):
            opened(server).__enter__()
    assert server.commands == ["AUTH TLS"]


def test_what_is_larger_than_the_limit_is_not_even_asked_for(tmp_path):
    (tmp_path / "a.csv").write_text("12345")
    with (
        ftp_server(tmp_path) as server,
        opened(server) as there,
        pytest.raises(BadInput, match="larger than 4 bytes"),
    ):
        there.download("a.csv", tmp_path / "got", limit=4)
    assert [line for line in server.commands if line.startswith("RETR")] == []


def test_ftp_in_clear_is_warned_of_once(tmp_path, caplog):
    with ftp_server(tmp_path) as server, caplog.at_level(logging.WARNING):
        for _ in range(2):
            with opened(server):
                pass
    said = [record.getMessage() for record in caplog.records if "in clear" in record.getMessage()]
    assert said == [
        f"{server.url} is FTP without TLS: the password and every file go in clear; "
        "ask for ftps or sftp"
    ]


def test_without_a_credential_it_is_anonymous(tmp_path):
    (tmp_path / "a.csv").write_text("a")
    with ftp_server(tmp_path, user="anonymous", password="", permissions="elr") as server:
        there = open_transfer(server.url, client_settings(), root=tmp_path)
        with there:
            assert [file.name for file in there.list()] == ["a.csv"]


def test_names_in_another_encoding_than_utf8_are_told(tmp_path):
    (tmp_path / "Bestände.csv").write_text("x")
    with (
        ftp_server(tmp_path, encoding="latin-1") as server,
        opened(server) as there,
        pytest.raises(BadInput, match="another encoding than UTF-8"),
    ):
        there.list()


@pytest.mark.parametrize("greeting", ["Willkommen für alle", "日本語", "\x1b[2J"])
def test_a_greeting_in_any_encoding_is_none_of_our_affair(tmp_path, greeting):
    encoding = "latin-1" if greeting.startswith("W") else "utf8"
    with (
        ftp_server(tmp_path, greeting=greeting.encode(encoding)) as server,
        opened(server) as there,
    ):
        assert list(there.list()) == []


def test_a_home_with_umlauts_is_gone_back_to(tmp_path):
    (tmp_path / "Bestände" / "Früher").mkdir(parents=True)
    for name in ("a.csv", "b.csv"):
        (tmp_path / "Bestände" / name).write_text(name)
    with ftp_server(tmp_path) as server, opened(server, "Best%C3%A4nde") as there:
        for name in ("a.csv", "b.csv"):
            assert there.move(name, "Früher") == name


def test_what_a_server_says_is_shown_as_it_was_meant_and_on_one_line(tmp_path):
    with (
        ftp_server(tmp_path, greeting=b"ready") as server,
        pytest.raises(ConfigurationError, match=r"no such directory .*\(550 "),
    ):
        opened(server, "Best%C3%A4nde").__enter__()
    assert text_of("550 B\u00c3\u00a4nde\r\n\x1b[2J\0 gone") == "550 Bände [2J gone"
    assert text_of("550 Bände") == "550 Bände"
    assert len(text_of("x" * 5000)) == 200


def test_a_login_that_may_not_write_is_told(tmp_path):
    source = tmp_path / "source"
    source.write_text("x")
    (tmp_path / "there").mkdir()
    with (
        ftp_server(tmp_path / "there", permissions="elr") as server,
        opened(server) as there,
        pytest.raises(ConfigurationError, match=r"b\.csv: .*not let this login .*550"),
    ):
        there.upload(source, "b.csv")


def test_a_greeting_without_end_is_given_up_after_the_whole_time():
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                while True:
                    connection.sendall(b"220-welcome\r\n")
                    time.sleep(0.05)

        greeting = threading.Thread(target=greet)
        greeting.start()
        began = time.monotonic()
        there = open_transfer(
            f"ftp://127.0.0.1:{listening.getsockname()[1]}/",
            client_settings(total_timeout="1s", attempts=3),
            root=Path("/nowhere"),
        )
        with pytest.raises(TransientError, match="not done within 1s"):
            there.__enter__()
        assert time.monotonic() - began < 15
        greeting.join()


def test_the_directory_is_the_one_of_the_url(tmp_path):
    (tmp_path / "in bound").mkdir()
    (tmp_path / "in bound" / "a.csv").write_text("a")
    with ftp_server(tmp_path) as server:
        for path in ("in%20bound", "~/in%20bound/"):
            with opened(server, path) as there:
                assert [file.name for file in there.list()] == ["a.csv"]

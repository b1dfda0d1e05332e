"""Exports to real servers, which take them, cut, stall, fill up, or are not who they say."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from pyftpdlib.handlers import FTPHandler

from tests.commands import CommandLine
from tests.databases import Database
from tests.integration.jobs.stock.exports import add_export, runs
from tests.partners import (
    CUT,
    STALL,
    Reply,
    Trouble,
    ftp_server,
    https_file_server,
    https_server,
    new_key,
    sftp_server,
)

SECRET = "hidden away"


@pytest.fixture
def partner(tmp_path: Path) -> Iterator[Path]:
    """The directory that the partner's server is over."""
    directory = tmp_path / "partner"
    directory.mkdir()
    return directory


def environment(server: Any, **credential: str) -> dict[str, str]:
    """For a command that is to know the server."""
    known = {**(getattr(server, "credential", None) or {}), **credential}
    env = {
        "CRONOPS_CLIENTS__CREDENTIALS": json.dumps({"partner": known}),
        "CRONOPS_CLIENTS__READ_TIMEOUT": "1s",
        "CRONOPS_CLIENTS__CONNECT_TIMEOUT": "2s",
        "CRONOPS_CLIENTS__ATTEMPTS": "1",
    }
    if server.ca_file is not None:
        env["CRONOPS_CLIENTS__CA_FILE"] = str(server.ca_file)
    return env


SERVERS: list[tuple[str, Callable[..., AbstractContextManager[Any]]]] = [
    ("sftp", sftp_server),
    ("ftp", ftp_server),
    ("ftps", lambda directory: ftp_server(directory, tls=True)),
    ("https", https_file_server),
]


@pytest.mark.parametrize(("kind", "serve"), SERVERS, ids=[kind for kind, _ in SERVERS])
def test_it_arrives(
    goods: Database,
    cli: CommandLine,
    partner: Path,
    kind: str,
    serve: Callable[..., AbstractContextManager[Any]],
) -> None:
    with serve(partner) as server:
        credential = "partner" if getattr(server, "credential", None) else None
        add_export(goods, transport=server.url, credential=credential)
        done = cli("stock", "export", env=environment(server))
        assert done.returncode == 0, done.stderr
        again = cli("stock", "export", env=environment(server))
    assert "1 unchanged" in again.stdout
    assert {file.name for file in partner.iterdir()} == {"stock_1.csv"}
    assert (partner / "stock_1.csv").read_bytes().startswith(b"number;ean;")
    assert runs(goods, "state") == [("delivered",), ("unchanged",)]


@pytest.mark.parametrize(
    ("how", "serve"),
    [(CUT, sftp_server), (STALL, sftp_server), (CUT, ftp_server)],
    ids=["sftp cut", "sftp stalled", "ftp cut"],
)
def test_what_was_cut_off_or_stalled_is_sent_by_the_next_attempt(
    goods: Database,
    cli: CommandLine,
    partner: Path,
    how: str,
    serve: Callable[..., AbstractContextManager[Any]],
) -> None:
    (partner / "stock_1.csv").write_bytes(b"the last good one")
    with serve(partner, trouble=Trouble("upload", how, times=1, after=0)) as server:
        add_export(goods, transport=server.url, credential="partner")
        done = cli("stock", "export", env=environment(server))

    assert done.returncode == 0, done.stderr
    # Failed, and sent again: nobody knew what had arrived.
    assert runs(goods, "state") == [("failed",), ("delivered",)]
    assert (partner / "stock_1.csv").read_bytes().startswith(b"number;ean;")


def test_a_server_that_is_full_keeps_the_last_good_one_and_the_reason_is_recorded(
    goods: Database, cli: CommandLine
) -> None:
    with https_server(lambda _: Reply(status=507, body=b"quota exceeded")) as server:
        add_export(goods, transport=server.url)
        done = cli("stock", "export", env=environment(server))

    assert done.returncode != 0
    assert "1 of 1 exports failed: export 1 'export 1'" in done.stderr
    state, reason, file = runs(goods, "state", "reason", "file")[0]
    assert state == "failed"
    assert "507" in reason
    assert file is not None  # it is good: it can be sent again


def test_a_wrong_host_key_is_not_spoken_to(
    goods: Database, cli: CommandLine, partner: Path
) -> None:
    other = new_key()
    with sftp_server(partner) as server:
        add_export(goods, transport=server.url, credential="partner")
        env = environment(
            server, host_key=f"{other.get_name()} {other.get_base64()}", password=SECRET
        )
        done = cli("stock", "export", env=env)

    assert done.returncode == 78, done.stderr
    assert list(partner.iterdir()) == []
    assert "host key" in runs(goods, "reason")[0][0]
    assert SECRET not in done.stderr


def test_a_wrong_certificate_is_not_spoken_to(
    goods: Database, cli: CommandLine, partner: Path
) -> None:
    with https_file_server(partner) as server:
        add_export(goods, transport=server.url)
        env = environment(server)
        del env["CRONOPS_CLIENTS__CA_FILE"]
        done = cli("stock", "export", env=env)

    assert done.returncode == 78, done.stderr
    assert list(partner.iterdir()) == []
    assert "certificate" in runs(goods, "reason")[0][0]


def test_a_login_that_is_wrong_is_told_without_its_secret(
    goods: Database, cli: CommandLine, partner: Path
) -> None:
    with ftp_server(partner) as server:
        add_export(goods, transport=server.url, credential="partner")
        done = cli("stock", "export", env=environment(server, password=SECRET))

    assert done.returncode == 78, done.stderr
    [(reason,)] = runs(goods, "reason")
    assert SECRET not in done.stderr + reason


def test_a_reply_that_repeats_the_password_is_not_recorded(
    goods: Database, cli: CommandLine, partner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        FTPHandler, "ftp_PASS", lambda self, line: self.respond(f"530 {line} is wrong.")
    )
    with ftp_server(partner) as server:
        add_export(goods, transport=server.url, credential="partner")
        done = cli("stock", "export", env=environment(server, password=SECRET))

    assert done.returncode == 78, done.stderr
    [(reason,)] = runs(goods, "reason")
    assert "is wrong" in reason
    assert SECRET not in done.stderr + reason

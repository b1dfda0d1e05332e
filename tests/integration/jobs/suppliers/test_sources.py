"""Files that are fetched: from a directory and over HTTPS; what is done with them there."""

import json
import os
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from tests.integration.jobs.suppliers.conftest import HEADER, Suppliers
from tests.partners import CUT, Reply, Trouble, ftp_server, https_server, sftp_server

CONTENT = f"{HEADER}A1;;;5;;\n".encode()
LAST_MODIFIED = {"Last-Modified": formatdate(1_700_000_000, usegmt=True)}


@pytest.fixture
def partner(suppliers: Suppliers) -> Path:
    directory = suppliers.root / "partner"
    directory.mkdir(parents=True)
    return directory


def put(directory: Path, name: str, *rows: str, age: int) -> Path:
    path = directory / name
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    moment = path.stat().st_mtime - age
    os.utime(path, (moment, moment))
    return path


def test_only_the_newest_full_file_is_fetched_and_all_are_moved_aside(
    suppliers: Suppliers, partner: Path
) -> None:
    suppliers.add(1, source="partner")
    put(partner, "old.csv", "A1;;;1;;", age=900)
    put(partner, "new.csv", "A1;;;2;;", age=800)
    put(partner, "prices.txt", "x", age=700)

    suppliers.run("--supplier=1")

    assert suppliers.stock(1) == {"A1": 2}
    assert suppliers.results(1) == [("new.csv", "imported")]
    assert sorted(path.name for path in partner.iterdir()) == ["backup", "prices.txt"]
    assert sorted(path.name for path in (partner / "backup").iterdir()) == ["new.csv", "old.csv"]


def test_a_rejected_file_is_moved_aside_as_well(suppliers: Suppliers, partner: Path) -> None:
    suppliers.add(1, source="partner")
    put(partner, "stock.csv", age=900)

    suppliers.run("--supplier=1", code=65)

    assert [path.name for path in (partner / "backup").iterdir()] == ["stock.csv"]
    assert suppliers.files(1, "rejected") == ["stock.csv"]


def test_a_directory_outside_the_root_is_refused(suppliers: Suppliers) -> None:
    suppliers.add(1, source="/etc")

    assert "lies outside" in suppliers.run("--supplier=1", code=78).told


def client_env(server: Any, *, token: str = "") -> dict[str, str]:
    """The environment of a run that knows the server of a test."""
    credential = getattr(server, "credential", None) or {"token": token}
    env = {
        "CRONOPS_CLIENTS__CREDENTIALS": json.dumps({"nord": credential}),
        "CRONOPS_CLIENTS__ATTEMPTS": "1",
        "CRONOPS_CLIENTS__READ_TIMEOUT": "1s",
    }
    if server.ca_file is not None:
        env["CRONOPS_CLIENTS__CA_FILE"] = str(server.ca_file)
    return env


SERVERS = {
    "sftp": sftp_server,
    "ftps": lambda directory, **options: ftp_server(directory, tls=True, **options),
    "ftp": ftp_server,
}


@pytest.mark.parametrize("kind", SERVERS)
def test_files_of_a_server_are_fetched_and_moved_aside(
    suppliers: Suppliers, tmp_path: Path, kind: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    put(outside, "old.csv", "A1;;;1;;", age=900)
    put(outside, "new.csv", "A1;;;2;;", age=800)
    with SERVERS[kind](outside) as server:
        suppliers.add(1, source=server.url, credential="nord")

        done = suppliers.command("--supplier=1", env=client_env(server))

    assert suppliers.stock(1) == {"A1": 2}
    assert sorted(path.name for path in (outside / "backup").iterdir()) == ["new.csv", "old.csv"]
    assert "pass word" not in done.stdout + done.stderr


def test_a_connection_that_is_cut_leaves_no_part_and_the_next_run_fetches_it(
    suppliers: Suppliers, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    put(outside, "stock.csv", *(f"A{n};;;1;;" for n in range(20_000)), age=900)
    with sftp_server(outside, trouble=Trouble("download", CUT, times=1)) as server:
        suppliers.add(1, source=server.url, credential="nord")
        env = client_env(server)

        suppliers.command("--supplier=1", code=75, env=env)
        assert suppliers.stock(1) == {}
        assert (outside / "stock.csv").exists()
        suppliers.command("--supplier=1", env=env)

    assert len(suppliers.stock(1)) == 20_000


def test_where_moving_fails_the_import_stands_and_the_next_run_moves_it(
    suppliers: Suppliers, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    put(outside, "stock.csv", "A1;;;1;;", age=900)
    with sftp_server(outside, trouble=Trouble("rename", CUT, times=1)) as server:
        suppliers.add(1, source=server.url, credential="nord")
        env = client_env(server)

        done = suppliers.command("--supplier=1", env=env)
        assert "stay where they were fetched from" in done.stderr
        assert suppliers.stock(1) == {"A1": 1}
        suppliers.command("--supplier=1", env=env)

    assert suppliers.results(1) == [("stock.csv", "imported")]
    assert [path.name for path in (outside / "backup").iterdir()] == ["stock.csv"]


def test_https_is_fetched_once_until_it_changes(suppliers: Suppliers) -> None:
    with https_server(lambda _: Reply(CONTENT, headers=LAST_MODIFIED)) as server:
        suppliers.add(1, source=f"{server.url}/out/stock.csv", credential="nord")
        env = client_env(server, token="s3cret-t0ken")

        suppliers.command("--supplier=1", env=env)
        done = suppliers.command("--supplier=1", env=env)

        assert suppliers.stock(1) == {"A1": 5}
        assert [one.method for one in server.requests].count("GET") == 1
        assert server.requests[0].headers["Authorization"] == "Bearer s3cret-t0ken"
        assert "s3cret" not in done.stdout + done.stderr
        assert suppliers.results(1) == [("stock.csv", "imported")]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(CONTENT, cut_after=10), 75),
        (Reply(CONTENT, stall_after=10), 75),
        (Reply(b"<html>please log in</html>", headers=LAST_MODIFIED), 65),
        (Reply(b"", status=503), 75),
        (Reply(b"", status=401), 78),
        (Reply(b"", status=302, headers={"Location": "https://elsewhere.example/"}), None),
    ],
    ids=["cut", "stalled", "html", "busy", "login", "redirected"],
)
def test_a_server_that_misbehaves_changes_no_stock(
    suppliers: Suppliers, reply: Reply, code: int | None
) -> None:
    with https_server(lambda _: reply) as server:
        suppliers.add(1, source=f"{server.url}/stock.csv")

        done = suppliers.command("--supplier=1", code=None, env=client_env(server))

    assert done.returncode in ((code,) if code else (1, 65, 75, 78))
    assert suppliers.stock(1) == {}
    assert not list((suppliers.home(1) / "incoming").glob("*.csv"))

"""Files that are fetched: from a directory and over HTTPS; what is done with them there."""

import json
import os
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.integration.jobs.suppliers.conftest import HEADER, Suppliers
from tests.partners import HttpsServer, Reply, https_server

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

    assert "lies outside" in suppliers.run("--supplier=1", code=78).stderr


def https_settings(suppliers: Suppliers, server: HttpsServer) -> dict[str, str]:
    credentials = {"nord": {"token": "s3cret-t0ken"}}
    return {
        "CRONOPS_CLIENTS__CA_FILE": str(server.ca_file),
        "CRONOPS_CLIENTS__CREDENTIALS": json.dumps(credentials),
        "CRONOPS_CLIENTS__ATTEMPTS": "1",
        "CRONOPS_CLIENTS__READ_TIMEOUT": "1s",
    }


def test_https_is_fetched_once_until_it_changes(suppliers: Suppliers) -> None:
    with https_server(lambda _: Reply(CONTENT, headers=LAST_MODIFIED)) as server:
        suppliers.add(1, source=f"{server.url}/out/stock.csv", credential="nord")
        env = https_settings(suppliers, server)

        suppliers.run("--supplier=1", env=env)
        done = suppliers.run("--supplier=1", env=env)

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

        done = suppliers.run("--supplier=1", code=None, env=https_settings(suppliers, server))

    assert done.returncode in ((code,) if code else (1, 65, 75, 78))
    assert suppliers.stock(1) == {}
    assert not list((suppliers.home(1) / "incoming").glob("*.csv"))

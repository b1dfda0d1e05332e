"""A pooler in transaction mode is recognised: a real pgbouncer where one is installed."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from cronops.cli.checks import DATABASE_CHECKS
from cronops.db.pooling import uses_transaction_pooling
from tests.databases import Database

schema = DATABASE_CHECKS["schema"]

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


@pytest.fixture
def pool_mode() -> str:
    return "transaction"


@pytest.fixture
def pooled_url(database: Database, pool_mode: str) -> Iterator[str]:
    if PGBOUNCER is None:
        pytest.skip("pgbouncer is not installed")
    parts = urlsplit(database.url)
    query = parse_qs(parts.query)
    host = query.get("host", [parts.hostname or "localhost"])[0]
    server_port = query.get("port", [str(parts.port or 5432)])[0]
    user = parts.username or "postgres"
    password = f" password={parts.password}" if parts.password else ""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with TemporaryDirectory() as name:
        directory = Path(name)
        configuration = directory / "pgbouncer.ini"
        configuration.write_text(
            f"[databases]\npooled = host={host} port={server_port} dbname={parts.path[1:]}"
            f" user={user}{password}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = any\npool_mode = {pool_mode}\n"
            "ignore_startup_parameters = options,extra_float_digits\n"
        )
        command = [PGBOUNCER]
        if os.geteuid() == 0:
            # It refuses to be root, and must reach the socket of the embedded server.
            account = Path(host).owner() if host.startswith("/") else "nobody"
            shutil.chown(directory, account)
            command += ["-u", account]
        log = directory / "log"
        with log.open("w") as stderr:
            process = subprocess.Popen([*command, str(configuration)], stderr=stderr)
        url = f"postgresql://{user}@127.0.0.1:{port}/pooled"
        try:
            _wait_for(url, process, log)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"pgbouncer: {log.read_text()}")
            time.sleep(0.05)
        else:
            return


def test_a_pooler_in_transaction_mode_is_recognised(database: Database, pooled_url: str) -> None:
    assert uses_transaction_pooling(database.settings(database_url=pooled_url))


@pytest.mark.parametrize("pool_mode", ["session"])
def test_a_pooler_in_session_mode_is_as_good_as_none(
    database: Database, pooled_url: str, pool_mode: str
) -> None:
    assert not uses_transaction_pooling(database.settings(database_url=pooled_url))


@pytest.mark.parametrize("pool_mode", ["session"])
def test_the_doctor_sees_that_a_pooler_drops_the_search_path(
    database: Database, pooled_url: str, pool_mode: str
) -> None:
    [behind_it] = schema(database.settings(database_url=pooled_url))
    [beside_it] = schema(database.settings())

    assert behind_it.state == "fail"
    assert "search_path = cronops, shop, public" in behind_it.advice
    assert beside_it.state == "ok"


def test_a_direct_connection_is_not_taken_for_a_pooler(database: Database) -> None:
    assert not uses_transaction_pooling(database.settings())

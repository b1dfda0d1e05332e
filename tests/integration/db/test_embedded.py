"""The embedded server: found running, restarted after an end of any kind, never half-believed."""

import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from cronops.config import Settings
from cronops.db.connect import connect, database_url
from cronops.db.embedded import embedded_url, postmaster_pid, stop_embedded
from cronops.errors import ConfigurationError
from tests.databases import OwnServer, clean_environment

IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from cronops.db.embedded import {function}
print({function}(Path(sys.argv[1])))
"""


def _in_another_process(function: str, server: OwnServer) -> str:
    completed = subprocess.run(
        [sys.executable, "-W", "error", "-c", IN_ANOTHER_PROCESS.format(function=function),
         str(server.data_dir)],
        env=clean_environment(), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert completed.stderr == ""
    return completed.stdout.strip()


def test_another_process_finds_the_running_server(own_server: OwnServer) -> None:
    pid = postmaster_pid(own_server.data_dir)

    assert _in_another_process("embedded_url", own_server) == own_server.url

    assert postmaster_pid(own_server.data_dir) == pid
    assert pid is not None


def test_a_server_stopped_by_another_process_is_started_again(own_server: OwnServer) -> None:
    assert _in_another_process("stop_embedded", own_server) == "True"
    assert postmaster_pid(own_server.data_dir) is None
    assert not stop_embedded(own_server.data_dir)

    psycopg.connect(embedded_url(own_server.data_dir)).close()

    assert stop_embedded(own_server.data_dir)


def test_a_killed_server_is_not_taken_for_a_running_one(own_server: OwnServer) -> None:
    pid = postmaster_pid(own_server.data_dir)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while _exists(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    # Its number now names a living process that is no server: this one.
    pid_file = own_server.data_dir / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    psycopg.connect(embedded_url(own_server.data_dir)).close()

    assert postmaster_pid(own_server.data_dir) not in (None, pid, os.getpid())


def test_connections_survive_the_process_that_started_the_server(own_server: OwnServer) -> None:
    settings = Settings(data_dir=own_server.data_dir)

    with connect(settings, "test") as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


@pytest.mark.parametrize("place", [{"environment": "production"}, {"in_cluster": True}])
def test_it_is_never_started_silently_where_data_matters(
    own_server: OwnServer, place: dict[str, object]
) -> None:
    settings = Settings(**{"data_dir": own_server.data_dir, **place})

    with pytest.raises(ConfigurationError, match="CRONOPS_DATABASE_URL is not set"):
        database_url(settings)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

"""Scheduled jobs run only through command entry points: every rendered container, really run."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cronops.db.shop import create_shop
from cronops.samples.articles import fill_shop
from cronops.samples.vehicles import fill_vehicles
from tests.acceptance.pods import Pod, pods
from tests.databases import Database
from tests.partners import SftpPartner, sftp_server
from tests.partners.driveright import KEY, DriveRightServer, driveright_server

PODS = list(pods("CronJob"))
MIGRATIONS = list(pods("Job"))
_URL = re.compile(r"https?://")


@dataclass
class Outside:
    """What runs talk to: MAK's server, DriveRight's; a mail server is never asked."""

    mak: SftpPartner
    driveright: DriveRightServer


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """The partners without which a job has nothing to do, on this machine."""
    with sftp_server(tmp_path_factory.mktemp("mak")) as mak, driveright_server(3) as driveright:
        yield Outside(mak, driveright)


def secrets_for(database: Database, outside: Outside | None = None) -> dict[str, dict[str, str]]:
    """What the Secrets hold that schedules.yaml names, as far as tests can run with it.

    Without the partners `outside`, theirs are left out.
    """
    of_partners = {} if outside is None else _secrets_of_partners(outside)
    return of_partners | {
        "cronops-database": {"url": database.url},
        "cronops-alert-routes": {"routes.json": "{}"},
        "cronops-suppliers": {"credentials.json": "{}"},
        "cronops-exports": {"credentials.json": "{}"},
        "cronops-platforms": {"credentials.json": "{}"},
        "cronops-mail": {"password": "never asked for"},
    }


def _secrets_of_partners(outside: Outside) -> dict[str, dict[str, str]]:
    return {
        "cronops-mak": {
            "destination": outside.mak.url,
            "credentials.json": json.dumps({"mak": outside.mak.credential}),
        },
        "cronops-driveright": {"url": f"{outside.driveright.web.url}/v1", "key": KEY},
    }


@pytest.mark.parametrize("pod", PODS, ids=str)
def test_a_triggered_schedule_calls_a_command_and_the_run_is_recorded(
    pod: Pod, database: Database, tmp_path: Path, outside: Outside
) -> None:
    if any("{" in word for word in pod.command):
        pytest.skip("triggered by an operator, who gives its arguments")
    scheduled = datetime.now(UTC).replace(second=0, microsecond=0)
    secrets = secrets_for(database, outside)
    with database.connect() as connection:
        # Where there is a cluster, there is a shop: some jobs have nothing to do without it.
        create_shop(connection, database.settings().db.shop_schema)
        if pod.schedule == "simulator-send-mak-files":
            fill_shop(connection, 20)
            fill_vehicles(connection, 3)
    trusted = outside.driveright.web.ca_file

    done = pod.run(scheduled, secrets, tmp_path, trusted=trusted)

    assert done.returncode == 0, done.stderr
    runs = database.query("SELECT id, schedule, scheduled_at, outcome FROM run")
    run_id = pod.job_name(scheduled) + ("" if pod.index is None else f"-{pod.index}")
    assert runs == [(run_id, pod.schedule, scheduled, "succeeded")]
    # Another pod of the same Job finds that nothing is left to do.
    again = pod.run(scheduled, secrets, tmp_path, trusted=trusted)
    assert again.returncode == 0
    assert f"run {run_id} has already succeeded" in again.stdout


@pytest.mark.parametrize("pod", MIGRATIONS, ids=str)
def test_the_migration_makes_an_empty_database_ready(
    pod: Pod, empty_database: Database, tmp_path: Path
) -> None:
    done = pod.run(datetime.now(UTC), secrets_for(empty_database), tmp_path)

    assert done.returncode == 0, done.stderr
    assert empty_database.query("SELECT count(*) FROM run") == [(0,)]


@pytest.mark.parametrize("pod", [*PODS, *MIGRATIONS], ids=str)
def test_no_http_entry_point_starts_a_job(pod: Pod) -> None:
    assert pod.command[0] == "cronops"
    assert not any(_URL.search(word) for word in pod.command)
    # No shell, no other container, and nothing that listens.
    assert "initContainers" not in pod.spec
    assert "ports" not in pod.container
    assert not any(key in pod.container for key in ("livenessProbe", "readinessProbe"))


def test_there_is_a_pod_of_every_environment() -> None:
    for found in (PODS, MIGRATIONS):
        assert {pod.environment for pod in found} == {"development", "staging", "production"}

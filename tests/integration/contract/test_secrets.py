"""No secret is told on any way a run can fail."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.integration.contract.conftest import Stage, end_of
from tests.servers import refusing_port

PASSWORD = "hushhush-pässword/1"
IN_URL = "hushhush-p%C3%A4ssword%2F1"
TOKEN = "tokentokentoken"
SECRETS = (PASSWORD, IN_URL, TOKEN, "pässword/1")


@pytest.fixture
def guarded(stage: Stage, tmp_path: Path) -> Stage:
    """A stage whose database URL has a password, and whose alert routes have a token."""
    routes = tmp_path / "routes.json"
    route = f"json://user:{TOKEN}@127.0.0.1:{refusing_port()}/hook/{TOKEN}"
    routes.write_text(json.dumps({"Shared Ops": [route], "Vehicle Data": [route]}))
    url = stage.database.url
    if urlsplit(url).password is None:
        url = url.replace("@", f":{IN_URL}@", 1)
    stage.environment |= {
        "CRONOPS_DATABASE_URL": url,
        "CRONOPS_ALERTS__ROUTES_FILE": str(routes),
        "CRONOPS_ALERTMANAGER_URL": f"http://user:{TOKEN}@127.0.0.1:{refusing_port()}",
        "CRONOPS_ALERTS__DELIVERY_TIMEOUT": "2",
        "CRONOPS_LOG_LEVEL": "debug",
    }
    return stage


def everything_told(stage: Stage) -> str:
    """What is left of the runs: in the database, and in the receipt."""
    tables = ("run", "alert", "slot", "lease", "audit")
    left = [repr(stage.rows(f"SELECT * FROM {table}")) for table in tables]
    if stage.receipt_path.exists():
        left.append(stage.receipt_path.read_text())
    return "\n".join(left)


def assert_nothing_told(text: str) -> None:
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize("kind", ["BadInput", "TransientError", "Python's own", "SystemExit"])
def test_by_an_error_that_quotes_them(guarded: Stage, kind: str) -> None:
    ended = guarded("probe", "raise", f"--kind={kind}", "--text=at {database} or {alertmanager}!")

    assert ended.code not in (0, 2)
    assert "***" in guarded.run("probe raise")["reason"]
    assert guarded.alerts()
    assert_nothing_told(ended.text + everything_told(guarded))


@pytest.mark.parametrize("job", [("probe", "kill"), ("probe", "hang"), ("probe", "fail")])
def test_by_a_run_that_fails(guarded: Stage, job: tuple[str, ...]) -> None:
    ended = guarded(*job)

    assert ended.code != 0
    assert_nothing_told(ended.text + everything_told(guarded))


def test_by_a_database_that_cannot_be_reached(guarded: Stage) -> None:
    url = f"postgresql://somebody:{IN_URL}@127.0.0.1:{refusing_port()}/nothing"
    ended = guarded("probe", "ok", CRONOPS_DATABASE_URL=url)

    assert ended.code == 75
    assert_nothing_told(ended.text + everything_told(guarded))


@pytest.mark.parametrize("url", [f"postgresql://x:{IN_URL}@[::/y", f"postgres:/x:{TOKEN}"])
def test_by_a_url_that_makes_no_sense(guarded: Stage, url: str) -> None:
    ended = guarded("probe", "ok", CRONOPS_DATABASE_URL=url)

    assert ended.code in (75, 78), ended.text
    assert_nothing_told(ended.text + everything_told(guarded))


def test_by_the_process_list_or_the_servers(guarded: Stage) -> None:
    gate = guarded.gate()
    process = guarded.start("probe", "gate", *gate.arguments, "--write=row")
    pids = [process.pid, gate.pid]
    listed = [Path(f"/proc/{pid}/cmdline").read_bytes().decode() for pid in pids]
    activity = guarded.rows("SELECT application_name, query FROM pg_stat_activity")
    gate.open()
    ended = end_of(process)

    assert ended.code == 0
    assert_nothing_told("".join(listed) + repr(activity) + ended.text + everything_told(guarded))

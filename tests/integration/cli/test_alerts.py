"""``cronops alerts``: what waits, what was sent, and whether the routes work."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest


class Inbox:
    """A web hook that keeps what it is sent, or answers 500."""

    def __init__(self) -> None:
        self.received: list[dict[str, object]] = []
        self.is_broken = False
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not inbox.is_broken:
                    inbox.received.append(json.loads(body))
                self.send_response(500 if inbox.is_broken else 200)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"json://user:s3cretpass@127.0.0.1:{self.server.server_port}/hook"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def inbox(database) -> Iterator[Inbox]:
    """Every owner of the probe's jobs is reached here."""
    made = Inbox()
    routes = {"Vehicle Data": [made.url], "Shared Ops": [made.url]}
    database.env["CRONOPS_ALERTS__ROUTES"] = json.dumps(routes)
    yield made
    made.close()


@pytest.fixture
def waiting(database):
    """An alert that nobody has delivered."""
    database.query(
        "INSERT INTO alert (kind, owner, role, state, dedup_key, title, body) VALUES"
        " ('failed', 'Vehicle Data', 'domain', 'firing', 'test:probe ok', 'probe ok failed', 'x')"
    )


def test_nothing_to_tell(operator):
    assert operator.do("alerts", "list") == "There has been no alert.\n"
    assert operator.do("alerts", "flush") == "No alert is waiting.\n"
    assert operator.json("alerts", "list") == []
    assert operator.json("alerts", "flush") == {"delivered": 0, "failed": 0, "pending": 0}


def test_a_waiting_alert_is_flushed(operator, inbox, waiting):
    (alert,) = operator.json("alerts", "list", "--state", "waiting")
    assert (alert["owner"], alert["title"]) == ("Vehicle Data", "probe ok failed")
    assert "1 delivered, 0 failed, 0 still waiting." in operator.do("alerts", "flush")
    assert [one["title"] for one in inbox.received] == ["probe ok failed"]
    assert operator.do("alerts", "list", "--state", "waiting") == "No alert matches.\n"
    table = operator.do("alerts", "list", "--since", "1h")
    assert "delivered" in table


def test_what_cannot_be_delivered_keeps_waiting_and_says_why_without_secrets(
    cli, inbox, waiting, operator
):
    inbox.is_broken = True
    flushed = cli("alerts", "flush", "--json")
    assert flushed.returncode == 1
    assert json.loads(flushed.stdout) == {"delivered": 0, "failed": 1, "pending": 1}
    table = operator.do("alerts", "list")
    assert "waiting" in table
    for text in (flushed.stderr, table, operator.do("alerts", "list", "--json")):
        assert "s3cretpass" not in text
    inbox.is_broken = False
    assert operator.json("alerts", "flush")["delivered"] == 1, "no need to wait for the next try"


def test_the_routes_of_a_job_are_tried(operator, probe, inbox):
    table = operator.do("alerts", "test", "probe", "ok")
    assert table.count("delivered") == 2
    owners = {row["owner"] for row in operator.json("alerts", "test", "probe ok")}
    assert owners == {"Vehicle Data", "Shared Ops"}
    assert len(inbox.received) == 4


def test_an_owner_who_is_not_reached_is_a_failure(cli, probe, inbox):
    routes = json.dumps({"Shared Ops": [inbox.url]})
    tried = cli("alerts", "test", "probe", "ok", env={"CRONOPS_ALERTS__ROUTES": routes})
    assert tried.returncode == 1
    assert "no alert route leads to 'Vehicle Data'" in tried.stdout


def test_without_any_route_they_go_to_the_log_and_that_is_said(cli, probe):
    tried = cli("alerts", "test", "probe", "ok")
    assert tried.returncode == 0
    assert "note: no route is configured" in tried.stderr


def test_a_job_nobody_knows(operator, probe):
    code, said = operator.fail("alerts", "test", "probe", "okk")
    assert (code, "did you mean 'probe ok'" in said) == (64, True)

"""The specification's scenarios, as the feature file tells them."""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from tests.acceptance.conftest import World
from tests.acceptance.pods import pods
from tests.acceptance.suppliers import add_supplier, imported, send_file
from tests.acceptance.test_scheduled_runs import secrets_for
from tests.servers import WebServer, wait_until, web_server

scenarios("features/operating_model.feature")

SUPPLIERS = (12, 23, 31, 40)


@pytest.fixture
def running() -> Iterator[ExitStack]:
    """Servers that are stopped at the scenario's end."""
    with ExitStack() as stack:
        yield stack


# Only through command entry points


@given(parsers.parse("the rendered manifests of {environment} are applied"))
def applied(world: World, environment: str) -> None:
    world.facts["pods"] = [pod for pod in pods("CronJob") if pod.environment == environment]


@given("an endpoint stands where the HTTP wrapper stood")
def wrapper(world: World, running: ExitStack) -> None:
    world.facts["wrapper"] = running.enter_context(web_server())


@when(parsers.parse('the schedule "{schedule}" is triggered'))
def triggered(world: World, schedule: str) -> None:
    (pod,) = (one for one in world.facts["pods"] if one.schedule == schedule)
    scheduled = datetime.now(UTC).replace(second=0, microsecond=0)
    world.done = pod.run(scheduled, secrets_for(world.database), world.directory)
    world.facts |= {"pod": pod, "scheduled": scheduled}


@then("a command ran, and its run is recorded under the schedule")
def command_ran(world: World) -> None:
    assert world.ended.returncode == 0, world.ended.stderr
    pod, scheduled = world.facts["pod"], world.facts["scheduled"]
    assert pod.command[0] == "cronops"
    found = world.database.query("SELECT id, schedule, scheduled_at, outcome FROM run")
    assert found == [(pod.job_name(scheduled), pod.schedule, scheduled, "succeeded")]


@then("nothing was asked of the endpoint")
def nothing_asked(world: World) -> None:
    assert world.facts["wrapper"].requests == []
    assert not [word for word in world.facts["pod"].command if "://" in word]


@then("the pod starts nothing that listens")
def nothing_listens(world: World) -> None:
    for pod in world.facts["pods"]:
        assert not {"ports", "livenessProbe", "readinessProbe", "lifecycle"} & set(pod.container)


# No overlap


@given("a run of the general queue is at work on a message")
def at_work(world: World) -> None:
    enqueue = "queue enqueue --handler sample.sleep --payload '{\"seconds\": 60}'"
    assert world.run(enqueue).returncode == 0, world.ended.stderr
    world.facts["first"] = world.cli.start(
        "queue", "process", "--queue=general", env=world.environment
    )
    wait_until(lambda: _statuses(world) == ["PROCESSING"])


@given("another message waits")
def another_waits(world: World) -> None:
    world.database.query("INSERT INTO queue_message (handler, payload) VALUES ('sample.echo','{}')")


@then("the waiting message was not touched")
def not_touched(world: World) -> None:
    found = world.database.query(
        "SELECT status, attempts, claimed_at FROM queue_message ORDER BY id DESC LIMIT 1"
    )
    assert found == [("NEW", 0, None)]


@then("the first run is still at work")
def still_at_work(world: World) -> None:
    assert world.facts["first"].poll() is None
    assert _statuses(world) == ["PROCESSING", "NEW"]


def _statuses(world: World) -> list[str]:
    return [row[0] for row in world.database.query("SELECT status FROM queue_message ORDER BY id")]


# Both owners are told


@given(parsers.parse('alerts to "{one}" and "{other}" lead to two endpoints'))
def two_endpoints(world: World, running: ExitStack, one: str, other: str) -> None:
    servers = {owner: running.enter_context(web_server()) for owner in (one, other)}
    routes = {owner: [f"json://{server.address}/"] for owner, server in servers.items()}
    world.environment["CRONOPS_ALERTS__ROUTES"] = json.dumps(routes)
    world.facts["owners"] = servers


@given("a platform whose server answers 500")
def broken_platform(world: World, running: ExitStack) -> None:
    server = running.enter_context(web_server(status=500))
    world.environment["CRONOPS_CLIENTS__ATTEMPTS"] = "1"
    world.run(
        f"platform set tyre24 --adapter rest --option url={server.url}/orders"
        " --option allow_http=true"
    )
    assert world.ended.returncode == 0, world.ended.stderr


@when(parsers.re(r'the schedule "(?P<schedule>[^"]+)" runs `cronops (?P<command>[^`]+)`'))
def scheduled_run(world: World, schedule: str, command: str) -> None:
    world.environment["CRONOPS_SCHEDULE"] = schedule
    world.run(command)


@then(parsers.parse('"{owner}" received one message that says "{text}"'))
def received(world: World, owner: str, text: str) -> None:
    assert text in _message(world.facts["owners"][owner])


@then("the two messages differ")
def differ(world: World) -> None:
    page, notice = (_message(server) for server in world.facts["owners"].values())
    assert page != notice
    # The page says what broke; the domain is told what that means, not where to type what.
    assert "tyre24" in page
    assert "cronops runs show" not in notice
    assert "What it means:" not in page


def _message(server: WebServer) -> str:
    (request,) = server.requests
    return str(json.loads(request.body)["message"])


# All suppliers, or one


@given("active suppliers 12, 23 and 31, and the inactive supplier 40")
def suppliers(world: World) -> None:
    for supplier in SUPPLIERS:
        add_supplier(world, supplier, active=supplier != 40)


@given("each of them has sent a file")
def files_arrived(world: World) -> None:
    for supplier in SUPPLIERS:
        send_file(world, supplier, "A1;5")


@when("each of them has sent a newer file")
def newer_files(world: World) -> None:
    for supplier in SUPPLIERS:
        send_file(world, supplier, "A1;7", name="newer.csv")


@then(parsers.parse("stock was imported of the suppliers {wanted}"))
def imported_of(world: World, wanted: str) -> None:
    assert imported(world) == {int(one): 5 for one in re.findall(r"\d+", wanted)}


@then(parsers.parse("only the newer file of supplier {supplier:d} was imported"))
def only_one(world: World, supplier: int) -> None:
    assert imported(world) == {one: 7 if one == supplier else 5 for one in (12, 23, 31)}


# Sessions by their retention


@given(parsers.parse("sessions are purged that nobody has used for {hours:d} hours"))
def retention(world: World, hours: int) -> None:
    _sessions(world).mkdir()
    world.environment |= {
        "CRONOPS_SESSIONS__DIRECTORY": str(_sessions(world)),
        "CRONOPS_SESSIONS__ALLOWED": json.dumps([str(_sessions(world))]),
        "CRONOPS_SESSIONS__MAX_AGE": f"{hours}h",
    }


@given(parsers.parse("sessions that were used {one:d}, {other:d} and {third:d} hours ago"))
def sessions(world: World, one: int, other: int, third: int) -> None:
    for hours in (one, other, third):
        path = _sessions(world) / f"sess_{hours}"
        path.write_text("user|i:1;")
        used = time.time() - hours * 3600
        os.utime(path, (used, used))


@then(parsers.parse("only the session that was used {hours:d} hours ago is left"))
def left(world: World, hours: int) -> None:
    assert [path.name for path in _sessions(world).iterdir()] == [f"sess_{hours}"]


def _sessions(world: World) -> Path:
    return world.directory / "sessions"

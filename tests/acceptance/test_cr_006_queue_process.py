"""CR-006, as the feature file tells it."""

import re

from pytest_bdd import given, parsers, scenarios, then

from tests.acceptance.conftest import World

scenarios("features/cr_006_queue_process.feature")


def _enqueue(world: World, handler: str, **columns: str) -> None:
    names = ", ".join(("handler", "payload", *columns))
    values = ", ".join((f"'{handler}'", "'{}'", *columns.values()))
    world.database.query(f"INSERT INTO queue_message ({names}) VALUES ({values})")


@given("a message that fails each time, and two that succeed")
def poisoned(world: World) -> None:
    _enqueue(world, "sample.fail", max_attempts="1")
    for _ in range(2):
        _enqueue(world, "sample.echo")


@given("a message that a worker took twenty minutes ago, and of which nothing was heard since")
def abandoned(world: World) -> None:
    long_ago = "clock_timestamp() - interval '20 minutes'"
    _enqueue(
        world,
        "sample.echo",
        status="'PROCESSING'",
        attempts="1",
        claim_token="1",
        claimed_at=long_ago,
        started_at=long_ago,
        heartbeat_at=long_ago,
    )


@given("a message that waits")
def waits(world: World) -> None:
    _enqueue(world, "sample.echo")


@then(parsers.re(r"the messages are (?P<statuses>[A-Z]+(?:(?:, | and )[A-Z]+)*)$"))
def messages_are(world: World, statuses: str) -> None:
    found = world.database.query("SELECT status FROM queue_message ORDER BY id")
    assert [status for (status,) in found] == re.findall(r"[A-Z_]+", statuses)

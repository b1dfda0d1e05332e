"""CR-005, as the feature file tells it."""

from pytest_bdd import given, parsers, scenarios, then

from tests.acceptance.conftest import World

scenarios("features/cr_005_queue_clean.feature")


@given(parsers.parse("messages are kept for {days:d} days after they were finished"))
def retention(world: World, days: int) -> None:
    world.environment["CRONOPS_RETENTION__QUEUE"] = f"{days}d"


@given(parsers.re(r"a message that (?P<what>was finished|crashed) (?P<days>\d+) days ago"))
def old_message(world: World, what: str, days: str) -> None:
    status = "CRASH" if what == "crashed" else "PROCESSED"
    world.database.query(
        "INSERT INTO queue_message (handler, payload, status, finished_at) VALUES"
        f" ('sample.echo', '{{}}', '{status}', clock_timestamp() - interval '{days} days')"
    )


@then(parsers.re(r"(?P<count>\d+) messages? (?:is|are) left"))
def left(world: World, count: str) -> None:
    assert world.database.query("SELECT count(*) FROM queue_message") == [(int(count),)]


@then("the message that crashed is among them")
def crashed_is_left(world: World) -> None:
    found = world.database.query("SELECT count(*) FROM queue_message WHERE status = 'CRASH'")
    assert found == [(1,)]

"""CR-007, as the feature file tells it."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pytest_bdd import given, parsers, scenarios, then

from tests.acceptance.conftest import World

scenarios("features/cr_007_logs_clean.feature")


@pytest.fixture
def others() -> Iterator[ExitStack]:
    """Programs of the shop that go on until the scenario has ended."""
    with ExitStack() as stack:
        yield stack


@given(parsers.re(r"changes are kept for (?P<days>-?\d+|no) days"))
def retention(world: World, days: str) -> None:
    if days != "no":
        world.environment["CRONOPS_LOGS__RETENTION"] = f"{days}d"


@given(parsers.parse("{count:d} changes of {days:d} days ago"))
def changes(world: World, count: int, days: int) -> None:
    world.database.query(
        "INSERT INTO log_update (ts, entity, entity_id)"
        f" SELECT clock_timestamp() - interval '{days} days', 'article', n::text"
        f" FROM generate_series(1, {count}) AS n"
    )


@given("a program of the shop that holds one of the oldest changes")
def held(world: World, others: ExitStack) -> None:
    connection = others.enter_context(world.database.connect())
    connection.execute("BEGIN")
    connection.execute("SELECT FROM log_update ORDER BY ts LIMIT 1 FOR UPDATE")


@then(parsers.parse("{count:d} changes are left"))
def left(world: World, count: int) -> None:
    assert world.database.query("SELECT count(*) FROM log_update") == [(count,)]


@then(parsers.parse("the books say that {count:d} rows of {target} were deleted"))
def books(world: World, count: int, target: str) -> None:
    found = world.database.query("SELECT target, deleted, state FROM clean_audit")
    assert found == [(target, count, "done")]

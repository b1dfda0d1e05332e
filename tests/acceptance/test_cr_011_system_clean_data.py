"""CR-011, as the feature file tells it."""

from pytest_bdd import given, parsers, scenarios, then

from tests.acceptance.conftest import World

scenarios("features/cr_011_system_clean_data.feature")


@given(parsers.re(r"a search that (?P<state>expired 2 hours ago|is good)"))
def search(world: World, state: str) -> None:
    hours = -2 if state == "is good" else 2
    world.database.query(
        "INSERT INTO article_search_cache (key, expires_at)"
        f" VALUES (%s, clock_timestamp() - interval '{hours} hours')",
        (state,),
    )


@given(
    parsers.re(r"(?P<kind>an article that was popular|a pinned article of) (?P<days>\d+) days? ago")
)
def popular(world: World, kind: str, days: str) -> None:
    world.database.query(
        "INSERT INTO popular_article (article, period, score, pinned)"
        " VALUES (%s, (now() AT TIME ZONE 'UTC')::date - %s, 1, %s)",
        (f"{kind} {days}", int(days), "pinned" in kind),
    )


@given("the cache of searches is missing")
def missing(world: World) -> None:
    world.database.query("DROP TABLE shop.article_search_cache")


@then(parsers.re(r"(?P<count>\d+) search(es)? (is|are) left"))
def searches_left(world: World, count: str) -> None:
    assert world.database.query("SELECT count(*) FROM article_search_cache") == [(int(count),)]


@then(parsers.re(r"(?P<count>\d+) popular articles? (is|are) left"))
def popular_left(world: World, count: str) -> None:
    assert world.database.query("SELECT count(*) FROM popular_article") == [(int(count),)]


@then("the pinned article is among them")
def pinned_is_left(world: World) -> None:
    assert world.database.query("SELECT count(*) FROM popular_article WHERE pinned") == [(1,)]


@then(parsers.parse("the books say: {lines}"))
def books(world: World, lines: str) -> None:
    found = world.database.query("SELECT target, deleted, state FROM clean_audit ORDER BY id")
    assert [" ".join(map(str, row)) for row in found] == lines.split(", ")

"""The sample log and caches, and the commands that clear them."""

from cronops.db.shop import create_shop
from cronops.samples.upkeep import fill_upkeep, tour
from tests.commands import CommandLine
from tests.databases import Database


def test_the_commands_of_the_tour_do_what_they_say(database: Database, cli: CommandLine) -> None:
    with database.connect() as connection:
        create_shop(connection, database.settings().db.shop_schema)
        for _ in range(2):  # may be repeated
            fill_upkeep(connection, 3_000)

    for step in tour():
        if step.program == "cronops":
            done = cli(*step.command.split(), env={"CRONOPS_LOGS__RETENTION": "365d"})
            assert done.returncode == step.expected, done.stderr

    deleted = database.query("SELECT target, deleted, state FROM clean_audit ORDER BY id")
    assert [row[0] for row in deleted] == ["log_update", "article_search_cache", "popular_article"]
    assert all(count > 0 and state == "done" for _, count, state in deleted)
    assert database.query("SELECT count(*) FROM popular_article WHERE pinned") == [(1,)]

"""``cronops system clean-data``: expired searches and old periods go; the list is never emptied."""

import json
from typing import Any

import pytest

from cronops.db.shop import create_shop
from tests.commands import CommandLine
from tests.databases import Database
from tests.stepping import run_to_step


@pytest.fixture
def shop(database: Database) -> Database:
    with database.connect() as connection:
        create_shop(connection, database.settings().db.shop_schema)
    return database


def search(database: Database, key: str, expired: str) -> None:
    database.query(
        "INSERT INTO article_search_cache (key, expires_at)"
        f" VALUES (%s, clock_timestamp() - interval '{expired}')",
        (key,),
    )


def popular(
    database: Database, article: str, days_ago: int, *, score: int = 5, pinned: bool = False
) -> None:
    database.query(
        "INSERT INTO popular_article (article, period, score, pinned)"
        " VALUES (%s, (now() AT TIME ZONE 'UTC')::date - %s, %s, %s)",
        (article, days_ago, score, pinned),
    )


def keys(database: Database) -> list[str]:
    return [row[0] for row in database.query("SELECT key FROM article_search_cache ORDER BY 1")]


def articles(database: Database) -> list[str]:
    return [row[0] for row in database.query("SELECT article FROM popular_article ORDER BY 1")]


def books(database: Database) -> dict[str, tuple[Any, ...]]:
    rows = database.query("SELECT target, deleted, state FROM clean_audit ORDER BY id")
    return {target: found for target, *found in rows}


@pytest.fixture
def filled(shop: Database) -> Database:
    search(shop, "expired", "61 minutes")
    search(shop, "just expired", "30 minutes")
    search(shop, "good", "-1 hour")
    popular(shop, "a-old", 91)
    popular(shop, "b-boundary", 90)
    popular(shop, "c-new", 1)
    popular(shop, "d-pinned", 400, pinned=True)
    return shop


KEPT = ["b-boundary", "c-new", "d-pinned"]


def test_expired_searches_and_old_periods_go(filled: Database, cli: CommandLine) -> None:
    done = cli("system", "clean-data")

    assert done.returncode == 0, done.stderr
    assert keys(filled) == ["good", "just expired"]
    assert articles(filled) == KEPT
    assert books(filled) == {
        "article_search_cache": [1, "done"],
        "popular_article": [1, "done"],
    }


def test_a_dry_run_counts_and_writes_nothing(filled: Database, cli: CommandLine) -> None:
    done = cli("system", "clean-data", "--dry-run")

    assert done.returncode == 0, done.stderr
    assert "1 search" in done.stdout
    assert "1 popular" in done.stdout
    assert len(keys(filled)) == 3
    assert len(articles(filled)) == 4
    assert books(filled) == {}


def test_an_empty_source_does_not_empty_the_list(shop: Database, cli: CommandLine) -> None:
    search(shop, "expired", "2 hours")
    popular(shop, "a-oldest", 200)
    popular(shop, "b-newest", 120)
    popular(shop, "c-zero", 1, score=0)
    popular(shop, "d-future", -9)
    popular(shop, "e-pinned", 2, pinned=True)

    refused = cli("system", "clean-data")

    assert refused.returncode == 1
    assert "1 of 2 targets failed: popular: " in refused.stderr
    assert "source seems to be empty" in refused.stderr
    assert len(articles(shop)) == 5
    # The other target went on.
    assert keys(shop) == []
    assert books(shop) == {
        "article_search_cache": [1, "done"],
        "popular_article": [0, "refused"],
    }
    accepted = cli("system", "clean-data", "--accept-stale")
    assert accepted.returncode == 0, accepted.stderr
    assert articles(shop) == ["b-newest", "c-zero", "d-future", "e-pinned"]
    # There is nothing to refuse any more.
    quiet = cli("system", "clean-data")
    assert quiet.returncode == 0, quiet.stderr


def test_a_list_without_any_score_stays_whatever_is_accepted(
    shop: Database, cli: CommandLine
) -> None:
    popular(shop, "a", 120, score=0)

    refused = cli("system", "clean-data", "--accept-stale")

    assert refused.returncode == 1
    assert articles(shop) == ["a"]


@pytest.mark.parametrize("missing", ["article_search_cache", "popular_article"])
def test_one_target_failing_does_not_stop_the_other(
    filled: Database, cli: CommandLine, missing: str
) -> None:
    filled.query(f"DROP TABLE shop.{missing}")

    failed = cli("system", "clean-data")

    assert failed.returncode == 78
    assert f"there is no table or view shop.{missing}" in failed.stderr
    other = "popular_article" if missing == "article_search_cache" else "article_search_cache"
    assert books(filled) == {missing: [0, "failed"], other: [1, "done"]}


def test_an_error_of_the_database_is_the_targets_own(filled: Database, cli: CommandLine) -> None:
    filled.query(
        "CREATE TABLE shop.hit (key text REFERENCES shop.article_search_cache);"
        "INSERT INTO shop.hit VALUES ('expired')"
    )

    failed = cli("system", "clean-data")

    assert failed.returncode == 1
    assert "1 of 2 targets failed: search: ForeignKeyViolation" in failed.stderr
    assert len(keys(filled)) == 3
    assert articles(filled) == KEPT
    assert books(filled)["article_search_cache"] == [0, "failed"]


def test_both_failures_are_named(filled: Database, cli: CommandLine) -> None:
    filled.query("DROP TABLE shop.article_search_cache")
    filled.query("UPDATE popular_article SET score = 0")

    failed = cli("system", "clean-data")

    assert failed.returncode == 1
    assert "2 of 2 targets failed: search: " in failed.stderr
    assert "; popular: " in failed.stderr


def test_the_books_are_shown(filled: Database, cli: CommandLine) -> None:
    assert "Nothing was cleaned yet." in cli("system", "cleanings").stdout
    cli("system", "clean-data")

    shown = cli("system", "cleanings", "--target", "popular_article", "--json")

    [row] = json.loads(shown.stdout)
    assert row["target"] == "popular_article"
    assert (row["deleted"], row["state"], row["job"]) == (1, "done", "system clean-data")
    assert row["cutoff"].endswith("T00:00:00Z")
    table = cli("system", "cleanings").stdout
    assert "article_search_cache" in table
    nothing = cli("system", "cleanings", "--target", "log_update")
    assert "No cleaning matches." in nothing.stdout


def test_killed_at_any_step_the_next_run_comes_to_the_same_end(
    filled: Database, cli: CommandLine
) -> None:
    steps = ["deleted", "done", "deleted", "done"]
    words = ("system", "clean-data", "--wait=30s")
    for number in range(1, len(steps) + 1):
        assert run_to_step(filled, cli.directory, number, *words) == steps[:number]
        run_to_step(filled, cli.directory, 0, *words)
        assert keys(filled) == ["good", "just expired"]
        assert articles(filled) == KEPT
        deleted = filled.query("SELECT target, sum(deleted)::integer FROM clean_audit GROUP BY 1")
        assert dict(deleted) == {"article_search_cache": 1, "popular_article": 1}
        filled.query("TRUNCATE clean_audit")
        search(filled, "expired", "61 minutes")
        popular(filled, "a-old", 91)

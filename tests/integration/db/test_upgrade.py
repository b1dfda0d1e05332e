"""Migrating: from nothing, again, at once from several pods, and by a program that is too old."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.script import ScriptDirectory
from psycopg.conninfo import make_conninfo

from cronops.db.connect import check_schema
from cronops.db.revision import SCHEMA_REVISION
from cronops.db.upgrade import alembic_config, current, upgrade
from cronops.errors import SchemaMismatch
from tests.databases import Database


def test_the_program_names_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [SCHEMA_REVISION]


def test_an_empty_database_gets_schema_and_tables(empty_database: Database) -> None:
    settings = empty_database.settings()
    assert current(settings) is None

    assert upgrade(settings) == (None, SCHEMA_REVISION)

    assert current(settings) == SCHEMA_REVISION
    with empty_database.connect() as connection:
        check_schema(connection, settings)
        assert connection.execute("SELECT count(*) FROM cronops.run").fetchone() == (0,)


def test_tables_go_to_the_configured_schema_only(empty_database: Database) -> None:
    settings = empty_database.settings(db={"schema": "somewhere_else"})

    upgrade(settings)

    schemas = empty_database.query(
        "SELECT DISTINCT schemaname FROM pg_tables "
        "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    assert schemas == [("somewhere_else",)]


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    database.query("INSERT INTO queue_message (handler) VALUES ('sample.echo')")

    assert upgrade(database.settings()) == (SCHEMA_REVISION, SCHEMA_REVISION)

    assert database.query("SELECT count(*) FROM queue_message") == [(1,)]


def test_several_pods_may_migrate_at_once(empty_database: Database) -> None:
    settings = empty_database.settings()

    with ThreadPoolExecutor(4) as pods:
        results = list(pods.map(lambda _: upgrade(settings), range(4)))

    assert sorted(results, key=str) == [(SCHEMA_REVISION, SCHEMA_REVISION)] * 3 + [
        (None, SCHEMA_REVISION)
    ]


def test_a_failed_migration_leaves_nothing_behind(empty_database: Database) -> None:
    empty_database.query("CREATE SCHEMA cronops")
    empty_database.query("CREATE TABLE cronops.queue_pause (in_the_way text)")

    with pytest.raises(Exception, match="already exists"):
        upgrade(empty_database.settings())

    assert current(empty_database.settings()) is None
    assert empty_database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'cronops'") == [
        ("queue_pause",)
    ]


def test_a_newer_database_is_left_alone(database: Database) -> None:
    database.query("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SchemaMismatch, match=f"revision 9999, newer than the {SCHEMA_REVISION}"):
        upgrade(database.settings())
    with database.connect() as connection, pytest.raises(SchemaMismatch, match="newer"):
        check_schema(connection, database.settings())

    assert current(database.settings()) == "9999"


def test_a_database_without_tables_says_what_to_run(empty_database: Database) -> None:
    with (
        empty_database.connect() as connection,
        pytest.raises(SchemaMismatch, match="cronops db upgrade"),
    ):
        check_schema(connection, empty_database.settings())


def test_a_role_that_owns_the_schema_may_create_no_other(empty_database: Database) -> None:
    role = "cronops_owner_of_the_schema"
    empty_database.query(
        f"DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN END $$"
    )
    empty_database.query(f"CREATE SCHEMA cronops AUTHORIZATION {role}")
    settings = empty_database.settings(
        database_url=make_conninfo(empty_database.url, options=f"-c role={role}")
    )

    assert upgrade(settings) == (None, SCHEMA_REVISION)

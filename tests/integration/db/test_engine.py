"""SQLAlchemy's engine works on our own kind of connection."""

from datetime import timedelta

import pytest
from sqlalchemy import exc, insert, select, text

from cronops.db.engine import engine_for
from cronops.db.tables.contract import job_pause
from tests.databases import Database


def test_it_finds_our_tables_and_commits_what_it_is_told_to(database: Database) -> None:
    engine = engine_for(database.settings(), "test")

    with engine.begin() as connection:
        connection.execute(insert(job_pause).values(job="a b", paused_by="me", reason="why"))
    with engine.connect() as connection:
        connection.execute(insert(job_pause).values(job="c d", paused_by="me", reason="why"))

    with engine.connect() as connection:
        assert connection.execute(select(job_pause.c.job)).scalars().all() == ["a b"]


def test_its_connections_are_named_and_not_kept(database: Database) -> None:
    named = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cronops listing'"
    engine = engine_for(database.settings(), "listing")

    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        assert database.query(named) == [(1,)]

    assert engine.pool.status() == "NullPool"


def test_a_slow_statement_is_ended(database: Database) -> None:
    engine = engine_for(database.settings(), "test", statement_timeout=timedelta(milliseconds=100))

    with engine.connect() as connection, pytest.raises(exc.OperationalError, match="timeout"):
        connection.execute(text("SELECT pg_sleep(30)"))

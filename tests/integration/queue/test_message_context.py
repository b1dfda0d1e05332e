"""The real handlers' context, on the worker's connection: all or nothing, with the message."""

from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from cronops.contract.handler_context import MessageContext
from cronops.jobs.wiring import WIRING
from cronops.queue.message import NewMessage
from tests.databases import Database


@pytest.fixture
def ctx(database: Database) -> Any:
    run: Any = SimpleNamespace(
        job=SimpleNamespace(name="test", counts=()),
        facts=SimpleNamespace(
            run_id="run", correlation_id="c", schedule=None, scheduled_at=None, tokens=(1,)
        ),
        settings=database.settings(),
        _wiring=WIRING,
        _page=None,
        _stop=None,
        log=None,
        worker=0,
        _show_progress=None,
        counts={},
    )
    connection = database.connect()
    made = MessageContext(run, connection)
    made.connect = lambda purpose="": database.connect()  # type: ignore[method-assign]
    yield made
    connection.close()


def count(database: Database) -> int:
    found: int = database.query("SELECT count(*) FROM queue_message")[0][0]
    return found


WAYS = {
    "one": lambda ctx: ctx.enqueue("work"),
    "many": lambda ctx: ctx.enqueue_many("work", [{"n": 1}]),
    "many with keys": lambda ctx: ctx.enqueue_many(
        "work", [NewMessage(handler="w", dedupe_key="a")]
    ),
    "sqlalchemy": lambda ctx: ctx.db.execute(
        text("INSERT INTO queue_message (handler) VALUES ('work')")
    ),
}


@pytest.mark.parametrize("write", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("in_savepoint", [False, True])
def test_whatever_a_handler_writes_first_waits_for_the_settle(
    database: Database, ctx: Any, write: Any, in_savepoint: bool
) -> None:
    for commit, seen in ((False, 0), (True, 1)):
        if in_savepoint:
            with ctx.savepoint():
                write(ctx)
        else:
            write(ctx)
        assert ctx.in_transaction
        assert count(database) == 0
        ctx.commit() if commit else ctx.rollback()
        assert not ctx.in_transaction
        assert count(database) == seen


def test_a_savepoint_undoes_its_own_part_only(database: Database, ctx: Any) -> None:
    with ctx.savepoint():
        ctx.enqueue("kept")
    with pytest.raises(ZeroDivisionError), ctx.savepoint():  # noqa: PT012 - the block is what is undone
        ctx.db.execute(text("INSERT INTO queue_message (handler) VALUES ('undone')"))
        raise ZeroDivisionError
    ctx.commit()
    assert database.query("SELECT handler FROM queue_message") == [("kept",)]


def test_an_error_at_the_commit_is_the_drivers(database: Database, ctx: Any) -> None:
    """The worker judges by the driver's errors, and does not import SQLAlchemy."""
    database.query(
        "CREATE TABLE public.late (id int PRIMARY KEY, other int REFERENCES public.late (id)"
        " DEFERRABLE INITIALLY DEFERRED)"
    )
    ctx.db.execute(text("INSERT INTO public.late VALUES (1, 2)"))
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        ctx.commit()
    ctx.rollback()
    ctx.db.execute(text("INSERT INTO public.late VALUES (1, 1)"))
    ctx.commit()
    assert database.query("SELECT count(*) FROM public.late") == [(1,)]


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_cut_connection_is_told_by_the_drivers_error(
    database: Database, ctx: Any, end: str
) -> None:
    ctx.enqueue("work")
    ctx.db.execute(text("SELECT 1"))
    pid = ctx._connection.info.backend_pid
    database.query("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    with pytest.raises(psycopg.OperationalError):
        getattr(ctx, end)()
    assert ctx._connection.closed

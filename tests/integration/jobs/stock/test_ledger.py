"""What is recorded of exports is fenced, and known again."""

from datetime import UTC, datetime, timedelta

import pytest

from cronops.errors import LeaseLost
from cronops.jobs.stock.ledger import GoodFile, Ledger
from cronops.jobs.stock.setting import ExportSetting, load_settings
from tests.databases import Database
from tests.integration.jobs.stock.exports import add_export, runs

GOOD = GoodFile("generated/1/aa.csv", "aa", 10, 2, "stock.csv", {}, datetime.now(UTC))


@pytest.fixture
def setting(database: Database) -> ExportSetting:
    add_export(database)
    with database.connect() as connection:
        [setting] = load_settings(connection)
    return setting


def hold_lease(database: Database) -> int:
    """The token of a lease that is held."""
    return int(
        database.query(
            "INSERT INTO lease (key, owner_token, run_id, job, holder, expires_at) VALUES"
            " ('cron.stock.export', 0, 'run', 'stock export', 'test', now() + interval '1 h')"
            " RETURNING token"
        )[0][0]
    )


def test_a_run_that_lost_its_lease_records_nothing_more(
    database: Database, setting: ExportSetting
) -> None:
    token = hold_lease(database)
    with database.connect() as connection:
        ledger = Ledger(connection, "run", [token])
        number = ledger.record(setting, GOOD, send=True)
        before = runs(database, "*")
        database.query("DELETE FROM lease")
        for write in (
            lambda: ledger.record(setting, GOOD, send=False),
            lambda: ledger.refuse(setting, "why", started_at=GOOD.generated_at),
            lambda: ledger.confirm(number),
            lambda: ledger.fail(number, "why"),
            lambda: ledger.forget(setting, timedelta(0)),
        ):
            with pytest.raises(LeaseLost):
                write()
    assert runs(database, "*") == before


def test_only_what_was_confirmed_last_is_known_to_be_there(
    database: Database, setting: ExportSetting
) -> None:
    with database.connect() as connection:
        ledger = Ledger(connection, "run", [hold_lease(database)])
        assert not ledger.has(setting, "aa")
        first = ledger.record(setting, GOOD, send=True)
        assert not ledger.has(setting, "aa")
        ledger.confirm(first)
        assert ledger.has(setting, "aa")
        assert not ledger.has(setting, "bb")
        ledger.record(setting, GOOD, send=False)
        ledger.refuse(setting, "empty", started_at=GOOD.generated_at)
        assert ledger.has(setting, "aa")
        second = ledger.record(setting, GOOD, send=True)
        ledger.fail(second, "cut off")
        assert not ledger.has(setting, "aa")
        assert ledger.last_good(setting) == GOOD


def test_records_that_the_next_export_needs_are_never_forgotten(
    database: Database, setting: ExportSetting
) -> None:
    with database.connect() as connection:
        ledger = Ledger(connection, "run", [hold_lease(database)])
        ledger.refuse(setting, "one", started_at=GOOD.generated_at)
        ledger.confirm(ledger.record(setting, GOOD, send=True))
        ledger.refuse(setting, "two", started_at=GOOD.generated_at)
        ledger.forget(setting, timedelta(0))
        assert runs(database, "state") == [("delivered",), ("failed",)]
        assert ledger.has(setting, "aa")
        assert ledger.last_rows(setting) == 2

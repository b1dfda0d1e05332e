"""``--all``: one failing does not stop the others, nor does one that is busy; several at once."""

import os
import signal
from typing import Any

import pytest

from tests.integration.jobs.suppliers.conftest import Suppliers
from tests.servers import wait_until

ROW = "A1;;;5;1;2"


def hold(suppliers: Suppliers, supplier: int) -> None:
    suppliers.database.query(
        "INSERT INTO lease (token, key, owner_token, run_id, job, holder, expires_at)"
        " VALUES (0, %s, 0, 'another', 'suppliers import-stock', 'elsewhere',"
        " now() + interval '1 hour')",
        (f"cron.suppliers.import.supplier.{supplier}",),
    )


@pytest.mark.parametrize("parallel", [1, 3])
def test_it_goes_on_after_some_fail_and_names_them_all(suppliers: Suppliers, parallel: int) -> None:
    for supplier in range(1, 9):
        suppliers.add(supplier)
        suppliers.arrive(supplier, "stock.csv", *([] if supplier in (2, 5, 7) else [ROW]))

    done = suppliers.command("--all", f"--parallel={parallel}", code=1)

    assert "3 of 8 suppliers failed (2, 5, 7), the others are done" in done.stderr
    for supplier in range(1, 9):
        is_bad = supplier in (2, 5, 7)
        assert suppliers.stock(supplier) == ({} if is_bad else {"A1": 5})
        assert (f"supplier {supplier}: stock.csv: 0 rows" in done.stderr) == is_bad
    ((counts,),) = suppliers.database.query("SELECT counts FROM run")
    wanted = {"suppliers": 5, "failed_suppliers": 3, "files": 5, "rejected_files": 3, "rows": 5}
    assert {name: counts[name] for name in wanted} == wanted
    alerts = suppliers.database.query("SELECT owner, body FROM alert")
    assert {"Shared Ops", "Stock Import"} <= {owner for owner, _ in alerts}


def test_no_supplier_is_done_twice_by_several_processes(suppliers: Suppliers) -> None:
    for supplier in range(1, 13):
        suppliers.add(supplier)
        suppliers.arrive(supplier, "stock.csv", ROW)

    done = suppliers.command("--all", "--parallel=4")

    assert "12 suppliers" in done.stdout
    assert suppliers.database.query("SELECT count(*) FROM import_file") == [(12,)]
    workers = suppliers.database.query("SELECT DISTINCT worker FROM supplier_import_claim")
    assert len(workers) > 1


def test_one_that_is_busy_is_named_and_the_others_are_done(suppliers: Suppliers) -> None:
    for supplier in (1, 2):
        suppliers.add(supplier)
        suppliers.arrive(supplier, "stock.csv", ROW)
    hold(suppliers, 1)

    done = suppliers.command("--all", code=1, env={"CRONOPS_SUPPLIERS__LOCK_WAIT": "0.3s"})

    assert "supplier 1: cron.suppliers.import.supplier.1 is held by run another" in done.stderr
    assert (suppliers.stock(1), suppliers.stock(2)) == ({}, {"A1": 5})


def test_one_supplier_is_skipped_while_another_run_has_its_lock(suppliers: Suppliers) -> None:
    suppliers.add(1)
    suppliers.arrive(1, "stock.csv", ROW)
    hold(suppliers, 1)

    assert "skipped: locked by run another" in suppliers.command("--supplier=1").stdout
    assert suppliers.stock(1) == {}


def test_a_takeover_of_the_suppliers_lock_leaves_nothing_half_done(suppliers: Suppliers) -> None:
    """The fence: the merge is undone where the lock was lost before its commit."""
    suppliers.add(1)
    suppliers.arrive(1, "stock.csv", ROW)
    suppliers.database.query(
        """
        CREATE FUNCTION public.lose_the_lock() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            DELETE FROM cronops.lease WHERE key = 'cron.suppliers.import.supplier.1';
            RETURN NULL;
        END $$
        """
    )
    suppliers.database.query(
        "CREATE TRIGGER lose AFTER INSERT ON supplier_stock EXECUTE FUNCTION public.lose_the_lock()"
    )

    done = suppliers.run("--supplier=1", code=75)

    assert "nothing was committed" in done.told
    assert suppliers.stock(1) == {}
    assert suppliers.results(1) == []
    assert suppliers.files(1, "processing") == ["stock.csv"]


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(suppliers: Suppliers) -> None:
    for supplier in (1, 2):
        suppliers.add(supplier)
    suppliers.arrive(1, "stock.csv", ROW, "A2;;;x;1;2")
    suppliers.arrive(2, "stock.csv")

    done = suppliers.run("--all", "--dry-run")

    assert (done.counts["new"], done.counts["rejected_rows"]) == (1, 1)
    assert "stock.csv would be rejected: 0 rows" in done.told
    assert "dry run: nothing was changed" in done.told
    assert suppliers.stock(1) == {}
    assert suppliers.results(1) == []
    assert suppliers.files(1, "incoming") == ["stock.csv"]


@pytest.mark.parametrize("arguments", [("--supplier=1",), ("--all", "--parallel=2")])
def test_a_run_that_loses_its_connections_tries_again(
    suppliers: Suppliers, arguments: tuple[str, ...]
) -> None:
    for supplier in (1, 2):
        suppliers.add(supplier)
        suppliers.arrive(supplier, "stock.csv", ROW)
    suppliers.database.query("CREATE SEQUENCE public.times")
    suppliers.database.query(
        "CREATE FUNCTION public.cut() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN IF nextval('public.times') = 1 THEN"
        " PERFORM pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'cronops run %';"
        " END IF; RETURN NEW; END $$"
    )
    suppliers.database.query(
        "CREATE TRIGGER cut BEFORE INSERT ON supplier_stock FOR EACH ROW"
        " EXECUTE FUNCTION public.cut()"
    )

    done = suppliers.command(*arguments, env={"CRONOPS_SUPPLIERS__LOCK_WAIT": "1s"})

    assert "trying again" in done.stderr
    assert suppliers.stock(1) == {"A1": 5}
    assert suppliers.results(1) == [("stock.csv", "imported")]
    assert suppliers.stock(2) == ({} if len(arguments) == 1 else {"A1": 5})


def test_a_process_that_dies_is_missed_by_name(suppliers: Suppliers) -> None:
    for supplier in (1, 2):
        suppliers.add(supplier)
        suppliers.arrive(supplier, "stock.csv", ROW)
    suppliers.database.query(
        "CREATE FUNCTION public.take_time() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$"
    )
    suppliers.database.query(
        "CREATE TRIGGER take_time AFTER INSERT ON supplier_stock"
        " EXECUTE FUNCTION public.take_time()"
    )
    process = suppliers.cli.start("suppliers", "import-stock", "--all", "--parallel=2")
    second = "SELECT pid, supplier_id FROM supplier_import_claim WHERE worker = 1 AND NOT is_done"
    wait_until(lambda: bool(suppliers.database.query(second)))
    ((pid, supplier),) = suppliers.database.query(second)
    os.kill(pid, signal.SIGKILL)

    _, told = process.communicate(timeout=60)

    assert process.returncode == 1
    assert f"supplier {supplier}: its worker process ended before it was done" in told
    assert suppliers.stock(3 - supplier) == {"A1": 5}
    assert suppliers.stock(supplier) == {}
    suppliers.command("--all")
    assert suppliers.stock(supplier) == {"A1": 5}


@pytest.mark.parametrize(
    "fields",
    [
        {"encoding": "no-such"},
        {"delimiter": "\n"},
        {"column_map": []},
        {"column_map": {"qty": "Stock"}},
        {"format": "xml"},
    ],
)
def test_a_setting_that_another_program_has_ruined_stops_its_supplier_only(
    suppliers: Suppliers, fields: dict[str, Any]
) -> None:
    suppliers.add(1, **fields)
    suppliers.add(2)
    for supplier in (1, 2):
        suppliers.arrive(supplier, "stock.csv", "A1;;;5;;")

    said = suppliers.run("--all", code=1).told

    assert "supplier 1: the setting of supplier 1 cannot be used" in said
    assert "cannot be used" in suppliers.run("--supplier=1", code=65).told
    assert suppliers.files(1, "incoming") == ["stock.csv"]
    assert suppliers.stock(2) == {"A1": 5}

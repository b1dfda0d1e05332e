"""``cronops suppliers import-stock``: files in, stock out, and nothing believed blindly."""

import csv
import os
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from cronops.samples.articles import ean_of
from cronops.samples.suppliers import DIALECTS, set_command, write_file
from tests.integration.jobs.suppliers.conftest import Suppliers


def test_one_supplier_is_imported_and_no_other(suppliers: Suppliers) -> None:
    for supplier in (23, 24):
        suppliers.add(supplier)
        suppliers.arrive(supplier, "stock.csv", "A1;;;5;1.50;2", "A2;;;0;;")

    done = suppliers.command("--supplier=23")

    assert suppliers.stock(23) == {"A1": 5, "A2": 0}
    assert suppliers.stock(24) == {}
    assert "2 rows" in done.stdout
    assert suppliers.files(23, "processed") == ["stock.csv"]
    assert suppliers.files(24, "incoming") == ["stock.csv"]
    assert suppliers.database.query("SELECT cr FROM run") in ([("CR-010",)], [(["CR-010"],)])


def test_all_active_settings_are_imported(suppliers: Suppliers) -> None:
    for supplier in (1, 2, 3):
        suppliers.add(supplier, active=supplier != 3)
        suppliers.arrive(supplier, "stock.csv", f"A{supplier};;;5;;")

    done = suppliers.command("--all")

    assert [suppliers.stock(one) for one in (1, 2, 3)] == [{"A1": 5}, {"A2": 5}, {}]
    assert "2 suppliers" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [(), ("--all", "--supplier=1"), ("--supplier=1", "--parallel=2"), ("--all", "--parallel=0")],
)
def test_which_suppliers_has_to_be_said(suppliers: Suppliers, arguments: tuple[str, ...]) -> None:
    suppliers.command(*arguments, code=2)


def test_the_old_words_are_still_taken(suppliers: Suppliers) -> None:
    suppliers.add(23)
    suppliers.arrive(23, "stock.csv", "A1;;;5;;")
    suppliers.command("23")

    for words in (("23", "updateAnyway=1"), ("23", "1")):
        done = suppliers.command(*words)
        assert "write: cronops suppliers import-stock --supplier=23 --update-anyway" in done.stderr
        assert "1 files" in done.stdout


def test_an_unknown_supplier_is_answered_with_the_nearest(suppliers: Suppliers) -> None:
    suppliers.add(23)
    suppliers.add(7, active=False)

    assert "the nearest: 23 (Supplier 23)" in suppliers.run("--supplier=32", code=65).told
    assert "cronops suppliers enable 7" in suppliers.run("--supplier=7", code=65).told


def test_with_nothing_set_up_there_is_a_warning_that_says_what_to_do(suppliers: Suppliers) -> None:
    assert "cronops suppliers set --help" in suppliers.run("--all").told


def test_a_full_file_sets_what_is_absent_to_nothing_and_a_delta_does_not(
    suppliers: Suppliers,
) -> None:
    suppliers.add(1)
    suppliers.arrive(1, "a.csv", "A1;;;5;1;2", "A2;;;6;1;2", "A3;;;7;1;2")
    suppliers.run("--supplier=1")
    suppliers.arrive(1, "b.csv", "A1;;;4;1;2", "A4;;;8;1;2")
    suppliers.run("--supplier=1")

    assert suppliers.stock(1) == {"A1": 4, "A2": 0, "A3": 0, "A4": 8}
    assert suppliers.result(1, "processed/b.csv")["counts"] | {"read": 0, "unmatched": 0} == {
        "read": 0,
        "rows": 2,
        "repeated": 0,
        "new": 1,
        "changed": 1,
        "zeroed": 2,
        "review": 0,
        "unmatched": 0,
    }

    suppliers.change(1, mode="delta")
    suppliers.arrive(1, "c.csv", "A2;;;3;1;2")
    suppliers.run("--supplier=1")

    assert suppliers.stock(1) == {"A1": 4, "A2": 3, "A3": 0, "A4": 8}


def test_rows_that_did_not_change_are_not_written(suppliers: Suppliers) -> None:
    suppliers.add(1)
    suppliers.arrive(1, "a.csv", "A1;;;5;1.50;2", "A2;;;6;;")
    suppliers.run("--supplier=1")
    before = suppliers.database.query("SELECT sku, xmin::text FROM supplier_stock ORDER BY sku")
    suppliers.arrive(1, "b.csv", "A1;;;5;1.5;2", "A2;;;9;;")
    suppliers.run("--supplier=1")
    after = suppliers.database.query("SELECT sku, xmin::text FROM supplier_stock ORDER BY sku")

    assert after[0] == before[0]
    assert after[1] != before[1]


def test_a_delta_without_a_price_keeps_price_and_article(suppliers: Suppliers) -> None:
    suppliers.add(1, delta_glob="delta_*.csv")
    suppliers.arrive(1, "full.csv", f"A1;{ean_of(1)};;5;1.50;2", "A2;;;6;;")
    suppliers.run("--supplier=1")
    suppliers.arrive(1, "delta_1.csv", "A1;3", header="Item;Stock\n")
    suppliers.run("--supplier=1")

    rows = suppliers.database.query(
        "SELECT sku, qty, price::text, delivery_days, article_id FROM supplier_stock ORDER BY sku"
    )
    assert rows == [("A1", 3, "1.5000", 2, 1), ("A2", 6, None, None, None)]


def test_of_full_files_the_newest_counts_and_deltas_come_in_order(suppliers: Suppliers) -> None:
    suppliers.add(1, delta_glob="delta_*.csv")
    suppliers.arrive(1, "z_old.csv", "A1;;;1;;")
    suppliers.arrive(1, "delta_9_before.csv", "A1;;;2;;")
    suppliers.arrive(1, "a_new.csv", "A1;;;3;;", "A2;;;3;;")
    suppliers.arrive(1, "delta_2.csv", "A1;;;4;;")
    suppliers.arrive(1, "delta_1.csv", "A1;;;5;;")

    suppliers.run("--supplier=1")

    assert suppliers.stock(1) == {"A1": 5, "A2": 3}
    assert dict(suppliers.results(1)) == {
        "a_new.csv": "imported",
        "z_old.csv": "superseded",
        "delta_9_before.csv": "superseded",
        "delta_2.csv": "imported",
        "delta_1.csv": "imported",
    }
    assert suppliers.files(1, "incoming") == suppliers.files(1, "processing") == []
    assert len(suppliers.files(1, "processed")) == 5


def test_a_full_file_that_is_older_than_the_last_one_is_of_no_use(suppliers: Suppliers) -> None:
    suppliers.add(1)
    suppliers.arrive(1, "today.csv", "A1;;;2;;", age=100)
    suppliers.run("--supplier=1")
    suppliers.arrive(1, "yesterday.csv", "A1;;;1;;", age=90_000)
    suppliers.run("--supplier=1")

    assert suppliers.stock(1) == {"A1": 2}
    assert suppliers.results(1)[-1] == ("yesterday.csv", "superseded")


def test_where_the_newest_file_is_bad_the_one_before_is_better_than_none(
    suppliers: Suppliers,
) -> None:
    suppliers.add(1, min_rows=1)
    suppliers.arrive(1, "a.csv", "A1;;;1;;")
    suppliers.arrive(1, "b.csv")

    done = suppliers.run("--supplier=1", code=65)

    assert suppliers.stock(1) == {"A1": 1}
    assert suppliers.files(1, "rejected") == ["b.csv"]
    assert "b.csv: 0 rows, and at least 1 are expected" in done.told


# --- freshness ---------------------------------------------------------------------------------


def test_what_was_imported_before_is_skipped_unless_asked_for(suppliers: Suppliers) -> None:
    suppliers.add(1)
    suppliers.arrive(1, "a.csv", "A1;;;5;;")
    suppliers.run("--supplier=1")
    suppliers.database.query("UPDATE supplier_stock SET qty = 99")
    suppliers.arrive(1, "b.csv", "A1;;;5;;")
    done = suppliers.run("--supplier=1")

    assert done.counts["skipped_files"] == 1
    assert suppliers.stock(1) == {"A1": 99}
    assert suppliers.results(1) == [("a.csv", "imported"), ("b.csv", "repeated")]

    suppliers.arrive(1, "c.csv", "A1;;;5;;")
    suppliers.run("--supplier=1", "--update-anyway")
    assert suppliers.stock(1) == {"A1": 5}


def test_where_no_file_waits_update_anyway_takes_the_last_one_again(suppliers: Suppliers) -> None:
    suppliers.add(1)
    suppliers.arrive(1, "a.csv", "A1;;;5;;")
    suppliers.run("--supplier=1")
    suppliers.database.query("UPDATE supplier_stock SET qty = 99")

    suppliers.run("--supplier=1", "--update-anyway")

    assert suppliers.stock(1) == {"A1": 5}
    assert suppliers.files(1, "processed") == ["a.csv"]


def test_what_is_too_old_is_left_and_said_unless_asked_for(suppliers: Suppliers) -> None:
    suppliers.add(1, max_age="1 hour")
    suppliers.arrive(1, "a.csv", "A1;;;5;;", age=7200)

    done = suppliers.run("--supplier=1")

    assert "is older than max_age" in done.told
    assert suppliers.stock(1) == {}
    assert suppliers.files(1, "incoming") == ["a.csv"]
    suppliers.run("--supplier=1", "--update-anyway")
    assert suppliers.stock(1) == {"A1": 5}

    # Once there is something newer, nobody waits for it any more.
    suppliers.arrive(1, "b.csv", "A1;;;4;;", age=8000)
    done = suppliers.run("--supplier=1")
    assert "older than max_age" not in done.told
    assert suppliers.results(1)[-1] == ("b.csv", "superseded")


def test_update_anyway_overrides_no_guard(suppliers: Suppliers) -> None:
    suppliers.add(1, max_drop_pct=10)
    suppliers.arrive(1, "a.csv", "A1;;;5;;", "A2;;;5;;")
    suppliers.run("--supplier=1")
    suppliers.arrive(1, "b.csv", "A1;;;5;;")

    suppliers.run("--supplier=1", "--update-anyway", code=65)

    assert suppliers.stock(1) == {"A1": 5, "A2": 5}


def test_a_missing_file_never_empties_stock(suppliers: Suppliers) -> None:
    suppliers.add(1, max_age="1 hour")
    suppliers.arrive(1, "a.csv", "A1;;;5;;")
    suppliers.run("--supplier=1")

    done = suppliers.run("--supplier=1")
    assert "no new file from supplier 1; their stock stays" in done.told

    suppliers.database.query("UPDATE import_file SET finished_at = now() - interval '2 hours'")
    done = suppliers.run("--supplier=1", code=1)
    assert "no fresh file has come for 2h" in done.told
    assert suppliers.stock(1) == {"A1": 5}


# --- guards ------------------------------------------------------------------------------------


def test_a_sudden_drop_fails_the_file_and_changes_nothing(suppliers: Suppliers) -> None:
    suppliers.add(1, max_drop_pct=30)
    suppliers.arrive(1, "a.csv", *(f"A{n};;;5;;" for n in range(10)))
    suppliers.run("--supplier=1")
    before = suppliers.stock(1)
    # Three absent and one with nothing: four of ten.
    suppliers.arrive(1, "b.csv", "A0;;;0;;", *(f"A{n};;;7;;" for n in range(1, 7)))

    done = suppliers.run("--supplier=1", code=65)

    assert "4 of 10 SKUs in stock would fall to 0, 40.0 % where 30 % are allowed" in done.told
    assert suppliers.stock(1) == before
    assert suppliers.files(1, "rejected") == ["b.csv"]
    assert "max_drop_pct" in suppliers.result(1, "rejected/b.csv")["reason"]


def test_too_many_bad_rows_fail_the_file_and_change_nothing(suppliers: Suppliers) -> None:
    suppliers.add(1, max_reject_pct=20)
    suppliers.arrive(1, "a.csv", "A1;;;5;;", "A2;;;x;;", "A3;;;5;1.234,56;", "A4;;;5;;")

    done = suppliers.run("--supplier=1", code=65)

    assert "2 of 4 rows were rejected, 50.0 % where 20 % are allowed" in done.told
    assert suppliers.stock(1) == {}
    assert suppliers.result(1, "rejected/a.csv")["counts"]["rejected"] == {"qty": 1, "price": 1}


def test_rejected_rows_are_listed_beside_the_file_and_keep_their_stock(
    suppliers: Suppliers,
) -> None:
    suppliers.add(1)
    suppliers.arrive(1, "a.csv", "A1;;;5;;", "A2;;;6;;")
    suppliers.run("--supplier=1")
    suppliers.arrive(1, "b.csv", "A1;;;4;;", "A2;;;call us;;")

    suppliers.run("--supplier=1")

    assert suppliers.stock(1) == {"A1": 4, "A2": 6}
    listing = suppliers.home(1) / "processed" / "b.csv.rejects.csv"
    rows = list(csv.reader(listing.read_text().splitlines(), delimiter=";"))
    assert rows == [["line", "row", "reason", "raw"], ["3", "rejected", "qty", "A2;;;call us;;"]]


def test_of_a_sku_that_comes_twice_the_last_row_counts(suppliers: Suppliers) -> None:
    suppliers.add(1)
    suppliers.arrive(1, "a.csv", "A1;;;5;;", "A2;;;6;;", "A1;;;7;;", "A1;;;bad;;")

    suppliers.run("--supplier=1")

    assert suppliers.stock(1) == {"A1": 7, "A2": 6}
    assert suppliers.result(1, "processed/a.csv")["counts"]["repeated"] == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"Item;EAN;MPN;Stock;Price;Days\n", "0 rows"),
        (b"Item;EAN;MPN;Stock;Price;Days\nA1;;;5;;\nA2;;;", "truncated"),
        (b"a;b\n1;2\n", "the header lacks 'Item'"),
        (b"<html>not today</html>", "the header lacks"),
        (b"PK\x03\x04 no zip", "no whole ZIP"),
        (b"\x00" * 100, "the header lacks"),
    ],
)
def test_a_file_that_is_no_stock_file_is_rejected_with_a_reason(
    suppliers: Suppliers, content: bytes, said: str
) -> None:
    suppliers.add(1)
    suppliers.arrive_bytes(1, "a.csv", content)

    done = suppliers.run("--supplier=1", code=65)

    assert said in done.told
    assert suppliers.files(1, "rejected") == ["a.csv"]
    assert suppliers.results(1) == [("a.csv", "rejected")]
    assert suppliers.database.query("SELECT count(*) FROM supplier_stock") == [(0,)]


# --- formats -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_every_dialect_of_the_samples(suppliers: Suppliers, dialect, tmp_path: Path) -> None:
    import shlex

    done = suppliers.cli(*shlex.split(set_command(dialect)))
    assert done.returncode == 0, done.stderr
    write_file(dialect, suppliers.root, 200, bad_share=0.04)

    done = suppliers.run(f"--supplier={dialect.supplier}")

    ((rows, matched),) = suppliers.database.query(
        "SELECT count(*), count(article_id) FROM supplier_stock"
    )
    assert 190 <= rows < 200
    assert matched > 0.9 * rows
    ((in_doubt,),) = suppliers.database.query("SELECT count(*) FROM supplier_match_review")
    assert 0 < in_doubt < 10


def test_several_members_of_a_zip_are_one_file(suppliers: Suppliers) -> None:
    suppliers.add(1, glob="*.zip", member_glob="*.csv")
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("2.csv", "Item;EAN;MPN;Stock;Price;Days\nA1;;;2;;\nA3;;;2;;\n")
        archive.writestr("1.csv", "Item;EAN;MPN;Stock;Price;Days\nA1;;;1;;\nA2;;;1;;\n")
        archive.writestr("read.me", "no stock")
    suppliers.arrive_bytes(1, "a.zip", packed.getvalue())

    suppliers.run("--supplier=1")

    assert suppliers.stock(1) == {"A1": 2, "A2": 1, "A3": 2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('<!DOCTYPE s [<!ENTITY x "y">]><s><i sku="A1"><q>&x;</q></i></s>', "refused"),
        ('<s><i sku="A1"><q>5</q></i><i sku="A2">', "line 1"),
        ("Item;Stock\nA1;5\n", "line 1"),
    ],
)
def test_xml_of_strangers(suppliers: Suppliers, text: str, said: str) -> None:
    suppliers.add(
        1, format="xml", row_tag="i", glob="*.xml", column_map={"sku": "@sku", "qty": "q"}
    )
    suppliers.arrive_bytes(1, "a.xml", text.encode())

    done = suppliers.run("--supplier=1", code=65)

    assert said in done.told
    assert suppliers.stock(1) == {}


# --- files that are not ready ------------------------------------------------------------------


def test_parts_links_and_files_of_others_are_left_alone(suppliers: Suppliers) -> None:
    suppliers.add(1, glob="stock_*.csv")
    suppliers.arrive(1, "stock_1.csv.part", "A1;;;5;;")
    suppliers.arrive(1, ".stock_1.csv", "A1;;;5;;")
    suppliers.arrive(1, "prices.csv", "A1;;;5;;")
    (suppliers.home(1) / "incoming" / "stock_2.csv").symlink_to("/etc/passwd")
    (suppliers.home(1) / "incoming" / "stock_3.csv").mkdir()

    suppliers.run("--supplier=1")

    assert suppliers.stock(1) == {}
    assert len(list((suppliers.home(1) / "incoming").iterdir())) == 5


def test_a_name_that_cannot_be_shown_is_left_alone_and_said(suppliers: Suppliers) -> None:
    suppliers.add(1, glob="*")
    suppliers.arrive(1, "stock.csv", "A1;;;5;;")
    for name in (b"\xff.csv", b"two\nlines.csv", b"n" * 240 + b".csv"):
        path = os.fsencode(suppliers.home(1) / "incoming") + b"/" + name
        os.close(os.open(path, os.O_CREAT))

    done = suppliers.run("--supplier=1")

    assert suppliers.stock(1) == {"A1": 5}
    assert done.told.count("no name that can be shown") >= 3
    assert len(suppliers.files(1, "incoming")) == 3


def test_what_was_put_away_long_ago_is_deleted(suppliers: Suppliers) -> None:
    suppliers.add(1)
    for name in ("a.csv", "b.csv"):
        suppliers.arrive(1, name, f"{name};;;5;;", "A2;;;x;;")
        suppliers.run("--supplier=1")
    for path in (suppliers.home(1) / "processed").glob("a.csv*"):
        os.utime(path, (1_000_000, 1_000_000))
    suppliers.database.query("UPDATE import_file SET finished_at = now() - interval '40 days'")

    suppliers.run("--supplier=1")

    kept = sorted(path.name for path in (suppliers.home(1) / "processed").iterdir())
    assert kept == ["b.csv", "b.csv.rejects.csv", "b.csv.result.json"]
    assert suppliers.results(1) == [("b.csv", "imported")]


def test_a_disk_that_fails_is_named_and_the_next_run_completes_it(suppliers: Suppliers) -> None:
    suppliers.add(1)
    suppliers.arrive(1, "stock.csv", "A1;;;5;;")
    in_the_way = suppliers.home(1) / "processed" / ".stock.csv.result.json.part"
    in_the_way.mkdir(parents=True)

    said = suppliers.run("--supplier=1", code=1).told

    assert f"{suppliers.home(1)} cannot be worked in: Is a directory" in said
    assert suppliers.files(1, "processing") == ["stock.csv"]
    in_the_way.rmdir()
    suppliers.run("--supplier=1")
    assert suppliers.files(1, "processed") == ["stock.csv"]
    assert suppliers.stock(1) == {"A1": 5}
    assert suppliers.results(1) == [("stock.csv", "imported")]

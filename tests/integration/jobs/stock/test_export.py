"""``cronops stock export``: from settings to the other end, and what is not sent, and why."""

import json
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest

from tests.commands import CommandLine
from tests.databases import Database
from tests.integration.jobs.stock.exports import (
    add_article,
    add_export,
    add_offer,
    add_rule,
    files_below,
    runs,
)
from tests.servers import refusing_port

HEAD = b"number;ean;brand;stock;price\n"
ALL = (
    HEAD
    + b"A1;4006381333931;Pirelli;8;57.50\n"  # 50.00 + 10 % + 2.50
    + b"A2;;Nokian;0;12.51\n"  # 10.005 + 2.50, half up
    + b"A3;;Borbet;2;102.50\n"
)


@pytest.fixture
def exported(goods: Database) -> Database:
    """One export, with a surcharge of 2.50 EUR and 10 % on Pirelli."""
    add_export(goods, transport_surcharge="2.50")
    add_rule(goods, "percent", "10", brand="Pirelli")
    return goods


def test_prices_are_made_and_delivered(
    exported: Database, cli: CommandLine, export_dir: Path
) -> None:
    done = cli("stock", "export")

    assert done.returncode == 0, done.stderr
    assert (export_dir / "out/stock_1.csv").read_bytes() == ALL
    [(state, rows, sha256, file, counts)] = runs(
        exported, "state", "rows", "sha256", "file", "counts"
    )
    assert (state, rows) == ("delivered", 3)
    assert file == f"generated/1/{sha256}.csv"
    assert set(files_below(export_dir)) == {"out/stock_1.csv", file}
    assert (counts["without_ean"], counts["sold_out"]) == (2, 1)
    assert "3 rows, 1 delivered" in done.stdout


def test_the_same_content_is_not_sent_again(
    exported: Database, cli: CommandLine, export_dir: Path
) -> None:
    assert cli("stock", "export").returncode == 0
    there = export_dir / "out/stock_1.csv"
    there.unlink()  # the platform has taken it

    assert "1 unchanged" in cli("stock", "export").stdout
    assert not there.exists()

    exported.query("UPDATE supplier_stock SET qty = 9 WHERE article_id = 1")
    assert "1 delivered" in cli("stock", "export").stdout
    assert b";9;57.50" in there.read_bytes()
    assert runs(exported, "state") == [("delivered",), ("unchanged",), ("delivered",)]


def test_another_place_gets_what_the_last_one_had(
    exported: Database, cli: CommandLine, export_dir: Path
) -> None:
    assert cli("stock", "export").returncode == 0
    (export_dir / "elsewhere").mkdir()
    exported.query("UPDATE export_setting SET transport = 'elsewhere'")

    assert "1 delivered" in cli("stock", "export").stdout
    assert (export_dir / "elsewhere/stock_1.csv").read_bytes() == ALL


def test_the_last_good_file_is_sent_again_as_it_is(
    exported: Database, cli: CommandLine, export_dir: Path
) -> None:
    nothing_yet = cli("stock", "export", "--skip-generation")
    assert nothing_yet.returncode == 65
    assert "there is no good file yet" in nothing_yet.stderr
    assert cli("stock", "export").returncode == 0
    exported.query("UPDATE supplier_stock SET qty = 9")
    (export_dir / "out/stock_1.csv").unlink()

    again = cli("stock", "export", "skipGeneration=1")

    assert again.returncode == 0, again.stderr
    assert "write: cronops stock export --skip-generation" in again.stderr
    assert (export_dir / "out/stock_1.csv").read_bytes() == ALL
    [[kept]] = [[file] for file in files_below(export_dir) if file.startswith("generated/")]
    (export_dir / kept).write_bytes(ALL.replace(b"57.50", b"07.50"))
    changed = cli("stock", "export", "--skip-generation")
    assert changed.returncode == 65
    assert "was changed after it was generated" in changed.stderr
    (export_dir / kept).unlink()
    assert (
        "is gone; run without --skip-generation"
        in cli("stock", "export", "--skip-generation").stderr
    )
    assert (export_dir / "out/stock_1.csv").read_bytes() == ALL


@pytest.mark.parametrize("file", ["../secret", "generated/1/../../../secret", "/etc/hostname"])
def test_only_what_was_generated_is_sent_again(
    exported: Database, cli: CommandLine, export_dir: Path, file: str
) -> None:
    assert cli("stock", "export").returncode == 0
    secret = export_dir.parent / "secret"
    secret.write_bytes(b"no stock")
    content = Path(file).read_bytes() if file.startswith("/") else b"no stock"
    exported.query(
        "UPDATE export_run SET file = %s, sha256 = %s", (file, sha256(content).hexdigest())
    )

    done = cli("stock", "export", "--skip-generation")

    assert done.returncode == 65, done.stderr
    assert "is not among the files that were generated" in done.stderr
    assert (export_dir / "out/stock_1.csv").read_bytes() == ALL


def test_a_record_of_a_good_file_says_which(exported: Database, cli: CommandLine) -> None:
    assert cli("stock", "export").returncode == 0
    for column in ("file", "sha256", "bytes", "rows"):
        with pytest.raises(psycopg.errors.CheckViolation):
            exported.query(f"UPDATE export_run SET {column} = NULL")


def test_a_dry_run_counts_and_leaves_nothing(
    exported: Database, cli: CommandLine, export_dir: Path
) -> None:
    done = cli("stock", "export", "--dry-run")

    assert done.returncode == 0, done.stderr
    assert "3 rows, 0 delivered" in done.stdout
    assert "dry run: nothing was kept, recorded or sent" in done.stderr
    assert files_below(export_dir) == {}
    assert runs(exported, "*") == []


def test_filters_narrow_down_what_runs(goods: Database, cli: CommandLine) -> None:
    add_export(goods, name="a", supplier_id=1, customer_id=7)
    add_export(goods, name="b", supplier_id=1, customer_id=8)
    add_export(goods, name="c")
    add_export(goods, name="off", supplier_id=9, active=False)

    def exports_of(*options: str) -> list[int]:
        goods.query("TRUNCATE export_run")
        done = cli("stock", "export", *options)
        assert done.returncode == 0, done.stderr
        return [export for (export,) in runs(goods, "export_id")]

    assert exports_of() == [1, 2, 3]
    assert exports_of("--supplier", "1") == [1, 2]
    assert exports_of("--supplier", "1", "--customer", "8") == [2]
    assert exports_of("--export=3") == [3]
    assert exports_of("supplier=1", "customer=7", "export=1", "skipGeneration=0") == [1]
    goods.query("TRUNCATE export_run")
    for options, said in (
        (["--supplier", "2"], "active exports are for supplier 1"),
        (["--supplier", "9"], "active exports are for supplier 1"),
        (["--customer", "9"], "active exports are for customer 7, 8"),
        (["--supplier", "1", "--export", "3"], "there are 1 'a', 2 'b', 3 'c'"),
        (["--export", "4"], "export 4 'off' is not active; run: cronops stock exports enable 4"),
        (["--export", "5"], "there is no export 5; there are 1 'a', 2 'b', 3 'c', 4 'off'"),
    ):
        refused = cli("stock", "export", *options)
        assert (refused.returncode, said in refused.stderr) == (65, True), refused.stderr
    assert runs(goods, "*") == []


def test_nothing_to_do_is_no_failure_and_says_what_to_do(
    database: Database, cli: CommandLine
) -> None:
    done = cli("stock", "export")

    assert done.returncode == 0, done.stderr
    assert "no export is active; make one with: cronops stock exports set --help" in done.stderr


def test_without_the_shops_articles_the_configuration_is_wrong(
    database: Database, cli: CommandLine, export_dir: Path
) -> None:
    add_export(database)

    done = cli("stock", "export")

    assert done.returncode == 78
    assert "there is no table or view shop.article" in done.stderr


def test_what_is_left_out_is_counted_by_reason(
    goods: Database, cli: CommandLine, export_dir: Path
) -> None:
    add_offer(goods, add_article(goods, "B1", is_active=False), "10.00")
    add_offer(goods, add_article(goods, "B2"), None)
    add_offer(goods, add_article(goods, "B3", ean="4006381333948"), "1.00")
    add_offer(goods, add_article(goods, "B4", ean="4006381333955"), "20.00")
    add_offer(goods, None, "5.00", sku="nobody knows it")
    goods.query("ALTER TABLE supplier_stock DROP CONSTRAINT supplier_stock_qty_check")
    goods.query("UPDATE supplier_stock SET qty = -3 WHERE article_id = 1")
    add_rule(goods, "amount", "-15.00", category=None)
    add_export(goods, require_ean=True, allow_below_purchase=True)

    done = cli("stock", "export")

    assert done.returncode == 0, done.stderr
    assert (export_dir / "out/stock_1.csv").read_bytes() == HEAD + (
        b"A1;4006381333931;Pirelli;0;35.00\n"  # its stock was negative
        b"B4;4006381333955;OZ;5;5.00\n"
    )
    [(counts,)] = runs(goods, "counts")
    assert counts == {
        "raised": 0,
        "without_ean": 0,
        "sold_out": 1,
        "missing_price": 1,
        "missing_ean": 2,
        "inactive": 1,
        "not_positive": 1,
        "replaced": 0,
    }
    assert "1 articles have no purchase price: left out" in done.stderr


def test_never_below_the_purchase_price(
    goods: Database, cli: CommandLine, export_dir: Path
) -> None:
    add_rule(goods, "percent", "-50")
    add_export(goods, transport_surcharge="2.50")

    done = cli("stock", "export")

    assert b"A1;4006381333931;Pirelli;8;52.50\n" in (export_dir / "out/stock_1.csv").read_bytes()
    assert "3 articles would have gone below their purchase price" in done.stderr


def test_an_empty_export_is_not_published(
    exported: Database, cli: CommandLine, export_dir: Path
) -> None:
    assert cli("stock", "export").returncode == 0
    before = files_below(export_dir)
    exported.query("UPDATE article SET is_active = false")

    empty = cli("stock", "export")

    assert empty.returncode == 65
    assert "it is empty (left out: 3 inactive): nothing was sent" in empty.stderr
    assert files_below(export_dir) == before
    state, reason, file = runs(exported, "state", "reason", "file")[-1]
    assert (state, file) == ("failed", None)
    assert reason.startswith("it is empty")
    again = cli("stock", "export", "--skip-generation")
    assert again.returncode == 0, again.stderr
    assert (export_dir / "out/stock_1.csv").read_bytes() == ALL


def test_a_sudden_drop_is_not_published(
    exported: Database, cli: CommandLine, export_dir: Path
) -> None:
    exported.query("UPDATE export_setting SET max_drop_pct = 33, min_rows = 2")
    assert cli("stock", "export").returncode == 0
    exported.query("DELETE FROM supplier_stock WHERE article_id = 2")

    dropped = cli("stock", "export")
    assert dropped.returncode == 65
    assert "it has 2 rows, 3 were delivered last: that drop is more than 33 %" in dropped.stderr
    exported.query("UPDATE export_setting SET max_drop_pct = 33.34")
    assert cli("stock", "export").returncode == 0
    exported.query("DELETE FROM supplier_stock WHERE article_id = 1")
    exported.query("UPDATE export_setting SET max_drop_pct = 50")
    few = cli("stock", "export")
    assert few.returncode == 65
    assert "it has 1 rows, fewer than the 2 it must have" in few.stderr
    exported.query("UPDATE export_setting SET min_rows = 1")
    assert cli("stock", "export").returncode == 0  # exactly half is not more than half


def test_one_that_fails_does_not_stop_the_others(
    goods: Database, cli: CommandLine, export_dir: Path
) -> None:
    add_export(goods, name="nowhere", transport="nowhere")
    add_export(goods, name="nobody", supplier_id=99)
    add_export(goods, name="bad", column_map=[["a", "artikel"]])
    add_export(goods, name="good")

    done = cli("stock", "export")

    assert done.returncode == 1
    assert "3 of 4 exports failed: export 1 'nowhere': " in done.stderr
    assert "export 2 'nobody': it is empty" in done.stderr
    assert "export 3 'bad': export 3 'bad' cannot run: column 'a': 'artikel' is none" in done.stderr
    assert (export_dir / "out/stock_4.csv").exists()
    assert sorted(runs(goods, "export_id", "state")) == [
        (1, "failed"),
        (2, "failed"),
        (3, "failed"),
        (4, "delivered"),
    ]
    listed = json.loads(cli("stock", "runs", "--failed", "--json").stdout)
    assert [row["export_id"] for row in listed] == [3, 2, 1]
    assert all(row["reason"] for row in listed)


def test_what_nobody_foresaw_is_the_failure_of_one_export_too(
    goods: Database, cli: CommandLine, export_dir: Path
) -> None:
    # A view of the shop's may be of other types than its table.
    goods.query("ALTER TABLE article ALTER weight TYPE text")
    add_export(goods, name="odd", column_map=[["n", "article_number"], ["kg", "weight"]])
    add_export(goods, name="good")

    done = cli("stock", "export")

    assert done.returncode == 1
    assert "1 of 2 exports failed: export 1 'odd': UndefinedFunction: " in done.stderr
    assert (export_dir / "out/stock_2.csv").exists()
    [(state, reason), good] = runs(goods, "state", "reason")
    assert (state, reason.partition(":")[0]) == ("failed", "UndefinedFunction")
    assert good == ("delivered", None)


NO_SETTINGS = [
    *({"column_map": odd} for odd in (5, None, "sku", {"sku": "ean"}, [None], [1], ["ab"])),
    *({"column_map": [pair]} for pair in (["sku"], ["a", "b", "c"], ["a", 1], [None, "ean"])),
    *({"column_map": [["sku", "ean"], pair]} for pair in ([], {"x": "ean"}, [["a"], "b"])),
    {"transport_surcharge": "NaN"},
    {"max_drop_pct": "NaN"},
]


def test_a_row_that_cannot_be_read_is_not_taken_so_that_it_stops_no_other(goods: Database) -> None:
    for odd in NO_SETTINGS:
        with pytest.raises(psycopg.errors.CheckViolation):
            add_export(goods, **odd)
    add_export(goods, column_map=[])  # can be read, and is refused when it runs


def test_no_export_replaces_the_file_of_another(
    goods: Database, cli: CommandLine, export_dir: Path
) -> None:
    add_export(goods, name="first", file_pattern="stock.csv")
    add_export(goods, name="second", file_pattern="stock.csv", transport=f"{export_dir}/x/../out")
    add_export(goods, name="broken", file_pattern="{nope}.csv")
    add_export(goods, name="third", file_pattern="stock_{date}.csv")

    done = cli("stock", "export")

    assert done.returncode == 78, done.stderr
    assert "export 2 'second' would replace the file of export 1 'first'" in done.stderr
    assert runs(goods, "export_id", "state") == [
        (1, "delivered"),
        (2, "failed"),
        (3, "failed"),
        (4, "delivered"),
    ]
    # Nor is it let in again, once it was told apart.
    assert cli("stock", "exports", "disable", "2").returncode == 0
    refused = cli("stock", "exports", "enable", "2")
    assert refused.returncode == 65
    assert "nothing was changed: export 2 'second' would replace" in refused.stderr
    refused = cli("stock", "exports", "set", "4", "--file-name", "stock.csv")
    assert refused.returncode == 65
    assert goods.query("SELECT file_pattern FROM export_setting WHERE id = 4") == [
        ("stock_{date}.csv",)
    ]


def test_an_unreachable_server_is_tried_again_and_nothing_else_is(
    goods: Database, cli: CommandLine
) -> None:
    add_export(goods, name="good")
    add_export(goods, name="away", transport=f"https://127.0.0.1:{refusing_port()}/in/")

    done = cli("stock", "export", env={"CRONOPS_CLIENTS__ATTEMPTS": "1"}, timeout=120)

    assert done.returncode == 1, done.stderr
    assert "1 of 2 exports failed: export 2 'away'" in done.stderr
    # The good one was delivered by the first attempt, and left alone by the others.
    assert runs(goods, "export_id", "state") == [
        (1, "delivered"),
        (2, "failed"),
        (2, "failed"),
        (2, "failed"),
    ]
    [(counts,)] = goods.query("SELECT counts FROM run")
    assert (counts["delivered"], counts["failed"], counts["rows"]) == (1, 1, 6)


def test_old_files_and_records_go(exported: Database, cli: CommandLine, export_dir: Path) -> None:
    env = {"CRONOPS_STOCK__KEEP_FILES": "2"}
    for qty in range(4):
        exported.query("UPDATE supplier_stock SET qty = %s WHERE article_id = 1", (qty,))
        assert cli("stock", "export", env=env).returncode == 0
    kept = [file for file in files_below(export_dir) if file.startswith("generated/")]
    assert sorted(kept) == sorted(file for (file,) in runs(exported, "file")[-2:])
    exported.query("UPDATE export_run SET started_at = started_at - interval '100 days'")

    assert "1 unchanged" in cli("stock", "export", env=env).stdout

    # What was sent last must be known for ever: else it would be sent again.
    assert runs(exported, "state") == [("delivered",), ("unchanged",)]
    assert "1 unchanged" in cli("stock", "export", env=env).stdout


def test_a_full_disk_is_told_and_leaves_nothing(
    exported: Database, cli: CommandLine, export_dir: Path, tmp_path: Path
) -> None:
    exported.query(
        "WITH new AS (INSERT INTO article (article_number, type) SELECT 'C' || n, 'tyre'"
        " FROM generate_series(1, 3000) AS n RETURNING id)"
        " INSERT INTO supplier_stock (supplier_id, sku, article_id, qty, price)"
        " SELECT 1, 's' || id, id, 1, 5 FROM new"
    )
    limited = tmp_path / "limited"
    limited.write_text(
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "from cronops.cli.failure import run\n"
        "sys.exit(run(['stock', 'export']))\n"
    )
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, str(limited)],
        env=exported.env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 1, done.stderr
    assert "no room in" in done.stderr
    assert files_below(export_dir) == {}
    assert runs(exported, "state")[0] == ("failed",)
    assert cli("stock", "export").returncode == 0


def test_an_export_directory_that_is_none_is_bad_configuration(
    exported: Database, cli: CommandLine, tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")

    done = cli("stock", "export", env={"CRONOPS_STOCK__EXPORT_DIR": str(taken)})

    assert done.returncode == 78
    assert "CRONOPS_STOCK__EXPORT_DIR must be a directory" in done.stderr

"""``cronops suppliers``: settings, files and trials, as an operator types them."""

import json
from pathlib import Path

import pytest

from tests.commands import CommandLine
from tests.databases import Database

SET = ("suppliers", "set", "23", "--name", "Reifen Nord", "--map", "sku=Item", "--map", "qty=Stock")


@pytest.fixture
def supplier(shop: Database, cli: CommandLine) -> int:
    done = cli(*SET)
    assert done.returncode == 0, done.stderr
    assert "Set up supplier 23 (Reifen Nord)." in done.stdout
    return 23


def setting(cli: CommandLine) -> dict[str, object]:
    shown = json.loads(cli("suppliers", "show", "23", "--json").stdout)
    assert isinstance(shown["setting"], dict)
    return shown["setting"]


def test_a_setting_is_made_changed_and_shown(supplier: int, cli: CommandLine) -> None:
    done = cli(
        "suppliers",
        "set",
        "23",
        "--decimal",
        ",",
        "--max-age",
        "26h",
        "--map",
        "ean=EAN",
        "--reason",
        "new format",
    )

    assert done.returncode == 0, done.stderr
    assert '  decimal: "." -> ","' in done.stdout
    assert "  max_age: null -> 93600.0" in done.stdout
    found = setting(cli)
    assert found["column_map"] == {"sku": "Item", "qty": "Stock", "ean": "EAN"}
    assert "1d 2h" in cli("suppliers", "show", "23").stdout
    trail = json.loads(cli("audit", "list", "--json").stdout)
    assert [line["action"] for line in trail] == ["suppliers set", "suppliers set"]
    assert trail[0]["reason"] == "new format"
    assert trail[0]["details"]["decimal"] == [".", ","]


def test_what_show_prints_set_takes(supplier: int, cli: CommandLine, tmp_path: Path) -> None:
    shown = cli("suppliers", "show", "23", "--json").stdout
    (tmp_path / "nord.json").write_text(shown)

    done = cli("suppliers", "set", "23", "--from", "nord.json")

    assert done.returncode == 0, done.stderr
    assert "is as it was" in done.stdout


def test_a_file_of_toml(supplier: int, cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "nord.toml").write_text(
        'delimiter = "tab"\nmax_drop_pct = 12.5\n[column_map]\nsku = 1\nqty = 2\nmpn = 3\n'
    )

    assert cli("suppliers", "set", "23", "--from", "nord.toml", "--quote", "none").returncode == 0
    found = setting(cli)
    assert (found["delimiter"], found["quote"], found["max_drop_pct"]) == ("\t", "", "12.50")
    assert found["column_map"] == {"sku": 1, "qty": 2, "mpn": 3}


def test_what_is_wrong_is_refused_and_nothing_changes(supplier: int, cli: CommandLine) -> None:
    before = setting(cli)

    for options, said in (
        (("--decimal", "x", "--mode", "y"), "decimal: must be '.' or ',', not 'x'; mode: must be"),
        (("--source", "sftp://joe:pw@host/x"), "source: a user or password inside the URL"),
        (("--source", "http://host/x"), "only https"),
        (("--source", "/etc"), "lies outside"),
        (("--map", "qty"), "--map is FIELD=COLUMN"),
    ):
        done = cli("suppliers", "set", "23", *options)
        assert done.returncode == 64
        assert said in " ".join(done.stderr.split())
        assert "pw@" not in done.stderr

    assert setting(cli) == before


def test_a_bad_file_is_refused(supplier: int, cli: CommandLine, tmp_path: Path) -> None:
    for name, content, said in (
        ("a.json", "{", "cannot be read"),
        ("b.json", '{"delimeter": ";"}', "did you mean 'delimiter'"),
        ("c.json", '{"supplier_id": 24}', "is of supplier 24, not 23"),
        ("d.json", "[]", "must hold the fields"),
    ):
        (tmp_path / name).write_text(content)
        done = cli("suppliers", "set", "23", "--from", name)
        assert done.returncode == 65
        assert said in " ".join(done.stderr.split())


def test_unknown_suppliers_are_answered_with_the_nearest(supplier: int, cli: CommandLine) -> None:
    for command in (("show", "32"), ("enable", "32"), ("files", "--supplier", "32")):
        done = cli("suppliers", *command)
        assert done.returncode == 64
        assert "the nearest: 23 (Reifen Nord)" in " ".join(done.stderr.split())


def test_switching_off_and_on(supplier: int, cli: CommandLine, database: Database) -> None:
    off = cli("suppliers", "disable", "23", "--reason", "their files are of last year")
    assert "is not active" in off.stdout
    assert "was already not active" in cli("suppliers", "disable", "23").stdout
    assert json.loads(cli("suppliers", "list", "--json").stdout)[0]["active"] is False
    assert json.loads(cli("suppliers", "enable", "23", "--json").stdout)["changed"] is True
    assert database.query("SELECT count(*) FROM audit WHERE action LIKE 'suppliers %%able'") == [
        (2,)
    ]


def test_a_file_can_be_tried(
    supplier: int, cli: CommandLine, database: Database, tmp_path: Path
) -> None:
    (tmp_path / "stock.csv").write_text("Item;Stock\nA1;5\nA2;call us\n")

    refused = cli("suppliers", "try", "stock.csv", "--supplier", "23")

    assert refused.returncode == 65
    assert "call us" in refused.stdout
    assert "50.0 % where 5 % are allowed" in refused.stdout
    assert cli("suppliers", "set", "23", "--max-reject-pct", "50").returncode == 0
    tried = json.loads(cli("suppliers", "try", "stock.csv", "--supplier", "23", "--json").stdout)
    assert tried["first_rows"][0]["sku"] == "A1"
    assert (tried["rows"], tried["new"], tried["unmatched"]) == (1, 1, 1)
    assert tried["rejects"] == [{"line": 3, "reason": "qty", "raw": "A2;call us"}]
    assert database.query("SELECT count(*) FROM supplier_stock") == [(0,)]
    assert database.query("SELECT count(*) FROM import_file") == [(0,)]


def test_a_match_that_nobody_doubts_cannot_be_decided(supplier: int, cli: CommandLine) -> None:
    done = cli("suppliers", "review", "accept", "A1", "--supplier", "23")

    assert done.returncode == 64
    assert "nothing is in doubt about 'A1'" in done.stderr


def test_a_trial_of_a_file_that_cannot_be_read_says_so(supplier: int, cli: CommandLine) -> None:
    # A regular file to look at, whose first byte nobody can read.
    done = cli("suppliers", "try", "/proc/self/mem", "--supplier", str(supplier))

    assert done.returncode == 65
    assert "/proc/self/mem cannot be read: Input/output error" in done.stderr


def test_a_file_of_settings_that_is_deeper_than_anybody_reads(
    supplier: int, cli: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "deep.json").write_text("[" * 100_000)

    done = cli("suppliers", "set", str(supplier), "--from", str(tmp_path / "deep.json"))

    assert done.returncode == 65
    assert "deep.json cannot be read" in done.stderr

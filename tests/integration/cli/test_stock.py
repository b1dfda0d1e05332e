"""``cronops stock exports``, ``rules``, ``runs`` and ``price``, as an operator types them."""

import json
from pathlib import Path
from typing import Any

import pytest

from cronops.db.shop import create_shop
from tests.commands import CommandLine
from tests.databases import Database
from tests.integration.jobs.stock.exports import add_article, add_export, add_offer, add_rule

NEW = (
    *("stock", "exports", "set", "--name", "acme", "--platform", "tyre24"),
    *("--to", "out", "--file-name", "stock_{id}.csv"),
    *("--column", "sku=article_number", "--column", "stock=qty"),
    *("--column", "price=price", "--column", "cond==new"),
)


@pytest.fixture(autouse=True)
def export_dir(database: Database, tmp_path: Path) -> Path:
    directory = tmp_path / "exports"
    (directory / "out").mkdir(parents=True)
    database.env["CRONOPS_STOCK__EXPORT_DIR"] = str(directory)
    database.env["CRONOPS_OPERATOR"] = "maria"
    return directory


def audit(database: Database) -> list[tuple[Any, ...]]:
    return database.query("SELECT actor, action, subject, reason, details FROM audit ORDER BY id")


def test_an_export_is_made_shown_changed_and_enabled(cli: CommandLine, database: Database) -> None:
    made = cli(*NEW, "--reason", "a new customer")
    assert made.returncode == 0, made.stderr
    assert "Made export 1 'acme'; it is not active yet." in made.stdout
    assert "enable 1" in made.stderr
    shown = json.loads(cli("stock", "exports", "show", "1", "--json").stdout)
    assert shown["column_map"] == [
        ["sku", "article_number"],
        ["stock", "qty"],
        ["price", "price"],
        ["cond", "=new"],
    ]
    assert (shown["active"], shown["problems"]) == (False, [])

    changed = cli("stock", "exports", "set", "1", "--surcharge", "4.90", "--supplier", "12")
    assert changed.returncode == 0, changed.stderr
    assert changed.stdout.splitlines() == [
        "Changed export 1 'acme':",
        "SETTING              BEFORE  AFTER",
        "supplier_id          -       12",
        "transport_surcharge  0.00    4.90",
    ]
    assert cli("stock", "exports", "set", "1", "--supplier", "none").returncode == 0
    assert "set so already" in cli("stock", "exports", "set", "1", "--supplier", "none").stdout
    assert "is active." in cli("stock", "exports", "enable", "1").stdout
    assert "is active already." in cli("stock", "exports", "enable", "1").stdout
    disabled = cli("stock", "exports", "disable", "1", "--reason", "they left", "--json")
    assert json.loads(disabled.stdout) == {"id": 1, "active": False, "changed": True}
    listed = cli("stock", "exports", "list")
    assert "out/stock_{id}.csv" in listed.stdout

    told = audit(database)
    assert [(line[0], line[1], line[3]) for line in told] == [
        ("maria", "stock exports set", "a new customer"),
        ("maria", "stock exports set", None),
        ("maria", "stock exports set", None),
        ("maria", "stock exports enable", None),
        ("maria", "stock exports disable", "they left"),
    ]
    assert told[1][4] == {
        "supplier_id": {"before": None, "after": 12},
        "transport_surcharge": {"before": "0.00", "after": "4.90"},
    }


def test_what_show_prints_can_be_edited_and_read_again(
    cli: CommandLine, database: Database, tmp_path: Path
) -> None:
    assert cli(*NEW).returncode == 0
    shown = json.loads(cli("stock", "exports", "show", "1", "--json").stdout)
    file = tmp_path / "acme.json"
    file.write_text(json.dumps({**shown, "require_ean": True, "max_drop_pct": 12.5}))

    changed = cli("stock", "exports", "set", "1", "--from", str(file), "--min-rows", "5")

    assert changed.returncode == 0, changed.stderr
    row = database.query("SELECT require_ean, max_drop_pct::text, min_rows FROM export_setting")
    assert row == [(True, "12.50", 5)]
    toml = tmp_path / "acme.toml"
    toml.write_text('delimiter = "tab"\n[column_map]\nsku = "article_number"\n')
    assert cli("stock", "exports", "set", "1", "--from", str(toml)).returncode == 0
    row = database.query("SELECT delimiter, column_map FROM export_setting")
    assert row == [("\t", [["sku", "article_number"]])]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--file-name", "../stock.csv"], "names no directory"),
        (["--to", "../../etc"], "--to"),
        (["--to", "sftp://user:pa55word@example.com/in"], "its URL holds a login"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_changes(
    cli: CommandLine, database: Database, options: list[str], said: str
) -> None:
    refused = cli(*NEW, *options)

    assert refused.returncode == 65, refused.stdout
    assert said in refused.stderr
    assert "pa55word" not in refused.stderr
    assert database.query("SELECT FROM export_setting") == []
    assert audit(database) == []


def test_what_is_not_there_is_told_with_what_is(cli: CommandLine, database: Database) -> None:
    add_export(database, name="acme")
    for command in (
        "stock exports show 8",
        "stock exports set 8 --min-rows 1",
        "stock exports enable 8",
        "stock runs --export 8",
    ):
        done = cli(*command.split())
        assert (done.returncode, "there is no export 8; there are 1 'acme'" in done.stderr) == (
            65,
            True,
        ), done.stderr
    assert "a new export needs" in cli("stock", "exports", "set", "--name", "x").stderr
    assert cli("stock", "exports", "set").returncode == 64
    assert "called 'acme' already" in cli(*NEW).stderr
    assert "did you mean 'encoding'" in _from_file(cli, {"encodign": "utf-8"})
    assert cli("stock", "rules", "set", "9", "--percent", "1").returncode == 65


def _from_file(cli: CommandLine, values: dict[str, Any]) -> str:
    file = cli.directory / "given.json"
    file.write_text(json.dumps(values))
    return cli("stock", "exports", "set", "1", "--from", str(file)).stderr


def test_a_login_that_somebody_wrote_by_hand_is_shown_nowhere(
    cli: CommandLine, database: Database
) -> None:
    with database.connect() as connection:
        create_shop(connection, database.settings().db.shop_schema)
    add_export(database, transport="sftp://user:hidden@example.com/in")

    for command in (
        "exports list",
        "exports list --json",
        "exports show 1",
        "export",
        "runs --json",
    ):
        done = cli("stock", *command.split())
        assert "hidden" not in done.stdout + done.stderr, command
    assert "its URL holds a login" in cli("stock", "exports", "enable", "1").stderr
    assert database.query("SELECT destination FROM export_run") == [
        ("sftp://example.com/in/stock_{id}.csv",)
    ]


def test_rules_are_made_changed_listed_in_order_and_removed(
    cli: CommandLine, database: Database
) -> None:
    first = cli("stock", "rules", "set", "--percent", "12,5", "--brand", "Pirelli")
    assert first.stdout == "Made rule 1: +12.5 % on brand Pirelli.\n", first.stderr
    cli("stock", "rules", "set", "--amount", "3", "--article", "A0000017")
    cli("stock", "rules", "set", "--percent", "20", "--brand", "OZ", "--diameter", "17")
    listed = json.loads(cli("stock", "rules", "list", "--json").stdout)
    assert [rule["id"] for rule in listed] == [2, 3, 1]
    changed = cli("stock", "rules", "set", "3", "--diameter", "none", "--until", "2026-12-31")
    assert changed.stdout == "Changed rule 3: +20 % on brand OZ.\n", changed.stderr
    assert database.query(
        "SELECT wheel_diameter, valid_until::text FROM margin_rule WHERE id = 3"
    ) == [(None, "2026-12-31")]

    removed = cli("stock", "rules", "remove", "1", "99", "--reason", "over")

    assert (removed.returncode, removed.stdout) == (1, "Removed rule 1.\nThere is no rule 99.\n")
    last = audit(database)[-1]
    assert last[:4] == ("maria", "stock rules remove", "rule 1", "over")
    assert last[4]["1"]["value"] == "12.5000"


def test_a_rule_that_makes_no_sense_is_refused(cli: CommandLine, database: Database) -> None:
    refused = cli("stock", "rules", "set", "--percent", "-250", "--brand", "OZ")

    assert (refused.returncode, "above -100" in refused.stderr) == (65, True), refused.stderr
    assert database.query("SELECT FROM margin_rule") == []


def test_rules_come_from_a_file_all_or_none(
    cli: CommandLine, database: Database, tmp_path: Path
) -> None:
    add_rule(database, "amount", "1", brand="OZ")
    add_rule(database, "amount", "2", brand="Ronal")
    file = tmp_path / "rules.csv"
    file.write_text(
        "\ufeffid;kind;value;brand;priority\n2;amount;2,50;Ronal;\n;percent;10;Pirelli;5\n",
        encoding="utf-8",
    )
    dry = cli("stock", "rules", "import", str(file), "--dry-run")
    assert dry.stdout.endswith("is right: 2 rules; nothing was changed.\n"), dry.stderr

    done = cli("stock", "rules", "import", str(file), "--replace")

    assert done.stdout == "1 added, 1 changed, 0 unchanged, 1 removed.\n", done.stderr
    rules = database.query("SELECT id, brand, value::text, priority FROM margin_rule ORDER BY id")
    assert rules == [(2, "Ronal", "2.5000", 0), (3, "Pirelli", "10.0000", 5)]
    file.write_text("kind;value;brand\npercent;10;OZ\npercent;ten;OZ\npercent;1\n")
    refused = cli("stock", "rules", "import", str(file), "--replace")
    assert refused.returncode == 65
    assert "line 3: value: 'ten' is no number" in refused.stderr
    assert "line 4: it has 2 cells, the header 3" in refused.stderr
    assert database.query("SELECT count(*) FROM margin_rule") == [(2,)]


def test_a_price_is_explained(cli: CommandLine, database: Database) -> None:
    with database.connect() as connection:
        create_shop(connection, database.settings().db.shop_schema)
    article = add_article(database, "A0000017", brand="Pirelli", category="winter")
    add_offer(database, article, "50.00", supplier=12, sku="S9")
    add_offer(database, article, "49.00", supplier=13, qty=0)
    add_rule(database, "percent", "10", brand="Pirelli", category="winter")
    add_rule(database, "amount", "3", brand="Pirelli", priority=9)
    add_rule(database, "amount", "9", brand="OZ")
    add_export(database, transport_surcharge="4.90")

    told = cli("stock", "price", "A0000017", "--export", "1")

    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines() == [
        "article         A0000017 (tyre, Pirelli, winter)",
        "export          1",
        "offer           supplier 12, sku S9, 5 in stock; the best of 2",
        "purchase price  50.0000 EUR",
        "margin          +5 EUR, by rule 1: +10 % on category winter, brand Pirelli",
        "surcharge       4.90 EUR",
        "price           59.90 EUR",
        "",
        "RULE  FOR                             MARGIN     VERDICT",
        "1     category winter, brand Pirelli  +10 %      wins",
        "2     brand Pirelli                   +3.00 EUR  names 1, not 2",
        "",
        "1 do not apply.",
    ]
    priced = json.loads(cli("stock", "price", "A0000017", "--json").stdout)
    assert priced["priced"]["price"] == "55.00"
    assert [(rule["id"], rule["verdict"]) for rule in priced["applicable"]] == [
        (1, "wins"),
        (2, "names 1, not 2"),
    ]
    unknown = cli("stock", "price", "A000017")
    assert unknown.returncode == 65
    assert "did you mean 'A0000017'" in unknown.stderr

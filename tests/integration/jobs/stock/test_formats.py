"""How exports read: CSV, JSON lines and XML, in any encoding, whatever the articles hold."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
from defusedxml import ElementTree

from cronops.db.shop import create_shop
from cronops.errors import Interrupted
from cronops.jobs.stock.generate import Generated, generate
from cronops.jobs.stock.setting import NUMBER_FIELDS, SOURCES, WHOLE_FIELDS, ExportSetting
from tests.databases import Database
from tests.integration.jobs.stock.exports import add_article, add_offer
from tests.integration.jobs.stock.golden import TODAY
from tests.servers import wait_until

SETTING = ExportSetting(
    id=1,
    name="acme",
    platform="tyre24",
    column_map=[("number", "article_number"), ("brand", "brand"), ("price", "price")],
    transport="out",
    file_pattern="x",
)
# What articles may be called: each would end, open or break something somewhere.
NASTY = [
    "plain",
    'quo"te',
    "semi;colon",
    "com,ma",
    "line\nbreak",
    "carriage\rreturn",
    "tab\tstop",
    "back\\slash\\n",
    "\\.",
    "<b>&amp;</b>",
    "]]>",
    "=cmd|' /C calc'!A0",
    "+49",
    "-1",
    "@here",
    "ünïcödé ™",
    "Łódź 東京",
    "\x01one\x02two",
    "\ufffe\uffff",
    " ",
    "'",
    "null",
]

WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%margin_rule%'
"""


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with database.connect() as opened:
        create_shop(opened, database.settings().db.shop_schema)
        yield opened


@pytest.fixture
def nasty(database: Database, connection: psycopg.Connection[Any]) -> list[str]:
    for number, text in enumerate(NASTY):
        add_offer(database, add_article(database, f"N{number:02}", brand=text), "1234.5")
    return NASTY


def made(
    connection: psycopg.Connection[Any], directory: Path, **values: Any
) -> tuple[bytes, Generated]:
    target = directory / "generated"
    target.unlink(missing_ok=True)
    setting = replace(SETTING, **values)
    found = generate(connection, setting, target, today=TODAY, go_on=lambda _: True)
    content = target.read_bytes()
    assert (found.sha256, found.size) == (sha256(content).hexdigest(), len(content))
    return content, found


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("quoting", ["minimal", "all"])
def test_csv_is_read_back_as_it_was(
    nasty: list[str],
    connection: psycopg.Connection[Any],
    tmp_path: Path,
    delimiter: str,
    quoting: str,
) -> None:
    content, found = made(
        connection, tmp_path, delimiter=delimiter, quoting=quoting, decimal_mark=","
    )

    rows = list(
        csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter, strict=True)
    )
    assert rows[0] == ["number", "brand", "price"]
    assert [row[1] for row in rows[1:]] == nasty
    assert {row[2] for row in rows[1:]} == {"1234,50"}
    assert found.rows == len(nasty)


def test_csv_as_a_partner_sees_it(
    connection: psycopg.Connection[Any], database: Database, tmp_path: Path
) -> None:
    add_offer(database, add_article(database, "A1", brand=None, mpn=""), "10")
    columns = [("Nr.", "article_number"), ("brand", "brand"), ("mpn", "mpn"), ("a;b", "=x y")]

    plain, _ = made(connection, tmp_path, column_map=columns)
    quoted, _ = made(connection, tmp_path, column_map=columns, quoting="all")
    bare, _ = made(connection, tmp_path, column_map=columns, header=False)

    assert plain == b'Nr.;brand;mpn;"a;b"\nA1;;;x y\n'
    assert quoted == b'"Nr.";"brand";"mpn";"a;b"\n"A1";"";"";"x y"\n'
    assert bare == b"A1;;;x y\n"


def test_json_lines_are_read_back_as_they_were(
    nasty: list[str], connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    content, found = made(
        connection,
        tmp_path,
        format="jsonl",
        column_map=[*SETTING.column_map, ('na"me\\', "=fixed"), ("ean", "ean"), ("n", "qty")],
    )

    lines = [json.loads(line) for line in content.decode().split("\n")[:-1]]
    assert [line["brand"] for line in lines] == nasty
    assert lines[0] == {
        "number": "N00",
        "brand": "plain",
        "price": 1234.5,
        'na"me\\': "fixed",
        "ean": None,
        "n": 5,
    }
    assert found.rows == len(lines)


def test_xml_is_read_back_but_for_what_xml_cannot_hold(
    nasty: list[str], connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    for encoding in ("utf-8", "utf-8-sig", "windows-1252", "latin-1"):
        content, found = made(connection, tmp_path, format="xml", encoding=encoding)
        root = ElementTree.fromstring(content)
        brands = [element.findtext("brand") for element in root]
        assert root.tag == "articles"
        assert [one.replace("\n", "\r") for one in brands if one] == [
            text.replace("\n", "\r")
            for text in (
                one.replace("\x01", "").replace("\x02", "").replace("\ufffe\uffff", "")
                for one in nasty
            )
            if text
        ]
        assert found.rows == len(nasty)
        assert found.counts["replaced"] == 0


def test_what_an_encoding_lacks_is_replaced_and_counted(
    nasty: list[str], connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    content, found = made(connection, tmp_path, encoding="windows-1252")
    text = content.decode("windows-1252")
    assert "ünïcödé ™" in text
    assert "?ód? ??" in text
    assert found.counts["replaced"] == 6  # Ł, ź and two of Tokyo; two that are no characters
    latin, found = made(connection, tmp_path, encoding="latin-1")
    assert "ünïcödé ?" in latin.decode("latin-1")
    assert found.counts["replaced"] == 7
    signed, _ = made(connection, tmp_path, encoding="utf-8-sig")
    assert signed.startswith(b"\xef\xbb\xbfnumber;")


def test_formulas_are_guarded_where_that_is_asked_for(
    nasty: list[str], connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    content, _ = made(connection, tmp_path, guard_formulas=True)

    brands = [
        row[1] for row in csv.reader(io.StringIO(content.decode(), newline=""), delimiter=";")
    ]
    assert brands[1:] == [f"'{one}" if one[0] in "=+-@" else one for one in nasty]


def test_every_source_can_be_shown_in_every_format(
    connection: psycopg.Connection[Any], database: Database, tmp_path: Path
) -> None:
    article = add_article(
        database, "A1", ean="0123456789012", wheel_diameter="17.0", weight="8.250", base_price="99"
    )
    add_offer(database, article, "10.1250", supplier=12)
    database.query(
        "UPDATE supplier_stock SET delivery_days = 2, updated_at = '2026-11-23T04:00:00+01'"
    )
    columns = [(source, source) for source in SOURCES]
    expected = {
        "article_number": "A1",
        "type": "tyre",
        "ean": "0123456789012",
        "mpn": "",
        "tyre24_id": "",
        "topm_id": "",
        "brand": "OZ",
        "category": "",
        "tyre_size": "",
        "sku": "sku-1",
        "price": "10.13",
        "purchase_price": "10.125",
        "base_price": "99",
        "weight": "8.25",
        "wheel_diameter": "17",
        "qty": "5",
        "supplier_id": "12",
        "delivery_days": "2",
        "currency": "EUR",
        "updated_at": "2026-11-23T03:00:00Z",
    }
    text, _ = made(connection, tmp_path, column_map=columns)
    assert list(csv.DictReader(io.StringIO(text.decode()), delimiter=";")) == [expected]
    xml, _ = made(connection, tmp_path, format="xml", column_map=columns)
    [element] = ElementTree.fromstring(xml)
    assert {child.tag: child.text or "" for child in element} == expected
    lines, _ = made(connection, tmp_path, format="jsonl", column_map=columns)
    assert json.loads(lines, parse_float=Decimal) == {
        name: Decimal(value) if name in (*NUMBER_FIELDS, *WHOLE_FIELDS) else value or None
        for name, value in expected.items()
    }


def test_what_is_no_number_and_no_moment_is_empty(
    connection: psycopg.Connection[Any], database: Database, tmp_path: Path
) -> None:
    article = add_article(
        database, "A1", wheel_diameter="NaN", weight="NaN", base_price="NaN", ean="4006381333931"
    )
    add_offer(database, article, "10")
    database.query("UPDATE supplier_stock SET updated_at = 'infinity'")
    columns = [(one, one) for one in ("wheel_diameter", "weight", "base_price", "updated_at")]

    text, _ = made(connection, tmp_path, column_map=columns, quoting="all", header=False)
    assert text == b'"";"";"";""\n'
    xml, _ = made(connection, tmp_path, format="xml", column_map=columns)
    assert not "".join(ElementTree.fromstring(xml).itertext()).strip()
    lines, _ = made(connection, tmp_path, format="jsonl", column_map=columns)
    assert json.loads(lines) == dict.fromkeys(dict(columns))


@pytest.mark.parametrize("format", ["csv", "jsonl", "xml"])
def test_many_rows_come_in_the_order_of_article_numbers(
    connection: psycopg.Connection[Any], tmp_path: Path, format: str
) -> None:
    # Inserted in another order, and of numbers that a language would sort otherwise.
    connection.execute(
        "INSERT INTO article (article_number, type) SELECT CASE n % 3 WHEN 0 THEN 'a' WHEN 1 THEN"
        " 'B' ELSE '-' END || n, 'tyre' FROM generate_series(1, 5000) AS n ORDER BY md5(n::text)"
    )
    connection.execute(
        "INSERT INTO supplier_stock (supplier_id, sku, article_id, qty, price)"
        " SELECT 1, 's' || id, id, 1, id FROM article ORDER BY md5(id::text)"
    )
    content, found = made(connection, tmp_path, format=format, column_map=[("n", "article_number")])

    lines = content.decode().splitlines()
    numbers = lines[1:] if format == "csv" else lines
    if format == "xml":
        numbers = [element.findtext("n", "") for element in ElementTree.fromstring(content)]
    elif format == "jsonl":
        numbers = [json.loads(line)["n"] for line in lines]
    assert len(numbers) == found.rows == 5000
    assert numbers == sorted(numbers)


def test_it_is_all_of_the_moment_in_which_it_began(
    connection: psycopg.Connection[Any], database: Database, tmp_path: Path
) -> None:
    add_offer(database, add_article(database, "A1"), "10.00")
    setting = replace(SETTING, column_map=[("stock", "qty")], header=False)
    target = tmp_path / "generated"

    def write() -> None:
        generate(connection, setting, target, today=TODAY, go_on=lambda _: True)

    with database.connect() as importer, importer.transaction():
        importer.execute("LOCK TABLE margin_rule IN ACCESS EXCLUSIVE MODE")
        writer = Thread(target=write)
        writer.start()
        # It has begun, and waits for the rules; the stock is read after them.
        wait_until(lambda: database.query(WAITING) == [(1,)])
        importer.execute("UPDATE supplier_stock SET qty = 77")
    writer.join(30)

    assert target.read_text() == "5\n"


def test_it_stops_when_told(connection: psycopg.Connection[Any], tmp_path: Path) -> None:
    connection.execute(
        "WITH new AS (INSERT INTO article (article_number, type) SELECT 'C' || n, 'tyre'"
        " FROM generate_series(1, 2000) AS n RETURNING id)"
        " INSERT INTO supplier_stock (supplier_id, sku, article_id, qty, price)"
        " SELECT 1, 's' || id, id, 1, 5 FROM new"
    )
    seen: list[int] = []

    def go_on(rows: int) -> bool:
        seen.append(rows)
        return len(seen) < 4

    with pytest.raises(Interrupted):
        generate(connection, SETTING, tmp_path / "generated", today=TODAY, go_on=go_on)

    assert len(seen) == 4
    assert 0 < seen[0] < seen[3] < 2000

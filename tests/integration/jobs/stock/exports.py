"""What tests of exports start from: settings, articles, offers and rules as single statements."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb

from tests.databases import Database

COLUMNS = [
    ["number", "article_number"],
    ["ean", "ean"],
    ["brand", "brand"],
    ["stock", "qty"],
    ["price", "price"],
]


def insert(database: Database, table: str, values: Mapping[str, Any]) -> int:
    """Insert a row; its id."""
    names = ", ".join(values)
    marks = ", ".join(f"%({name})s" for name in values)
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING id"
    return int(database.query(statement, values)[0][0])


def add_export(database: Database, **values: Any) -> int:
    """An active export of all suppliers' stock to the directory ``out``; its id."""
    row = {
        "name": f"export {len(database.query('SELECT FROM export_setting')) + 1}",
        "platform": "tyre24",
        "column_map": COLUMNS,
        "transport": "out",
        "file_pattern": "stock_{id}.csv",
        "active": True,
        **values,
    }
    row["column_map"] = Jsonb(row["column_map"])
    return insert(database, "export_setting", row)


def add_article(database: Database, number: str, **values: Any) -> int:
    """An active tyre without an EAN; its id."""
    return insert(
        database, "article", {"article_number": number, "type": "tyre", "brand": "OZ", **values}
    )


def add_offer(
    database: Database,
    article: int | None,
    price: str | None,
    *,
    supplier: int = 1,
    qty: int = 5,
    sku: str | None = None,
) -> None:
    """A supplier's offer."""
    database.query(
        "INSERT INTO supplier_stock (supplier_id, sku, article_id, qty, price)"
        " VALUES (%s, %s, %s, %s, %s)",
        (supplier, sku or f"sku-{article}", article, qty, price),
    )


def add_rule(database: Database, kind: str, value: str, **values: Any) -> int:
    """A margin rule; its id."""
    return insert(database, "margin_rule", {"kind": kind, "value": value, **values})


def runs(database: Database, *columns: str) -> list[tuple[Any, ...]]:
    """What was recorded of exports, in order."""
    return database.query(f"SELECT {', '.join(columns)} FROM export_run ORDER BY id")


def files_below(directory: Path) -> dict[str, bytes]:
    """Every file below a directory by its path, hidden ones included."""
    return {
        str(file.relative_to(directory)): file.read_bytes()
        for file in sorted(directory.rglob("*"))
        if file.is_file()
    }

"""A supplier's file into the table as people write it: ``… benchmarks.peers.bulk WAY URL FILE``."""

import csv
import sys
from decimal import Decimal
from itertools import islice

from sqlalchemy import create_engine, text

CHUNK = 10_000
BATCH = 1_000
MERGE = """
INSERT INTO supplier_stock (supplier_id, sku, article_id, qty, price, delivery_days)
SELECT DISTINCT ON (s.sku) 1, s.sku, coalesce(e.id, p.id), s.qty, s.price, s.days
FROM pandas_row AS s
LEFT JOIN article AS e ON e.ean = s.ean
LEFT JOIN article AS p ON p.mpn = s.mpn
ON CONFLICT (supplier_id, sku) DO UPDATE SET article_id = excluded.article_id, qty = excluded.qty,
    price = excluded.price, delivery_days = excluded.delivery_days, updated_at = now()
"""


def by_pandas(url: str, file: str) -> None:
    import pandas

    engine = _engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS pandas_row"))
        for frame in pandas.read_csv(file, sep=";", dtype={"EAN": str}, chunksize=CHUNK):
            frame.columns = ["sku", "ean", "mpn", "qty", "price", "days"]
            frame.to_sql("pandas_row", connection, if_exists="append", index=False, chunksize=CHUNK)
        connection.execute(text(MERGE))


def by_pydantic(url: str, file: str) -> None:
    from pydantic import BaseModel, Field
    from sqlalchemy import MetaData, Table, func
    from sqlalchemy.dialects.postgresql import insert

    class Row(BaseModel):
        sku: str = Field(alias="Item", min_length=1, max_length=100)
        ean: str = Field(alias="EAN", pattern=r"^(\d{13})?$")
        mpn: str = Field(alias="MPN", max_length=100)
        qty: int = Field(alias="Stock", ge=0)
        price: Decimal = Field(alias="Price", ge=0)
        days: int = Field(alias="Days", ge=0)

    engine = _engine(url)
    with engine.begin() as connection, open(file, newline="") as lines:  # noqa: PTH123
        stock = Table("supplier_stock", MetaData(), autoload_with=connection)
        articles = dict(connection.execute(text("SELECT ean, id FROM article")).fetchall())
        reader = csv.DictReader(lines, delimiter=";")
        while batch := [Row.model_validate(row) for row in islice(reader, BATCH)]:
            statement = insert(stock).values(
                [
                    {
                        "supplier_id": 1,
                        "sku": row.sku,
                        "article_id": articles.get(row.ean),
                        "qty": row.qty,
                        "price": row.price,
                        "delivery_days": row.days,
                    }
                    for row in batch
                ]
            )
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["supplier_id", "sku"],
                    set_={
                        "article_id": statement.excluded.article_id,
                        "qty": statement.excluded.qty,
                        "price": statement.excluded.price,
                        "delivery_days": statement.excluded.delivery_days,
                        "updated_at": func.now(),
                    },
                )
            )


def _engine(url: str):
    search_path = {"options": "-c search_path=cronops,shop,public"}
    return create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1), connect_args=search_path
    )


if __name__ == "__main__":
    {"pandas": by_pandas, "pydantic": by_pydantic}[sys.argv[1]](*sys.argv[2:])

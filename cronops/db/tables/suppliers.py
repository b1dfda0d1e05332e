"""Import settings, imported files, and what the suppliers have in stock."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    Text,
    text,
)

from cronops.db.tables.base import NOW, TIME, metadata

supplier_stock = Table(
    "supplier_stock",
    metadata,
    Column("supplier_id", Integer, primary_key=True, autoincrement=False),
    Column("sku", Text, primary_key=True),
    Column("article_id", BigInteger),
    Column("qty", Integer, nullable=False),
    Column("price", Numeric(12, 4)),
    Column("delivery_days", SmallInteger),
    Column("updated_at", TIME, nullable=False, server_default=NOW),
    CheckConstraint("qty >= 0", name="supplier_stock_qty_check"),
    CheckConstraint("price >= 0", name="supplier_stock_price_check"),
    Index(
        "supplier_stock_article",
        "article_id",
        postgresql_where=text("article_id IS NOT NULL"),
    ),
    postgresql_with={"fillfactor": 50},
)

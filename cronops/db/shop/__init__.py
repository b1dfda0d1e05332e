"""The shop's own tables, as far as jobs use them; they are the shop's, not ours to migrate.

Where the shop keeps something otherwise, a view of this shape in ``db.shop_schema`` does as well.
Only the demo and tests create them from here. docs/shop.md shows them.
"""

from typing import TYPE_CHECKING, Any

from cronops.db.shop.articles import ARTICLE
from cronops.db.shop.customers import CUSTOMER, LICENSE, TENANT
from cronops.db.shop.hits import PAGEHIT
from cronops.db.shop.table import ShopTable
from cronops.db.shop.upkeep import ARTICLE_SEARCH_CACHE, LOG_UPDATE, POPULAR_ARTICLE
from cronops.db.shop.wheels import WHEEL
from cronops.errors import ConfigurationError

if TYPE_CHECKING:
    import psycopg

    from cronops.config import Settings

__all__ = ["SHOP_TABLES", "ShopTable", "check_shop", "create_shop"]

SHOP_TABLES: dict[str, ShopTable] = {
    table.name: table
    for table in (
        ARTICLE,
        WHEEL,
        TENANT,
        CUSTOMER,
        LICENSE,
        PAGEHIT,
        LOG_UPDATE,
        ARTICLE_SEARCH_CACHE,
        POPULAR_ARTICLE,
    )
}
"""By name, in the order in which they are created."""

_MISSING = """
SELECT wanted FROM unnest(%(columns)s::text[]) WITH ORDINALITY AS wanted (wanted, place)
WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_attribute
    WHERE attrelid = to_regclass(%(table)s) AND attname = wanted AND attnum > 0
        AND NOT attisdropped
)
ORDER BY place
"""


def create_shop(connection: "psycopg.Connection[Any]", schema: str) -> None:
    """Create the shop's schema and tables where they are missing: for demo and tests."""
    from psycopg import sql

    name = sql.Identifier(schema)
    with connection.transaction():
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
        for table in SHOP_TABLES.values():
            for statement in table.create:
                connection.execute(sql.SQL(statement).format(schema=name))


def check_shop(connection: "psycopg.Connection[Any]", settings: "Settings", *tables: str) -> None:
    """Raise `ConfigurationError` where tables of the shop are not as jobs use them.

    Without `tables` the articles are meant.
    """
    for table in tables or (ARTICLE.name,):
        _check(connection, settings.db.shop_schema, SHOP_TABLES[table])


def _check(connection: "psycopg.Connection[Any]", schema: str, table: ShopTable) -> None:
    wanted = {"table": table.name, "columns": list(table.columns)}
    missing = [row[0] for row in connection.execute(_MISSING, wanted).fetchall()]
    if len(missing) == len(table.columns):
        raise ConfigurationError(
            f"there is no table or view {schema}.{table.name}; set CRONOPS_DB__SHOP_SCHEMA to "
            "where the shop's tables are, or make a view of the shape docs/shop.md shows"
        )
    if missing:
        raise ConfigurationError(
            f"{schema}.{table.name} lacks {', '.join(missing)}; docs/shop.md shows what jobs read"
        )

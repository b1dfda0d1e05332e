"""What suppliers have in stock, and how it is imported."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # Room is left on the pages, so that an update of quantity and price stays on its own.
    """
    CREATE TABLE supplier_stock (
        supplier_id integer NOT NULL,
        sku text NOT NULL,
        article_id bigint,
        qty integer NOT NULL CHECK (qty >= 0),
        price numeric(12,4) CHECK (price >= 0),
        delivery_days smallint,
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (supplier_id, sku)
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE INDEX supplier_stock_article ON supplier_stock (article_id)
    WHERE article_id IS NOT NULL
    """,
)
DROPPED: tuple[str, ...] = ("supplier_stock",)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Remove them again; the data with them."""
    for table in DROPPED:
        op.execute(f"DROP TABLE {table}")

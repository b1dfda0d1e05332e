"""Counters made of page hits, and how far they have come."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE counter (
        period date NOT NULL,
        tenant text NOT NULL,
        metric text NOT NULL
            CHECK (metric IN ('views', 'visitors', 'bot_views', 'article_views',
                'article_visitors')),
        subject text NOT NULL DEFAULT '',
        value bigint NOT NULL CHECK (value > 0),
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (period, tenant, metric, subject)
    )
    """,
    # One row: whatever an earlier transaction wrote is counted.
    """
    CREATE TABLE counter_watermark (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        xid bigint NOT NULL,
        system_id text NOT NULL,
        zone text NOT NULL,
        run_id text NOT NULL,
        read_at timestamptz NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
)
DROPPED: tuple[str, ...] = ("counter_watermark", "counter")


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Remove them again; the data with them."""
    for table in DROPPED:
        op.execute(f"DROP TABLE {table}")

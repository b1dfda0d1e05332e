"""Sets of files that were sent to MAK."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE mak_set (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        run_id text NOT NULL,
        destination text NOT NULL,
        sha256 text NOT NULL,
        files jsonb NOT NULL,
        state text NOT NULL CHECK (state IN ('sending', 'delivered', 'failed')),
        problem text,
        generated_at timestamptz NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX mak_set_latest ON mak_set (destination, id)",
)
DROPPED: tuple[str, ...] = ("mak_set",)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Remove them again; the data with them."""
    for table in DROPPED:
        op.execute(f"DROP TABLE {table}")

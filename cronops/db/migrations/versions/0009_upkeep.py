"""What was cleared away, and how much of it."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = ()
DROPPED: tuple[str, ...] = ()


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Remove them again; the data with them."""
    for table in DROPPED:
        op.execute(f"DROP TABLE {table}")

"""What was cleared away, and how much of it."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE clean_audit (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        run_id text NOT NULL,
        job text NOT NULL,
        target text NOT NULL,
        deleted bigint NOT NULL DEFAULT 0,
        locked bigint NOT NULL DEFAULT 0,
        cutoff timestamptz,
        state text NOT NULL
            CHECK (state IN ('begun', 'done', 'stopped', 'refused', 'failed')),
        problem text,
        begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE UNIQUE INDEX clean_audit_run ON clean_audit (run_id, target)",
    "CREATE INDEX clean_audit_at ON clean_audit (at)",
)
DROPPED: tuple[str, ...] = ("clean_audit",)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Remove them again; the data with them."""
    for table in DROPPED:
        op.execute(f"DROP TABLE {table}")

"""Reminders of licences that end, and what became of each."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # The rows are what keeps a mail from being sent twice: they are kept.
    """
    CREATE TABLE reminder (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        license_id bigint NOT NULL,
        valid_until date NOT NULL,
        days_before integer NOT NULL,
        tenant text NOT NULL,
        customer_id bigint NOT NULL,
        state text NOT NULL
            CHECK (state IN ('sending', 'sent', 'unknown', 'refused', 'deferred')),
        answer text,
        run_id text NOT NULL,
        tries integer NOT NULL DEFAULT 1,
        claimed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE UNIQUE INDEX reminder_once ON reminder (license_id, valid_until, days_before)",
    "CREATE INDEX reminder_unsettled ON reminder (state, valid_until) WHERE state <> 'sent'",
    "CREATE INDEX reminder_at ON reminder (at)",
)
DROPPED: tuple[str, ...] = ("reminder",)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Remove them again; the data with them."""
    for table in DROPPED:
        op.execute(f"DROP TABLE {table}")

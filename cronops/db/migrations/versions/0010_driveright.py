"""Runs of the DriveRight sync, what they pulled, and what it would change."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE driveright_run (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        stage text NOT NULL DEFAULT 'pull'
            CHECK (stage IN ('pull', 'sync', 'email', 'update')),
        status text NOT NULL DEFAULT 'running'
            CHECK (status IN ('running', 'failed', 'held', 'done', 'abandoned')),
        cursor text,
        total integer,
        report text NOT NULL DEFAULT 'none'
            CHECK (report IN ('none', 'sending', 'sent', 'unknown', 'skipped')),
        counts jsonb NOT NULL DEFAULT '{}',
        problem text,
        run_id text NOT NULL,
        started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    # Only one is on its way.
    """
    CREATE UNIQUE INDEX driveright_run_open ON driveright_run ((true))
    WHERE status NOT IN ('done', 'abandoned')
    """,
    """
    CREATE TABLE driveright_vehicle (
        sync bigint NOT NULL REFERENCES driveright_run (id) ON DELETE CASCADE,
        external_id text NOT NULL,
        make text NOT NULL,
        model text NOT NULL,
        generation text NOT NULL,
        variant text NOT NULL,
        built_from integer,
        built_until integer,
        is_valid boolean NOT NULL,
        is_partial boolean NOT NULL,
        PRIMARY KEY (sync, external_id)
    )
    """,
    """
    CREATE TABLE driveright_fitment (
        sync bigint NOT NULL REFERENCES driveright_run (id) ON DELETE CASCADE,
        external_id text NOT NULL,
        product_type text NOT NULL,
        position text NOT NULL,
        is_oe boolean NOT NULL,
        tyre_width integer,
        tyre_aspect integer,
        tyre_diameter numeric(4,1),
        wheel_diameter numeric(4,1),
        wheel_width numeric(4,1),
        pcd text,
        centre_bore numeric(5,1),
        offset_min numeric(5,1),
        offset_max numeric(5,1)
    )
    """,
    "CREATE INDEX driveright_fitment_vehicle ON driveright_fitment (sync, external_id)",
    """
    CREATE TABLE driveright_problem (
        sync bigint NOT NULL REFERENCES driveright_run (id) ON DELETE CASCADE,
        external_id text NOT NULL,
        problem text NOT NULL
    )
    """,
    "CREATE INDEX driveright_problem_sync ON driveright_problem (sync)",
    """
    CREATE TABLE driveright_change (
        sync bigint NOT NULL REFERENCES driveright_run (id) ON DELETE CASCADE,
        external_id text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('added', 'changed', 'retired')),
        vehicle text NOT NULL,
        what text NOT NULL,
        PRIMARY KEY (sync, external_id)
    )
    """,
)
DROPPED: tuple[str, ...] = (
    "driveright_change",
    "driveright_problem",
    "driveright_fitment",
    "driveright_vehicle",
    "driveright_run",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Remove them again; the data with them."""
    for table in DROPPED:
        op.execute(f"DROP TABLE {table}")

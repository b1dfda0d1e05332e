"""Sales platforms, what was pulled from them, and the orders made of it."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE platform (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        code text NOT NULL CHECK (code ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
        name text NOT NULL,
        adapter text NOT NULL,
        config jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(config) = 'object'),
        credential text,
        article_id_column text CHECK (article_id_column IN ('tyre24_id', 'topm_id')),
        active boolean NOT NULL DEFAULT true,
        cursor jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(cursor) = 'object'),
        pulled_at timestamptz,
        problem text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE UNIQUE INDEX platform_code ON platform (code)",
    """
    CREATE TABLE platform_fetch (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        platform_id integer NOT NULL REFERENCES platform (id),
        source text NOT NULL,
        state text NOT NULL CHECK (state IN ('asked', 'raw', 'taken', 'refused', 'lost')),
        content bytea CHECK (state <> 'raw' OR content IS NOT NULL),
        sha256 text,
        orders integer NOT NULL DEFAULT 0,
        problem text,
        run_id text,
        fetched_at timestamptz NOT NULL DEFAULT now(),
        closed_at timestamptz
    )
    """,
    """
    CREATE INDEX platform_fetch_open ON platform_fetch (platform_id, id)
    WHERE state IN ('asked', 'raw')
    """,
    "CREATE INDEX platform_fetch_source ON platform_fetch (platform_id, source, sha256)",
    "CREATE INDEX platform_fetch_age ON platform_fetch (fetched_at)",
    """
    CREATE TABLE platform_order (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        platform_id integer NOT NULL REFERENCES platform (id),
        external_id text NOT NULL CHECK (external_id <> ''),
        sha256 text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('order', 'cancellation')),
        revision bigint NOT NULL DEFAULT 0,
        payload jsonb,
        fetch_id bigint,
        state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'applied', 'superseded')),
        acknowledge boolean NOT NULL DEFAULT false,
        acknowledged_at timestamptz,
        acknowledge_since timestamptz NOT NULL DEFAULT now(),
        refusals integer NOT NULL DEFAULT 0,
        refusal text,
        given_up_at timestamptz,
        received_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE UNIQUE INDEX platform_order_key ON platform_order (platform_id, external_id, sha256)
    """,
    """
    CREATE INDEX platform_order_unacknowledged ON platform_order (platform_id, id)
    WHERE acknowledge AND acknowledged_at IS NULL
    """,
    "CREATE INDEX platform_order_age ON platform_order (received_at) WHERE payload IS NOT NULL",
    """
    CREATE TABLE sales_order (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        platform_id integer NOT NULL REFERENCES platform (id),
        external_id text NOT NULL,
        status text NOT NULL CHECK (status IN ('ready', 'needs_review', 'cancelled')),
        review_reasons text[] NOT NULL DEFAULT '{}',
        version integer NOT NULL DEFAULT 0,
        currency text,
        total numeric(12,2),
        shipping numeric(12,2),
        tax numeric(12,2),
        lines_total numeric(12,2),
        ordered_at timestamptz,
        customer jsonb NOT NULL DEFAULT '{}',
        delivery jsonb NOT NULL DEFAULT '{}',
        order_source bigint,
        order_revision bigint,
        cancelled_source bigint,
        cancelled_revision bigint,
        cancelled_pieces integer,
        cancellation_note text,
        accepted_source bigint,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE UNIQUE INDEX sales_order_key ON sales_order (platform_id, external_id)",
    "CREATE INDEX sales_order_review ON sales_order (id) WHERE status = 'needs_review'",
    "CREATE INDEX sales_order_updated ON sales_order (updated_at, id)",
    """
    CREATE TABLE sales_order_line (
        order_id bigint NOT NULL REFERENCES sales_order (id) ON DELETE CASCADE,
        position integer NOT NULL,
        part_of integer,
        article_id bigint,
        matched_by text,
        article_number text,
        ean text,
        mpn text,
        platform_article_id text,
        title text,
        quantity integer NOT NULL,
        unit_price numeric(14,4),
        total numeric(12,2),
        PRIMARY KEY (order_id, position)
    )
    """,
)
DROPPED: tuple[str, ...] = (
    "sales_order_line",
    "sales_order",
    "platform_order",
    "platform_fetch",
    "platform",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Remove them again; the data with them."""
    for table in DROPPED:
        op.execute(f"DROP TABLE {table}")

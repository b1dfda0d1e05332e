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
    """
    CREATE TABLE supplier_import_setting (
        supplier_id integer PRIMARY KEY CHECK (supplier_id > 0),
        name text NOT NULL CHECK (name <> ''),
        active boolean NOT NULL DEFAULT true,
        source text,
        credential text,
        glob text NOT NULL DEFAULT '*.csv',
        delta_glob text,
        member_glob text NOT NULL DEFAULT '*',
        format text NOT NULL DEFAULT 'csv' CHECK (format IN ('csv', 'xml')),
        delimiter text NOT NULL DEFAULT ';' CHECK (length(delimiter) = 1),
        quote text NOT NULL DEFAULT '"' CHECK (length(quote) <= 1),
        encoding text NOT NULL DEFAULT 'auto',
        decimal text NOT NULL DEFAULT '.' CHECK (decimal IN ('.', ',')),
        thousands text NOT NULL DEFAULT '' CHECK (length(thousands) <= 1),
        header boolean NOT NULL DEFAULT true,
        row_tag text,
        trailer text,
        column_map jsonb NOT NULL,
        mode text NOT NULL DEFAULT 'full' CHECK (mode IN ('full', 'delta')),
        yes_qty integer NOT NULL DEFAULT 1 CHECK (yes_qty > 0),
        currency text NOT NULL DEFAULT 'EUR',
        max_age interval CHECK (max_age > '0'::interval),
        min_rows integer NOT NULL DEFAULT 1 CHECK (min_rows >= 0),
        max_drop_pct numeric(5,2) NOT NULL DEFAULT 30
            CHECK (max_drop_pct >= 0 AND max_drop_pct <= 100),
        max_reject_pct numeric(5,2) NOT NULL DEFAULT 5
            CHECK (max_reject_pct >= 0 AND max_reject_pct <= 100),
        quiet interval NOT NULL DEFAULT '2 seconds' CHECK (quiet >= '0'::interval),
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE import_file (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        supplier_id integer NOT NULL,
        name text NOT NULL,
        modified_at timestamptz,
        size bigint NOT NULL,
        sha256 text,
        mode text NOT NULL,
        result text NOT NULL
            CHECK (result IN ('imported', 'rejected', 'repeated', 'superseded')),
        reason text,
        counts jsonb NOT NULL DEFAULT '{}',
        kept_as text,
        run_id text,
        finished_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    """
    CREATE INDEX import_file_content ON import_file (supplier_id, sha256)
    WHERE result = 'imported'
    """,
    "CREATE INDEX import_file_history ON import_file (supplier_id, finished_at)",
    "CREATE INDEX import_file_name ON import_file (supplier_id, name, size)",
    """
    CREATE TABLE supplier_match_review (
        supplier_id integer NOT NULL,
        sku text NOT NULL,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'rejected')),
        reason text NOT NULL,
        article_id bigint,
        candidates bigint[] NOT NULL DEFAULT '{}',
        identifiers jsonb NOT NULL DEFAULT '{}',
        found_at timestamptz NOT NULL DEFAULT now(),
        decided_at timestamptz,
        decided_by text,
        PRIMARY KEY (supplier_id, sku)
    )
    """,
    """
    CREATE INDEX supplier_match_review_open ON supplier_match_review (supplier_id, found_at)
    WHERE state = 'open'
    """,
    # Which worker process of a run does which supplier, and what came of it.
    """
    CREATE TABLE supplier_import_claim (
        token bigint NOT NULL,
        supplier_id integer NOT NULL,
        worker integer NOT NULL,
        pid integer NOT NULL,
        is_done boolean NOT NULL DEFAULT false,
        error text,
        PRIMARY KEY (token, supplier_id)
    )
    """,
)
DROPPED: tuple[str, ...] = (
    "supplier_import_claim",
    "supplier_match_review",
    "import_file",
    "supplier_import_setting",
    "supplier_stock",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Remove them again; the data with them."""
    for table in DROPPED:
        op.execute(f"DROP TABLE {table}")

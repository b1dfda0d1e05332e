"""Which pages the shop's visitors looked at."""

from cronops.db.shop.table import ShopTable

PAGEHIT = ShopTable(
    "pagehit",
    ("id", "ts", "tenant", "article", "path", "session_hash", "is_bot"),
    (
        """
        CREATE TABLE IF NOT EXISTS {schema}.pagehit (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            ts timestamptz NOT NULL DEFAULT clock_timestamp(),
            tenant text NOT NULL,
            article text,
            path text NOT NULL,
            session_hash text NOT NULL,
            is_bot boolean NOT NULL DEFAULT false
        )
        """,
        "CREATE INDEX IF NOT EXISTS pagehit_ts ON {schema}.pagehit (ts)",
    ),
)

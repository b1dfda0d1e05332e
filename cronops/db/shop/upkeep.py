"""What the shop piles up, and jobs clear away."""

from cronops.db.shop.table import ShopTable

LOG_UPDATE = ShopTable(
    "log_update",
    ("id", "ts", "entity", "entity_id", "user", "old", "new"),
    (
        """
        CREATE TABLE IF NOT EXISTS {schema}.log_update (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            ts timestamptz NOT NULL DEFAULT clock_timestamp(),
            entity text NOT NULL,
            entity_id text NOT NULL,
            "user" text,
            old jsonb,
            new jsonb
        )
        """,
        "CREATE INDEX IF NOT EXISTS log_update_ts ON {schema}.log_update (ts)",
    ),
)

ARTICLE_SEARCH_CACHE = ShopTable(
    "article_search_cache",
    ("key", "built_at", "expires_at"),
    (
        """
        CREATE TABLE IF NOT EXISTS {schema}.article_search_cache (
            key text PRIMARY KEY,
            built_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            expires_at timestamptz NOT NULL
        )
        """,
    ),
)

POPULAR_ARTICLE = ShopTable(
    "popular_article",
    ("article", "period", "score", "pinned"),
    (
        """
        CREATE TABLE IF NOT EXISTS {schema}.popular_article (
            article text NOT NULL,
            period date NOT NULL,
            score numeric NOT NULL DEFAULT 0,
            pinned boolean NOT NULL DEFAULT false,
            PRIMARY KEY (article, period)
        )
        """,
    ),
)

"""What a wheel measures, beside what the article says of it."""

from cronops.db.shop.table import ShopTable

WHEEL = ShopTable(
    "wheel",
    ("article_id", "width", "pcd", "centre_bore", "wheel_offset"),
    (
        """
        CREATE TABLE IF NOT EXISTS {schema}.wheel (
            article_id bigint PRIMARY KEY REFERENCES {schema}.article,
            width numeric(4,1) NOT NULL,
            pcd text NOT NULL,
            centre_bore numeric(5,1) NOT NULL,
            wheel_offset numeric(5,1) NOT NULL
        )
        """,
    ),
)

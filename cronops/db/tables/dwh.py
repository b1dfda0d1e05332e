"""Counters of page hits by day, and how far they have come."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from cronops.db.tables.base import CLOCK, TIME, TRUE, metadata

counter = Table(
    "counter",
    metadata,
    Column("period", Date, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("subject", Text, nullable=False, server_default=text("''")),
    Column("value", BigInteger, nullable=False),
    Column("updated_at", TIME, nullable=False, server_default=CLOCK),
    PrimaryKeyConstraint("period", "tenant", "metric", "subject"),
    CheckConstraint(
        "metric IN ('views', 'visitors', 'bot_views', 'article_views', 'article_visitors')",
        name="counter_metric_check",
    ),
    CheckConstraint("value > 0", name="counter_value_check"),
)

counter_watermark = Table(
    "counter_watermark",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=TRUE),
    Column("xid", BigInteger, nullable=False),
    Column("system_id", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("read_at", TIME, nullable=False),
    Column("at", TIME, nullable=False, server_default=CLOCK),
    CheckConstraint("one", name="counter_watermark_one_check"),
)

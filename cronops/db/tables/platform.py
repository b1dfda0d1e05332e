"""Sales platforms, what was pulled from them, and the orders made of it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from cronops.db.tables.base import EMPTY_OBJECT, FALSE, NOW, TIME, TRUE, metadata

_ZERO = text("0")

platform = Table(
    "platform",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("adapter", Text, nullable=False),
    Column("config", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("credential", Text),
    Column("article_id_column", Text),
    Column("active", Boolean, nullable=False, server_default=TRUE),
    Column("cursor", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("pulled_at", TIME),
    Column("problem", Text),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Column("updated_at", TIME, nullable=False, server_default=NOW),
    CheckConstraint("jsonb_typeof(config) = 'object'", name="platform_config_check"),
    CheckConstraint("jsonb_typeof(cursor) = 'object'", name="platform_cursor_check"),
    CheckConstraint("code ~ '^[a-z0-9][a-z0-9-]{0,39}$'", name="platform_code_check"),
    Index("platform_code", "code", unique=True),
    CheckConstraint(
        "article_id_column IN ('tyre24_id', 'topm_id')", name="platform_article_id_column_check"
    ),
)

platform_fetch = Table(
    "platform_fetch",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("platform_id", Integer, ForeignKey("platform.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("content", LargeBinary),
    Column("sha256", Text),
    Column("orders", Integer, nullable=False, server_default=_ZERO),
    Column("problem", Text),
    Column("run_id", Text),
    Column("fetched_at", TIME, nullable=False, server_default=NOW),
    Column("closed_at", TIME),
    CheckConstraint(
        "state IN ('asked', 'raw', 'taken', 'refused', 'lost')", name="platform_fetch_state_check"
    ),
    CheckConstraint("state <> 'raw' OR content IS NOT NULL", name="platform_fetch_check"),
    Index(
        "platform_fetch_open",
        "platform_id",
        "id",
        postgresql_where=text("state IN ('asked', 'raw')"),
    ),
    Index("platform_fetch_source", "platform_id", "source", "sha256"),
    Index("platform_fetch_age", "fetched_at"),
)

platform_order = Table(
    "platform_order",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("platform_id", Integer, ForeignKey("platform.id"), nullable=False),
    Column("external_id", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("revision", BigInteger, nullable=False, server_default=_ZERO),
    Column("payload", JSONB),
    Column("fetch_id", BigInteger),
    Column("state", Text, nullable=False, server_default=text("'new'")),
    Column("acknowledge", Boolean, nullable=False, server_default=FALSE),
    Column("acknowledged_at", TIME),
    Column("acknowledge_since", TIME, nullable=False, server_default=NOW),
    Column("refusals", Integer, nullable=False, server_default=_ZERO),
    Column("refusal", Text),
    Column("given_up_at", TIME),
    Column("received_at", TIME, nullable=False, server_default=NOW),
    Index("platform_order_key", "platform_id", "external_id", "sha256", unique=True),
    CheckConstraint("external_id <> ''", name="platform_order_external_id_check"),
    CheckConstraint("kind IN ('order', 'cancellation')", name="platform_order_kind_check"),
    CheckConstraint("state IN ('new', 'applied', 'superseded')", name="platform_order_state_check"),
    Index(
        "platform_order_unacknowledged",
        "platform_id",
        "id",
        postgresql_where=text("acknowledge AND acknowledged_at IS NULL"),
    ),
    Index("platform_order_age", "received_at", postgresql_where=text("payload IS NOT NULL")),
)

sales_order = Table(
    "sales_order",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("platform_id", Integer, ForeignKey("platform.id"), nullable=False),
    Column("external_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("review_reasons", ARRAY(Text), nullable=False, server_default=EMPTY_OBJECT),
    Column("version", Integer, nullable=False, server_default=_ZERO),
    Column("currency", Text),
    Column("total", Numeric(12, 2)),
    Column("shipping", Numeric(12, 2)),
    Column("tax", Numeric(12, 2)),
    Column("lines_total", Numeric(12, 2)),
    Column("ordered_at", TIME),
    Column("customer", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("delivery", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("order_source", BigInteger),
    Column("order_revision", BigInteger),
    Column("cancelled_source", BigInteger),
    Column("cancelled_revision", BigInteger),
    Column("cancelled_pieces", Integer),
    Column("cancellation_note", Text),
    Column("accepted_source", BigInteger),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Column("updated_at", TIME, nullable=False, server_default=NOW),
    Index("sales_order_key", "platform_id", "external_id", unique=True),
    CheckConstraint(
        "status IN ('ready', 'needs_review', 'cancelled')", name="sales_order_status_check"
    ),
    Index("sales_order_review", "id", postgresql_where=text("status = 'needs_review'")),
    Index("sales_order_updated", "updated_at", "id"),
)

sales_order_line = Table(
    "sales_order_line",
    metadata,
    Column(
        "order_id", BigInteger, ForeignKey("sales_order.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("part_of", Integer),
    Column("article_id", BigInteger),
    Column("matched_by", Text),
    Column("article_number", Text),
    Column("ean", Text),
    Column("mpn", Text),
    Column("platform_article_id", Text),
    Column("title", Text),
    Column("quantity", Integer, nullable=False),
    Column("unit_price", Numeric(14, 4)),
    Column("total", Numeric(12, 2)),
)

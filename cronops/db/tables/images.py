"""What `images enqueue-batches` and its handler keep."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from cronops.db.tables.base import CLOCK, EMPTY_LIST, FALSE, TIME, metadata

_ZERO = text("0")

image_batch = Table(
    "image_batch",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("file", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("filed_as", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("rows", Integer, nullable=False, server_default=_ZERO),
    Column("rejected", Integer, nullable=False, server_default=_ZERO),
    Column("chunks", Integer, nullable=False, server_default=_ZERO),
    Column("done", Integer, nullable=False, server_default=_ZERO),
    Column("failed", Integer, nullable=False, server_default=_ZERO),
    Column("superseded", Integer, nullable=False, server_default=_ZERO),
    Column("retries", Integer, nullable=False, server_default=_ZERO),
    Column("told", Boolean, nullable=False, server_default=FALSE),
    Column("run_id", Text, nullable=False),
    Column("created_at", TIME, nullable=False, server_default=CLOCK),
    Column("finished_at", TIME),
    CheckConstraint("length(sha256) = 64", name="image_batch_sha256_check"),
    CheckConstraint("state IN ('rejected', 'enqueued', 'done')", name="image_batch_state_check"),
    CheckConstraint(
        "done >= 0 AND failed >= 0 AND superseded >= 0 AND done + failed + superseded <= rows",
        name="image_batch_counts",
    ),
    Index("image_batch_content", "sha256", unique=True),
    Index("image_batch_finished", "finished_at", postgresql_where=text("state = 'done'")),
)

image_edit = Table(
    "image_edit",
    metadata,
    Column("batch_id", BigInteger, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("article_number", Text),
    Column("position", Integer),
    Column("action", Text),
    Column("source", Text),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("reason", Text),
    Column("raw", Text),
    Column("starts", SmallInteger, nullable=False, server_default=_ZERO),
    Column("updated_at", TIME),
    CheckConstraint(
        "state IN ('waiting', 'done', 'failed', 'superseded', 'rejected')",
        name="image_edit_state_check",
    ),
    CheckConstraint(
        "state = 'rejected' OR (article_number IS NOT NULL AND position >= 1"
        " AND action IN ('add', 'replace', 'delete')"
        " AND (source IS NULL) = (action = 'delete'))",
        name="image_edit_whole",
    ),
    Index(
        "image_edit_bad",
        "batch_id",
        "line",
        postgresql_where=text("state IN ('failed', 'rejected')"),
    ),
    postgresql_with={"fillfactor": 80},
)

article_image = Table(
    "article_image",
    metadata,
    Column("article_number", Text, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("source", Text),
    Column("source_sha256", Text),
    Column("recipe", Text),
    Column("renditions", JSONB, nullable=False, server_default=EMPTY_LIST),
    Column("batch_id", BigInteger, nullable=False),
    Column("line", Integer, nullable=False),
    Column("updated_at", TIME, nullable=False, server_default=CLOCK),
    CheckConstraint("position >= 1", name="article_image_position_check"),
    CheckConstraint("state IN ('present', 'deleted')", name="article_image_state_check"),
    CheckConstraint(
        "state = 'deleted' OR (source IS NOT NULL AND source_sha256 IS NOT NULL"
        " AND recipe IS NOT NULL)",
        name="article_image_whole",
    ),
)

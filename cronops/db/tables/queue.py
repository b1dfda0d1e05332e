"""The queue."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Identity,
    Index,
    Integer,
    Sequence,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from cronops.db.tables.base import CLOCK, EMPTY_OBJECT, FALSE, NOW, TIME, metadata

_WAITING = text("status = 'NEW' AND NOT paused")

Sequence("queue_claim_token", metadata=metadata, data_type=BigInteger)

queue_message = Table(
    "queue_message",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("queue", Text, nullable=False, server_default=text("'general'")),
    Column("direction", Text, nullable=False, server_default=text("'incoming'")),
    Column("handler", Text, nullable=False),
    Column("payload", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("status", Text, nullable=False, server_default=text("'NEW'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("crashes", Integer, nullable=False, server_default=text("0")),
    Column("max_attempts", Integer),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Column("available_at", TIME, nullable=False, server_default=NOW),
    Column(
        "rank",
        DateTime(timezone=False),
        # As PostgreSQL writes back what the migration says.
        Computed(
            "(available_at AT TIME ZONE 'UTC'::text)"
            " - ((priority)::double precision * '00:01:00'::interval)",
            persisted=True,
        ),
        nullable=False,
    ),
    Column("paused", Boolean, nullable=False, server_default=FALSE),
    Column("alone", Boolean, nullable=False, server_default=FALSE),
    Column("claim_token", BigInteger),
    Column("claimed_by", BigInteger),
    Column("claimed_worker", SmallInteger),
    Column("claimed_at", TIME),
    Column("started_at", TIME),
    Column("heartbeat_at", TIME),
    Column("finished_at", TIME),
    Column("error", Text),
    Column("dedupe_key", Text),
    Column("correlation_id", Text),
    CheckConstraint("queue <> ''", name="queue_message_queue_check"),
    CheckConstraint("handler <> ''", name="queue_message_handler_check"),
    CheckConstraint("direction IN ('incoming', 'outgoing')", name="queue_message_direction_check"),
    CheckConstraint("priority BETWEEN -1000 AND 1000", name="queue_message_priority_check"),
    CheckConstraint(
        "status IN ('NEW', 'IN_QUEUE', 'PROCESSING', 'PROCESSED', 'CRASH')",
        name="queue_message_status_check",
    ),
    CheckConstraint("max_attempts >= 1", name="queue_message_max_attempts_check"),
    Index("queue_message_new", "queue", "rank", "id", postgresql_where=_WAITING),
    Index(
        "queue_message_new_direction",
        "queue",
        "direction",
        "rank",
        "id",
        postgresql_where=_WAITING,
    ),
    Index(
        "queue_message_new_negative",
        "queue",
        "priority",
        postgresql_where=text("status = 'NEW' AND NOT paused AND priority < 0"),
    ),
    Index(
        "queue_message_unfinished",
        "queue",
        "claimed_at",
        postgresql_where=text("status IN ('IN_QUEUE', 'PROCESSING')"),
    ),
    Index("queue_message_crash", "queue", "finished_at", postgresql_where=text("status = 'CRASH'")),
    Index(
        "queue_message_dedupe",
        "queue",
        "dedupe_key",
        unique=True,
        postgresql_where=text(
            "dedupe_key IS NOT NULL AND status IN ('NEW', 'IN_QUEUE', 'PROCESSING')"
        ),
    ),
    Index(
        "queue_message_finished",
        "finished_at",
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 32},
    ),
)

queue_pause = Table(
    "queue_pause",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("paused_at", TIME, nullable=False, server_default=CLOCK),
    Column("paused_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", TIME),
)

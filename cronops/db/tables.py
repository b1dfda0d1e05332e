"""The tables as SQLAlchemy Core knows them, for operators' listings; the migrations make them.

A test holds the two against each other. No schema is named: the connection's search path is.
"""

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
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

_TIME = DateTime(timezone=True)
_CLOCK = text("clock_timestamp()")
_NOW = text("now()")
_FALSE = text("false")
_EMPTY_OBJECT = text("'{}'")
_EMPTY_LIST = text("'[]'")
_WAITING = text("status = 'NEW' AND NOT paused")

Sequence("lease_token", metadata=metadata, data_type=BigInteger)
Sequence("queue_claim_token", metadata=metadata, data_type=BigInteger)

lease = Table(
    "lease",
    metadata,
    Column("token", BigInteger, primary_key=True, server_default=text("nextval('lease_token')")),
    Column("key", Text, nullable=False),
    Column("shared", Boolean, nullable=False, server_default=_FALSE),
    Column("owner_token", BigInteger, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("acquired_at", _TIME, nullable=False, server_default=_CLOCK),
    Column("renewed_at", _TIME, nullable=False, server_default=_CLOCK),
    Column("expires_at", _TIME, nullable=False),
    Index("lease_key", "key"),
    Index("lease_exclusive", "key", unique=True, postgresql_where=text("NOT shared")),
    Index("lease_owner", "owner_token"),
    postgresql_with={"fillfactor": 50},
)

run = Table(
    "run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("job", Text, nullable=False),
    Column("cr", Text, nullable=False),
    Column("schedule", Text),
    Column("scheduled_at", _TIME),
    Column("arguments", JSONB, nullable=False, server_default=_EMPTY_OBJECT),
    Column("arguments_hash", Text, nullable=False),
    Column("shard", Text, nullable=False, server_default=text("''")),
    Column("correlation_id", Text, nullable=False),
    Column("lock_key", Text, nullable=False),
    Column("token", BigInteger),
    Column("holder", Text, nullable=False),
    Column("retry_safe", Boolean, nullable=False),
    Column("starts", Integer, nullable=False, server_default=text("1")),
    Column("backoff_limit", Integer),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("started_at", _TIME, nullable=False, server_default=_CLOCK),
    Column("finished_at", _TIME),
    Column("outcome", Text),
    Column("reason", Text),
    Column("exit_code", Integer),
    Column("signal", Integer),
    Column("counts", JSONB, nullable=False, server_default=_EMPTY_OBJECT),
    Column("warnings", JSONB, nullable=False, server_default=_EMPTY_LIST),
    Column("error", Text),
    Column("accountable", ARRAY(Text), nullable=False, server_default=_EMPTY_OBJECT),
    Column("responsible", Text, nullable=False, server_default=text("''")),
    Column("version", Text, nullable=False, server_default=text("''")),
    CheckConstraint(
        "outcome IN ('succeeded', 'skipped', 'failed', 'timed_out', 'interrupted', 'crashed')",
        name="run_outcome_check",
    ),
    Index("run_open", "started_at", postgresql_where=text("outcome IS NULL")),
    Index("run_job", "job", text("started_at DESC")),
    Index(
        "run_schedule",
        "schedule",
        text("started_at DESC"),
        postgresql_where=text("schedule IS NOT NULL"),
    ),
    Index("run_started", text("started_at DESC")),
)

slot = Table(
    "slot",
    metadata,
    Column("job", Text, primary_key=True),
    Column("arguments_hash", Text, primary_key=True),
    Column("shard", Text, primary_key=True),
    Column("scheduled_at", _TIME, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    CheckConstraint(
        "state IN ('running', 'succeeded', 'failed', 'unknown')", name="slot_state_check"
    ),
    Index("slot_run", "run_id"),
    Index("slot_scheduled", "scheduled_at"),
)

job_pause = Table(
    "job_pause",
    metadata,
    Column("job", Text, primary_key=True),
    Column("paused_at", _TIME, nullable=False, server_default=_CLOCK),
    Column("paused_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", _TIME),
)

alert = Table(
    "alert",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("run_id", Text),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("severity", Text, nullable=False, server_default=text("'critical'")),
    Column("dedup_key", Text, nullable=False),
    Column("labels", JSONB, nullable=False, server_default=_EMPTY_OBJECT),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", _TIME, nullable=False, server_default=_CLOCK),
    Column("available_at", _TIME, nullable=False, server_default=_CLOCK),
    Column("claimed_until", _TIME),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("delivered_channels", ARRAY(Text), nullable=False, server_default=_EMPTY_OBJECT),
    Column("delivered_at", _TIME),
    Column("cancelled_at", _TIME),
    Column("last_error", Text),
    CheckConstraint("role IN ('runtime', 'domain', 'both')", name="alert_role_check"),
    CheckConstraint("state IN ('firing', 'resolved')", name="alert_state_check"),
    Index(
        "alert_once",
        "run_id",
        "kind",
        "owner",
        unique=True,
        postgresql_where=text("run_id IS NOT NULL"),
    ),
    Index(
        "alert_due",
        "dedup_key",
        "owner",
        "id",
        postgresql_where=text("delivered_at IS NULL AND cancelled_at IS NULL"),
    ),
    Index(
        "alert_latest",
        "dedup_key",
        "owner",
        text("id DESC"),
        postgresql_where=text("cancelled_at IS NULL"),
    ),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", _TIME, nullable=False, server_default=_CLOCK),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text),
    Column("details", JSONB, nullable=False, server_default=_EMPTY_OBJECT),
    Index("audit_at", text("at DESC")),
)

queue_message = Table(
    "queue_message",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("queue", Text, nullable=False, server_default=text("'general'")),
    Column("direction", Text, nullable=False, server_default=text("'incoming'")),
    Column("handler", Text, nullable=False),
    Column("payload", JSONB, nullable=False, server_default=_EMPTY_OBJECT),
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("status", Text, nullable=False, server_default=text("'NEW'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("crashes", Integer, nullable=False, server_default=text("0")),
    Column("max_attempts", Integer),
    Column("created_at", _TIME, nullable=False, server_default=_NOW),
    Column("available_at", _TIME, nullable=False, server_default=_NOW),
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
    Column("paused", Boolean, nullable=False, server_default=_FALSE),
    Column("alone", Boolean, nullable=False, server_default=_FALSE),
    Column("claim_token", BigInteger),
    Column("claimed_by", BigInteger),
    Column("claimed_worker", SmallInteger),
    Column("claimed_at", _TIME),
    Column("started_at", _TIME),
    Column("heartbeat_at", _TIME),
    Column("finished_at", _TIME),
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
    Column("paused_at", _TIME, nullable=False, server_default=_CLOCK),
    Column("paused_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", _TIME),
)

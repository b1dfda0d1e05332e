"""Leases, runs, slots, pauses, alerts, the audit trail."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    Sequence,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from cronops.db.tables.base import CLOCK, EMPTY_LIST, EMPTY_OBJECT, FALSE, TIME, metadata

Sequence("lease_token", metadata=metadata, data_type=BigInteger)

lease = Table(
    "lease",
    metadata,
    Column("token", BigInteger, primary_key=True, server_default=text("nextval('lease_token')")),
    Column("key", Text, nullable=False),
    Column("shared", Boolean, nullable=False, server_default=FALSE),
    Column("owner_token", BigInteger, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("acquired_at", TIME, nullable=False, server_default=CLOCK),
    Column("renewed_at", TIME, nullable=False, server_default=CLOCK),
    Column("expires_at", TIME, nullable=False),
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
    Column("scheduled_at", TIME),
    Column("arguments", JSONB, nullable=False, server_default=EMPTY_OBJECT),
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
    Column("started_at", TIME, nullable=False, server_default=CLOCK),
    Column("finished_at", TIME),
    Column("outcome", Text),
    Column("reason", Text),
    Column("exit_code", Integer),
    Column("signal", Integer),
    Column("counts", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("warnings", JSONB, nullable=False, server_default=EMPTY_LIST),
    Column("error", Text),
    Column("accountable", ARRAY(Text), nullable=False, server_default=EMPTY_OBJECT),
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
    Column("scheduled_at", TIME, primary_key=True),
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
    Column("paused_at", TIME, nullable=False, server_default=CLOCK),
    Column("paused_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", TIME),
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
    Column("labels", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", TIME, nullable=False, server_default=CLOCK),
    Column("available_at", TIME, nullable=False, server_default=CLOCK),
    Column("claimed_until", TIME),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("delivered_channels", ARRAY(Text), nullable=False, server_default=EMPTY_OBJECT),
    Column("delivered_at", TIME),
    Column("cancelled_at", TIME),
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
    Column("at", TIME, nullable=False, server_default=CLOCK),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text),
    Column("details", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Index("audit_at", text("at DESC")),
)

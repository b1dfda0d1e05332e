"""Reminders of licences that end, and what became of each."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    text,
)

from cronops.db.tables.base import CLOCK, TIME, metadata

reminder = Table(
    "reminder",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("license_id", BigInteger, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("days_before", Integer, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("customer_id", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("answer", Text),
    Column("run_id", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("1")),
    Column("claimed_at", TIME, nullable=False, server_default=CLOCK),
    Column("at", TIME, nullable=False, server_default=CLOCK),
    CheckConstraint(
        "state IN ('sending', 'sent', 'unknown', 'refused', 'deferred')",
        name="reminder_state_check",
    ),
    Index("reminder_once", "license_id", "valid_until", "days_before", unique=True),
    Index(
        "reminder_unsettled",
        "state",
        "valid_until",
        postgresql_where=text("state <> 'sent'"),
    ),
    Index("reminder_at", "at"),
)

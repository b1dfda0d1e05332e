"""What was cleared away, and how much of it."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Table,
    Text,
    text,
)

from cronops.db.tables.base import CLOCK, TIME, metadata

clean_audit = Table(
    "clean_audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("deleted", BigInteger, nullable=False, server_default=text("0")),
    Column("locked", BigInteger, nullable=False, server_default=text("0")),
    Column("cutoff", TIME),
    Column("state", Text, nullable=False),
    Column("problem", Text),
    Column("begun_at", TIME, nullable=False, server_default=CLOCK),
    Column("at", TIME, nullable=False, server_default=CLOCK),
    CheckConstraint(
        "state IN ('begun', 'done', 'stopped', 'refused', 'failed')",
        name="clean_audit_state_check",
    ),
    Index("clean_audit_run", "run_id", "target", unique=True),
    Index("clean_audit_at", "at"),
)

"""The sets of files that MAK was sent."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from cronops.db.tables.base import CLOCK, TIME, metadata

mak_set = Table(
    "mak_set",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("files", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("problem", Text),
    Column("generated_at", TIME, nullable=False),
    Column("at", TIME, nullable=False, server_default=CLOCK),
    CheckConstraint("state IN ('sending', 'delivered', 'failed')", name="mak_set_state_check"),
    Index("mak_set_latest", "destination", "id"),
)

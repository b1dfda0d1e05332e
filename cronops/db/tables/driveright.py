"""The DriveRight sync: its runs, what was pulled, what would change."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from cronops.db.tables.base import CLOCK, EMPTY_OBJECT, TIME, metadata

driveright_run = Table(
    "driveright_run",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("stage", Text, nullable=False, server_default=text("'pull'")),
    Column("status", Text, nullable=False, server_default=text("'running'")),
    Column("cursor", Text),
    Column("total", Integer),
    Column("report", Text, nullable=False, server_default=text("'none'")),
    Column("counts", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("problem", Text),
    Column("run_id", Text, nullable=False),
    Column("started_at", TIME, nullable=False, server_default=CLOCK),
    Column("at", TIME, nullable=False, server_default=CLOCK),
    CheckConstraint(
        "stage IN ('pull', 'sync', 'email', 'update')", name="driveright_run_stage_check"
    ),
    CheckConstraint(
        "status IN ('running', 'failed', 'held', 'done', 'abandoned')",
        name="driveright_run_status_check",
    ),
    CheckConstraint(
        "report IN ('none', 'sending', 'sent', 'unknown', 'skipped')",
        name="driveright_run_report_check",
    ),
    Index(
        "driveright_run_open",
        text("(true)"),
        unique=True,
        postgresql_where=text("status NOT IN ('done', 'abandoned')"),
    ),
)


def _sync(**options: Any) -> Column[Any]:
    reference = ForeignKey("driveright_run.id", ondelete="CASCADE")
    return Column("sync", BigInteger, reference, nullable=False, **options)


driveright_vehicle = Table(
    "driveright_vehicle",
    metadata,
    _sync(primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("make", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("generation", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("built_from", Integer),
    Column("built_until", Integer),
    Column("is_valid", Boolean, nullable=False),
    Column("is_partial", Boolean, nullable=False),
)

driveright_fitment = Table(
    "driveright_fitment",
    metadata,
    _sync(),
    Column("external_id", Text, nullable=False),
    Column("product_type", Text, nullable=False),
    Column("position", Text, nullable=False),
    Column("is_oe", Boolean, nullable=False),
    Column("tyre_width", Integer),
    Column("tyre_aspect", Integer),
    Column("tyre_diameter", Numeric(4, 1)),
    Column("wheel_diameter", Numeric(4, 1)),
    Column("wheel_width", Numeric(4, 1)),
    Column("pcd", Text),
    Column("centre_bore", Numeric(5, 1)),
    Column("offset_min", Numeric(5, 1)),
    Column("offset_max", Numeric(5, 1)),
    Index("driveright_fitment_vehicle", "sync", "external_id"),
)

driveright_problem = Table(
    "driveright_problem",
    metadata,
    _sync(),
    Column("external_id", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Index("driveright_problem_sync", "sync"),
)

driveright_change = Table(
    "driveright_change",
    metadata,
    _sync(primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("vehicle", Text, nullable=False),
    Column("what", Text, nullable=False),
    CheckConstraint("kind IN ('added', 'changed', 'retired')", name="driveright_change_kind_check"),
)

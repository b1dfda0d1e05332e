"""The vehicles, and what fits them: written by the DriveRight sync and by people."""

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

from cronops.db.tables.base import CLOCK, FALSE, TIME, TRUE, metadata

vehicle = Table(
    "vehicle",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("make", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("generation", Text, nullable=False, server_default=text("''")),
    Column("variant", Text, nullable=False, server_default=text("''")),
    Column("built_from", Integer),
    Column("built_until", Integer),
    Column("source", Text, nullable=False),
    Column("external_id", Text),
    Column("active", Boolean, nullable=False, server_default=TRUE),
    Column("updated_at", TIME, nullable=False, server_default=CLOCK),
    CheckConstraint("make <> '' AND model <> ''", name="vehicle_named"),
    CheckConstraint("built_until >= built_from", name="vehicle_built"),
    CheckConstraint("source IN ('driveright', 'manual')", name="vehicle_source_check"),
    CheckConstraint(
        "source = 'manual' OR external_id IS NOT NULL", name="vehicle_external_id_check"
    ),
    Index("vehicle_names", "make", "model", "generation", "variant", unique=True),
    Index("vehicle_external", "external_id", unique=True),
)

fitment = Table(
    "fitment",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("vehicle_id", BigInteger, ForeignKey("vehicle.id", ondelete="CASCADE"), nullable=False),
    Column("product_type", Text, nullable=False),
    Column("position", Text, nullable=False),
    Column("is_oe", Boolean, nullable=False, server_default=FALSE),
    Column("tyre_width", Integer),
    Column("tyre_aspect", Integer),
    Column("tyre_diameter", Numeric(4, 1)),
    Column("wheel_diameter", Numeric(4, 1)),
    Column("wheel_width", Numeric(4, 1)),
    Column("pcd", Text),
    Column("centre_bore", Numeric(5, 1)),
    Column("offset_min", Numeric(5, 1)),
    Column("offset_max", Numeric(5, 1)),
    Column("source", Text, nullable=False),
    Column("updated_at", TIME, nullable=False, server_default=CLOCK),
    CheckConstraint("product_type IN ('tyre', 'wheel')", name="fitment_product_type_check"),
    CheckConstraint("position IN ('front', 'rear', 'both')", name="fitment_position_check"),
    CheckConstraint("source IN ('driveright', 'manual')", name="fitment_source_check"),
    CheckConstraint(
        r"pcd ~ '^[1-9][0-9]?x[1-9][0-9]{1,2}(\.[0-9]{1,2})?$'", name="fitment_pcd_check"
    ),
    CheckConstraint("offset_max >= offset_min", name="fitment_offset_check"),
    CheckConstraint(
        "product_type <> 'tyre' OR num_nulls(tyre_width, tyre_diameter) = 0",
        name="fitment_tyre_check",
    ),
    CheckConstraint(
        "product_type <> 'wheel' OR num_nulls(wheel_diameter, wheel_width) = 0",
        name="fitment_wheel_check",
    ),
    CheckConstraint(
        "0 < ALL (ARRAY[tyre_width, tyre_aspect, tyre_diameter, wheel_diameter, wheel_width,"
        " centre_bore])"
        " IS NOT FALSE",
        name="fitment_positive",
    ),
    # One fact of a kind a vehicle: a row of a person's keeps DriveRight's out.
    Index(
        "fitment_fact",
        "vehicle_id",
        "product_type",
        "position",
        text("coalesce(tyre_width, 0)"),
        text("coalesce(tyre_aspect, 0)"),
        text("coalesce(tyre_diameter, 0)"),
        text("coalesce(wheel_diameter, 0)"),
        text("coalesce(wheel_width, 0)"),
        unique=True,
    ),
)

"""Export settings, margin rules, and what was exported."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
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

from cronops.db.tables.base import CLOCK, EMPTY_OBJECT, FALSE, NOW, TIME, TRUE, metadata

export_setting = Table(
    "export_setting",
    metadata,
    Column("id", Integer, Identity(always=False), primary_key=True),
    Column("name", Text, nullable=False),
    Column("supplier_id", Integer),
    Column("customer_id", Integer),
    Column("platform", Text, nullable=False),
    Column("format", Text, nullable=False, server_default=text("'csv'")),
    Column("delimiter", Text, nullable=False, server_default=text("';'")),
    Column("quoting", Text, nullable=False, server_default=text("'minimal'")),
    Column("encoding", Text, nullable=False, server_default=text("'utf-8'")),
    Column("decimal_mark", Text, nullable=False, server_default=text("'.'")),
    Column("header", Boolean, nullable=False, server_default=TRUE),
    Column("guard_formulas", Boolean, nullable=False, server_default=FALSE),
    Column("column_map", JSONB, nullable=False),
    Column("transport", Text, nullable=False),
    Column("credential", Text),
    Column("file_pattern", Text, nullable=False),
    Column("transport_surcharge", Numeric(10, 2), nullable=False, server_default=text("0")),
    Column("allow_below_purchase", Boolean, nullable=False, server_default=FALSE),
    Column("use_base_price", Boolean, nullable=False, server_default=FALSE),
    Column("require_ean", Boolean, nullable=False, server_default=FALSE),
    Column("min_rows", Integer),
    Column("max_drop_pct", Numeric(5, 2)),
    Column("active", Boolean, nullable=False, server_default=FALSE),
    Column("changed_at", TIME, nullable=False, server_default=NOW),
    CheckConstraint("name <> ''", name="export_setting_name_check"),
    CheckConstraint("platform <> ''", name="export_setting_platform_check"),
    CheckConstraint("format IN ('csv', 'jsonl', 'xml')", name="export_setting_format_check"),
    CheckConstraint("length(delimiter) = 1", name="export_setting_delimiter_check"),
    CheckConstraint("quoting IN ('minimal', 'all')", name="export_setting_quoting_check"),
    CheckConstraint(
        "encoding IN ('utf-8', 'utf-8-sig', 'windows-1252', 'latin-1')",
        name="export_setting_encoding_check",
    ),
    CheckConstraint("decimal_mark IN ('.', ',')", name="export_setting_decimal_mark_check"),
    CheckConstraint("transport <> ''", name="export_setting_transport_check"),
    CheckConstraint(
        r"file_pattern !~ '[/\\[:cntrl:]]' AND file_pattern !~ '^\.'",
        name="export_setting_file_pattern_check",
    ),
    CheckConstraint(
        "transport_surcharge >= 0 AND transport_surcharge < 'NaN'",
        name="export_setting_transport_surcharge_check",
    ),
    CheckConstraint("min_rows >= 1", name="export_setting_min_rows_check"),
    CheckConstraint(
        "max_drop_pct >= 0 AND max_drop_pct <= 100", name="export_setting_max_drop_pct_check"
    ),
    CheckConstraint(
        "jsonb_typeof(column_map) = 'array' AND NOT jsonb_path_exists(column_map, 'strict $[*] ?"
        ' (@.type() != "array" || @.size() != 2 || @[*].type() != "string")\')',
        name="export_setting_column_map_check",
    ),
    Index("export_setting_name", "name", unique=True),
)

margin_rule = Table(
    "margin_rule",
    metadata,
    Column("id", Integer, Identity(always=False), primary_key=True),
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("supplier_id", Integer),
    Column("customer_id", Integer),
    Column("article_number", Text),
    Column("category", Text),
    Column("brand", Text),
    Column("product_type", Text),
    Column("wheel_diameter", Numeric(4, 1)),
    Column("tyre_size", Text),
    Column("kind", Text, nullable=False),
    Column("value", Numeric(10, 4), nullable=False),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("active", Boolean, nullable=False, server_default=TRUE),
    CheckConstraint(
        "product_type IN ('tyre', 'wheel', 'accessory')", name="margin_rule_product_type_check"
    ),
    CheckConstraint("kind IN ('percent', 'amount')", name="margin_rule_kind_check"),
    CheckConstraint(
        "kind <> 'percent' OR (value > -100 AND value <= 1000)", name="margin_rule_percent_check"
    ),
    CheckConstraint("wheel_diameter < 'NaN'", name="margin_rule_wheel_diameter_check"),
    CheckConstraint("value < 'NaN'", name="margin_rule_value_check"),
    CheckConstraint("valid_until >= valid_from", name="margin_rule_valid_check"),
    CheckConstraint(
        "valid_from BETWEEN '0001-01-01' AND '9999-12-31'"
        " AND valid_until BETWEEN '0001-01-01' AND '9999-12-31'",
        name="margin_rule_dates_check",
    ),
    CheckConstraint(
        "article_number IS NULL"
        " OR num_nonnulls(category, brand, product_type, wheel_diameter, tyre_size) = 0",
        name="margin_rule_article_check",
    ),
)

export_run = Table(
    "export_run",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("export_id", Integer, ForeignKey("export_setting.id"), nullable=False),
    Column("run_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("file", Text),
    Column("sha256", Text),
    Column("bytes", BigInteger),
    Column("rows", BigInteger),
    Column("counts", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("reason", Text),
    Column("started_at", TIME, nullable=False, server_default=CLOCK),
    Column("generated_at", TIME),
    Column("sending_at", TIME),
    Column("delivered_at", TIME),
    CheckConstraint(
        "state IN ('generated', 'delivered', 'unchanged', 'failed')", name="export_run_state_check"
    ),
    CheckConstraint(
        "generated_at IS NULL OR num_nulls(file, sha256, bytes, rows) = 0",
        name="export_run_good_check",
    ),
    Index("export_run_export", "export_id", text("id DESC")),
)

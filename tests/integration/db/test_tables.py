"""What SQLAlchemy is told about the tables is what the migrations made."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint

from cronops.db.engine import engine_for
from cronops.db.tables import metadata
from tests.databases import Database

CHECK_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname FROM pg_constraint
WHERE contype = 'c' AND connamespace = 'cronops'::regnamespace
"""
INDEX_CONDITIONS = """
SELECT indexrelid::regclass::text, pg_get_expr(indpred, indrelid) IS NOT NULL
FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
WHERE relnamespace = 'cronops'::regnamespace AND relname <> 'alembic_version' AND NOT indisprimary
"""
SEQUENCES = """
SELECT sequencename FROM pg_sequences WHERE schemaname = 'cronops' AND sequencename !~ '_id_seq$'
"""


def _is_ours(name: str | None, kind: str, parents: Any) -> bool:
    return not (kind == "table" and name == "alembic_version")


def test_tables_columns_defaults_and_indexes_agree(database: Database) -> None:
    with engine_for(database.settings(), "test").connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "compare_server_default": True, "include_name": _is_ours},
        )

        assert compare_metadata(context, metadata) == []


def test_check_constraints_agree(database: Database) -> None:
    declared = {
        (table.name, constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }

    assert declared == set(database.query(CHECK_CONSTRAINTS))


def test_partial_indexes_agree(database: Database) -> None:
    declared = {
        (index.name, index.dialect_options["postgresql"]["where"] is not None)
        for table in metadata.tables.values()
        for index in table.indexes
    }

    assert declared == set(database.query(INDEX_CONDITIONS))


def test_sequences_agree(database: Database) -> None:
    assert {(name,) for name in metadata._sequences} == set(database.query(SEQUENCES))

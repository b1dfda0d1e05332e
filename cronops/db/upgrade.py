"""Brings the database to this program's revision; two pods may try at once."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, text

from cronops.config import Settings
from cronops.db import migrations
from cronops.db.connect import connect
from cronops.db.engine import engine_for
from cronops.errors import SchemaMismatch

# Held to the end of the one transaction that does everything, so that it also works behind a
# pooler in transaction mode, where session locks leak to strangers.
ONE_AT_A_TIME = (
    "SELECT pg_advisory_xact_lock(hashtextextended('cronops db upgrade ' || :schema, 0))"
)
SCHEMA_IS_MISSING = (
    "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = :schema)"
)


def upgrade(settings: Settings) -> tuple[str | None, str]:
    """Create the schema where it is missing and run every outstanding migration, or none.

    Returns the revision found, None where there was none, and the revision left behind.
    Raises `SchemaMismatch` where the database is newer than this program.
    """
    schema = settings.db.schema_name
    config = alembic_config()
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head()
    assert head is not None, "there is at least one migration"  # noqa: S101 - a test holds it
    known = {script.revision for script in scripts.walk_revisions()}
    with engine_for(settings, "db upgrade").begin() as connection:
        connection.execute(text(ONE_AT_A_TIME), {"schema": schema})
        # IF NOT EXISTS would ask for the right to create schemas even where ours is there.
        if connection.scalar(text(SCHEMA_IS_MISSING), {"schema": schema}):
            connection.execute(text(f'CREATE SCHEMA "{schema}"'))
        found = _revision_in(connection, schema)
        if found is not None and found not in known:
            raise SchemaMismatch(
                f"schema {schema!r} is at revision {found}, newer than the {head} this program "
                "knows; deploy the version of cronops that made it"
            )
        if found != head:
            config.attributes.update(connection=connection, schema=schema)
            command.upgrade(config, "head")
    return found, head


def current(settings: Settings) -> str | None:
    """The revision of the tables in the database, or None where there are none."""
    version_table = sql.Identifier(settings.db.schema_name, "alembic_version")
    with connect(settings, "db current") as connection:
        try:
            row = connection.execute(
                sql.SQL("SELECT version_num FROM {}").format(version_table)
            ).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return None
    return str(row[0]) if row else None


def _revision_in(connection: Connection, schema: str) -> str | None:
    table = f'"{schema}".alembic_version'
    if connection.scalar(text("SELECT to_regclass(:table)"), {"table": table}) is None:
        return None
    query = text(f"SELECT version_num FROM {table}")  # noqa: S608 - checked by its pattern
    revision: str | None = connection.scalar(query)
    return revision


def alembic_config() -> Config:
    """Alembic's configuration: no file, the migrations found beside this module."""
    config = Config()
    location = str(Path(migrations.__file__).parent)
    config.set_main_option("script_location", location.replace("%", "%%"))
    return config

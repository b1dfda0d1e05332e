"""Alembic's environment: migrates on the connection that `cronops.db.upgrade` hands in."""

from alembic import context

from cronops.db.tables import metadata

connection = context.config.attributes["connection"]
schema = context.config.attributes["schema"]

context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table_schema=schema,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()

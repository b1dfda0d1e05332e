"""The database: connections that cannot hang for ever, tables, migrations, the embedded server."""

"""``cronops db``: our tables, and the embedded server."""

from cronops.cli.output import print_line, show_json
from cronops.cli.session import Json
from cronops.cli.tree import examples, operator_app

app = operator_app()


@app.command(epilog=examples("cronops db upgrade"))
def upgrade(as_json: Json = False) -> None:
    """Create our tables, or bring them to this program's revision.

    Safe to repeat, and for several pods at once. A database that is newer than this program is
    refused (exit 78).
    """
    from cronops.config import load_settings
    from cronops.db.upgrade import upgrade

    settings = load_settings().settings
    before, after = upgrade(settings)
    if as_json:
        show_json({"schema": settings.db.schema_name, "before": before, "after": after})
    elif before == after:
        print_line(f"Schema {settings.db.schema_name} is at revision {after} already.")
    else:
        origin = f"from revision {before} " if before else ""
        print_line(f"Upgraded schema {settings.db.schema_name} {origin}to revision {after}.")


@app.command(epilog=examples("cronops db current"))
def current(as_json: Json = False) -> None:
    """Show the revision of our tables; exit 78 where it is not this program's."""
    from cronops.config import load_settings
    from cronops.db.connect import check_schema, connect
    from cronops.db.revision import SCHEMA_REVISION
    from cronops.db.upgrade import current

    settings = load_settings().settings
    found = current(settings)
    if as_json:
        show_json(
            {
                "schema": settings.db.schema_name,
                "revision": found,
                "needed": SCHEMA_REVISION,
                "current": found == SCHEMA_REVISION,
            }
        )
    with connect(settings, "db current") as connection:
        check_schema(connection, settings)
    if not as_json:
        print_line(f"Schema {settings.db.schema_name} is at revision {found}, as it should be.")


@app.command(epilog=examples("cronops db stop"))
def stop(as_json: Json = False) -> None:
    """Stop the embedded PostgreSQL; the next command starts it again."""
    from cronops.config import load_settings
    from cronops.db.embedded import stop_embedded

    settings = load_settings().settings
    stopped = stop_embedded(settings.data_dir)
    if as_json:
        show_json({"stopped": stopped, "data_dir": settings.data_dir})
    elif stopped:
        print_line(f"Stopped the embedded PostgreSQL in {settings.data_dir}.")
    else:
        print_line(f"No embedded PostgreSQL runs in {settings.data_dir}.")

"""``cronops schedules schema``."""

from cronops.cli.output import show_json
from cronops.cli.session import Json
from cronops.cli.tree import examples, operator_app

app = operator_app()


@app.command(epilog=examples("cronops schedules schema > schedules.schema.json"))
def schema(as_json: Json = False) -> None:  # noqa: ARG001 - it is JSON either way
    """Print the JSON Schema of a schedules file, for editors.

    Name it in the file's first line: # yaml-language-server: $schema=PATH
    """
    from cronops.schedules.model import json_schema

    show_json(json_schema())

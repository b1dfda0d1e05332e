"""``cronops schedules explain``."""

from typing import Annotated

import typer

from cronops.cli.names import nearest
from cronops.cli.output import as_text, print_line, printable, show_json
from cronops.cli.schedules.file import USUAL, FileOption, open_environment
from cronops.cli.session import Json
from cronops.cli.tree import examples, operator_app
from cronops.errors import UsageError

app = operator_app()


@app.command(
    epilog=examples(
        "cronops schedules explain queue-clean activeDeadlineSeconds",
        "cronops schedules explain queue-process-general resources --env staging",
        "cronops schedules explain queue-clean --json",
    )
)
def explain(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The schedule.")],
    field: Annotated[
        str | None,
        typer.Argument(
            metavar="[FIELD]",
            help="As the file names it: timeZone, resources.limits.memory, env.",
            show_default=False,
        ),
    ] = None,
    environment: Annotated[
        str, typer.Option("--env", metavar="NAME", help="In this environment.")
    ] = "production",
    file: FileOption = USUAL,
    as_json: Json = False,
) -> None:
    """Show what holds for a schedule, and which default, environment or declaration set it.

    What is computed is shown with its formula; what was overridden, with its line.
    """
    from cronops.cli.schedules.provenance import facts_of

    opened = open_environment(file, environment)
    facts = facts_of(opened, opened.schedule(name))
    if field is not None:
        found = [one for one in facts if one.field == field or one.field.startswith(f"{field}.")]
        if not found:
            known = {one.field for one in facts}
            known |= {one.partition(".")[0] for one in known}
            hint = nearest(field, known)
            raise UsageError(
                f"nothing says {field!r} of {name}"
                f"{hint or f'; see: cronops schedules explain {name}'}"
            )
        facts = found
    if as_json:
        show_json([fact.record() for fact in facts])
        return
    for fact in facts:
        print_line(f"{fact.field}: {printable(as_text(fact.value))}")
        print_line(f"    {printable(fact.why)}")

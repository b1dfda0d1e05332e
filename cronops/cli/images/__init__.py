"""``cronops images``: operators' commands. ``images enqueue-batches`` is a job."""

from cronops.cli.images import articles, batches, retrying
from cronops.cli.tree import examples, operator_app

app = operator_app()
for part in (articles, retrying):
    app.registered_commands += part.app.registered_commands
app.add_typer(
    batches.app,
    name="batches",
    help="The batches that came, and what became of them.",
    epilog=examples("cronops images batches list --failed", "cronops images batches show 7"),
)

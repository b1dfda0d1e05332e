"""``cronops images``: operators' commands. ``images enqueue-batches`` is a job."""

from cronops.cli.images import articles, retrying
from cronops.cli.tree import add_branch, examples, operator_app

app = operator_app()
for part in (articles, retrying):
    app.registered_commands += part.app.registered_commands
add_branch(
    app,
    "images",
    "batches",
    module="cronops.cli.images.batches",
    help="The batches that came, and what became of them.",
    epilog=examples("cronops images batches list --failed", "cronops images batches show 7"),
)

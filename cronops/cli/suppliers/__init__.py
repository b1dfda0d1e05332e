"""``cronops suppliers``: operators' commands. ``suppliers import-stock`` is a job."""

from cronops.cli.suppliers import edit, look, trial
from cronops.cli.tree import add_branch, examples, operator_app

app = operator_app()
for part in (look, edit, trial):
    app.registered_commands += part.app.registered_commands
add_branch(
    app,
    "suppliers",
    "review",
    module="cronops.cli.suppliers.review",
    help="Matches of which a person has to say whether they are right.",
    epilog=examples(
        "cronops suppliers review list --supplier 23",
        "cronops suppliers review accept --supplier 23 A-4711 --article 815",
    ),
)

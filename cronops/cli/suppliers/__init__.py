"""``cronops suppliers``: operators' commands. ``suppliers import-stock`` is a job."""

from cronops.cli.suppliers import edit, look, review, trial
from cronops.cli.tree import operator_app

app = operator_app()
for part in (look, edit, trial):
    app.registered_commands += part.app.registered_commands
app.add_typer(
    review.app,
    name="review",
    help="Matches of which a person has to say whether they are right.",
)

"""``cronops system``: operators' commands. ``system clean-data`` is a job."""

from cronops.cli.system import cleanings
from cronops.cli.tree import operator_app

app = operator_app()
app.registered_commands += cleanings.app.registered_commands

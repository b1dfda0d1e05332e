"""``cronops queue``: operators' commands. ``queue process`` and ``queue clean`` are jobs."""

from cronops.cli.queue import enqueue, look, steer
from cronops.cli.tree import operator_app

app = operator_app()
for part in (look, enqueue, steer):
    app.registered_commands += part.app.registered_commands

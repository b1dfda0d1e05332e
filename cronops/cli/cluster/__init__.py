"""``cronops cluster``: the schedules in a cluster, steered by commands that know the contract."""

from cronops.cli.cluster import apply, audit, diff, logs, status, suspend, trigger
from cronops.cli.tree import operator_app

app = operator_app()
for part in (status, diff, apply, trigger, suspend, logs, audit):
    app.registered_commands += part.app.registered_commands

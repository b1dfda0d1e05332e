"""``cronops schedules``: the file checked, explained and rendered; without a cluster."""

from cronops.cli.schedules import chart, explain, next, render, rules, schema, validate
from cronops.cli.tree import operator_app

app = operator_app()
for part in (validate, rules, next, explain, render, chart, schema):
    app.registered_commands += part.app.registered_commands

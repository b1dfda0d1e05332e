"""``cronops schedules``: the file checked, explained and rendered; without a cluster."""

from cronops.cli.schedules import (
    chart,
    explain,
    import_crontab,
    next,
    render,
    rules,
    scan_http,
    schema,
    simulate,
    validate,
)
from cronops.cli.tree import operator_app

app = operator_app()
for part in (
    validate,
    rules,
    next,
    explain,
    render,
    chart,
    schema,
    import_crontab,
    scan_http,
    simulate,
):
    app.registered_commands += part.app.registered_commands

"""``cronops platform``: operators' commands. ``platform pull-orders`` is a job."""

from cronops.cli.platform import acknowledgements, look, orders, setting, steer
from cronops.cli.tree import examples, operator_app

app = operator_app()
for part in (look, setting, steer, acknowledgements):
    app.registered_commands += part.app.registered_commands
app.add_typer(
    orders.app,
    name="orders",
    help="Orders made of what was pulled, and those to check.",
    epilog=examples(
        "cronops platform orders list --needs-review",
        'cronops platform orders accept 4711 --reason "customer called"',
    ),
)

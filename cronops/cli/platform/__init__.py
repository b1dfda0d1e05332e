"""``cronops platform``: operators' commands. ``platform pull-orders`` is a job."""

from cronops.cli.platform import acknowledgements, look, setting, steer
from cronops.cli.tree import add_branch, examples, operator_app

app = operator_app()
for part in (look, setting, steer, acknowledgements):
    app.registered_commands += part.app.registered_commands
add_branch(
    app,
    "platform",
    "orders",
    module="cronops.cli.platform.orders",
    help="Orders made of what was pulled, and those to check.",
    epilog=examples(
        "cronops platform orders list --needs-review",
        'cronops platform orders accept 4711 --reason "customer called"',
    ),
)

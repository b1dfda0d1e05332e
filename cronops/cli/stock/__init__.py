"""``cronops stock``: operators' commands. ``stock export`` is a job."""

from cronops.cli.stock import price, runs
from cronops.cli.tree import add_branch, examples, operator_app

app = operator_app()
for part in (price, runs):
    app.registered_commands += part.app.registered_commands
add_branch(
    app,
    "stock",
    "exports",
    module="cronops.cli.stock.exports",
    help="What is exported, how, and to whom.",
    epilog=examples("cronops stock exports list", "cronops stock exports set --help"),
)
add_branch(
    app,
    "stock",
    "rules",
    module="cronops.cli.stock.rules",
    help="The margin rules that prices are made by.",
    epilog=examples("cronops stock rules list", "cronops stock rules import rules.csv --dry-run"),
)

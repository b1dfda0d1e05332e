"""``cronops stock``: operators' commands. ``stock export`` is a job."""

from typing import Any

from cronops.cli.stock import exports, price, rules, runs
from cronops.cli.tree import Branch, examples, operator_app


class Exports(Branch):
    """Commands on export settings."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(
            path=("stock", "exports"), module="cronops.cli.stock.exports", **attributes
        )


class Rules(Branch):
    """Commands on margin rules."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(path=("stock", "rules"), module="cronops.cli.stock.rules", **attributes)


app = operator_app()
for part in (price, runs):
    app.registered_commands += part.app.registered_commands
app.add_typer(
    exports.app,
    name="exports",
    cls=Exports,
    help="What is exported, how, and to whom.",
    epilog=examples("cronops stock exports list", "cronops stock exports set --help"),
)
app.add_typer(
    rules.app,
    name="rules",
    cls=Rules,
    help="The margin rules that prices are made by.",
    epilog=examples("cronops stock rules list", "cronops stock rules import rules.csv --dry-run"),
)

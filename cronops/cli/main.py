"""The command line, composed: which commands there are, and how errors end the process."""

from typing import Annotated

import typer

from cronops.cli.tree import Branch, OperatorEntry

OPERATOR_COMMANDS = {
    "jobs": OperatorEntry("cronops.cli.jobs", "List the jobs, or show one with its contract."),
    "pause": OperatorEntry(
        "cronops.cli.switch", "Hold back the runs of a job, or of all jobs.", command="pause"
    ),
    "resume": OperatorEntry("cronops.cli.switch", "End a pause.", command="resume"),
    "runs": OperatorEntry("cronops.cli.runs", "What ran, when, and how it ended."),
    "locks": OperatorEntry("cronops.cli.locks", "Who holds which lock."),
    "queue": OperatorEntry("cronops.cli.queue", "Work, watch and steer the message queues."),
    "images": OperatorEntry("cronops.cli.images", "Image edits: batches, images, and retries."),
    "suppliers": OperatorEntry(
        "cronops.cli.suppliers", "Import suppliers' stock; keep their settings and matches."
    ),
    "stock": OperatorEntry("cronops.cli.stock", "Export stock and prices; keep the margin rules."),
    "platform": OperatorEntry(
        "cronops.cli.platform", "Pull orders from sales platforms; set them up; check orders."
    ),
    "customers": OperatorEntry(
        "cronops.cli.customers", "Remind customers of licences that end; what became of it."
    ),
    "dwh": OperatorEntry("cronops.cli.dwh", "Count page hits by day; look at the counters."),
    "driveright": OperatorEntry(
        "cronops.cli.driveright", "Sync vehicles with DriveRight; how far it is, what changes."
    ),
    "simulator": OperatorEntry(
        "cronops.cli.simulator", "Send the simulator's files to MAK; what was sent."
    ),
    "system": OperatorEntry(
        "cronops.cli.system", "Clear the shop's caches; what was cleared, its log included."
    ),
    "alerts": OperatorEntry("cronops.cli.alerts", "Alerts waiting and sent; test the routes."),
    "audit": OperatorEntry("cronops.cli.audit", "What operators changed, when and why."),
    "config": OperatorEntry("cronops.cli.config", "The settings, and where each came from."),
    "schedules": OperatorEntry(
        "cronops.cli.schedules", "Check, explain and render schedules.yaml."
    ),
    "cluster": OperatorEntry(
        "cronops.cli.cluster", "Compare, apply, trigger and suspend schedules in a cluster."
    ),
    "db": OperatorEntry("cronops.cli.db", "Create and upgrade our tables."),
    "doctor": OperatorEntry(
        "cronops.cli.doctor", "Check this installation, one line a check.", command="doctor"
    ),
}


class Root(Branch):
    """All commands."""

    operators = OPERATOR_COMMANDS


app = typer.Typer(
    cls=Root,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 100, "help_option_names": ["--help", "-h"]},
    epilog="Every command has --help. Exit codes: 0 succeeded or skipped, 1 failed, 2 and 64 "
    "usage, 65 bad input, 75 try again, 78 configuration, 124 timed out, 130 interrupted, "
    "137 crashed, 143 terminated.",
)


def _version(asked: bool) -> None:
    if asked:
        from cronops import __version__

        typer.echo(f"cronops {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Scheduled jobs under one operating contract, and a queue in PostgreSQL."""

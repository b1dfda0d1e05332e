"""The jobs: one room each, and the table of contents that says what there is.

Nothing registers itself on import. A job is found through `JOBS`, a handler through
`HANDLERS`; those of other packages through their entry points (`cronops.jobs.registry`).
"""

from typing import NamedTuple


class JobEntry(NamedTuple):
    """Where a job lives, and what help says of it without importing it."""

    target: str
    """``module:attribute``."""
    cr: str
    summary: str


JOBS: dict[str, JobEntry] = {
    "customers notify-license-expiration": JobEntry(
        "cronops.jobs.customers.notify:notify_license_expiration",
        "CR-003",
        "Remind customers of licences that end soon.",
    ),
    "driveright sync": JobEntry(
        "cronops.jobs.driveright.sync:sync",
        "CR-012",
        "Bring vehicles and fitments up to what DriveRight says.",
    ),
    "dwh update-counters": JobEntry(
        "cronops.jobs.dwh.update_counters:update_counters",
        "CR-004",
        "Count the shop's page hits by day.",
    ),
    "images enqueue-batches": JobEntry(
        "cronops.jobs.images.enqueue_batches:enqueue_batches",
        "CR-001",
        "Enqueue the image edits that batches ask for.",
    ),
    "logs clean": JobEntry(
        "cronops.jobs.logs.clean:clean", "CR-007", "Delete old rows of the shop's log of changes."
    ),
    "platform pull-orders": JobEntry(
        "cronops.jobs.platform.pull:pull_orders",
        "CR-008",
        "Pull orders from the sales platforms and enqueue them.",
    ),
    "queue clean": JobEntry(
        "cronops.jobs.queue.clean:clean", "CR-005", "Delete finished messages and old records."
    ),
    "queue process": JobEntry(
        "cronops.jobs.queue.process:process", "CR-006", "Work the messages of a queue."
    ),
    "sessions purge": JobEntry(
        "cronops.jobs.sessions.purge:purge", "CR-014", "Delete old session files."
    ),
    "simulator send-mak-files": JobEntry(
        "cronops.jobs.simulator.send_mak_files:send_mak_files",
        "CR-013",
        "Build the simulator's files and send them to MAK.",
    ),
    "stock export": JobEntry(
        "cronops.jobs.stock.export:export",
        "CR-002",
        "Export stock levels and prices to the sales platforms.",
    ),
    "suppliers import-stock": JobEntry(
        "cronops.jobs.suppliers.import_stock:import_stock",
        "CR-009, CR-010",
        "Import what suppliers have in stock.",
    ),
    "system clean-data": JobEntry(
        "cronops.jobs.system.clean_data:clean_data",
        "CR-011",
        "Clear the shop's caches of searches and of popular articles.",
    ),
}

HANDLERS: dict[str, str] = {
    "images.update": "cronops.jobs.images.update:update",
    "orders.process": "cronops.jobs.platform.orders.process:process",
    "sample.echo": "cronops.samples.handlers:echo",
    "sample.fail": "cronops.samples.handlers:fail",
    "sample.sleep": "cronops.samples.handlers:sleep",
}

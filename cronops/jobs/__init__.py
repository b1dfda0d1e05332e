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
}

HANDLERS: dict[str, str] = {
    "orders.process": "cronops.jobs.platform.orders.process:process",
    "sample.echo": "cronops.samples.handlers:echo",
    "sample.fail": "cronops.samples.handlers:fail",
    "sample.sleep": "cronops.samples.handlers:sleep",
}

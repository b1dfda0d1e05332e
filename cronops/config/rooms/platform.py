"""Settings of `platform pull-orders`, and the handler `orders.process`."""

from datetime import timedelta
from pathlib import Path

from cronops.config.kinds import duration, path
from cronops.config.setting import Section


class PlatformSettings(Section):
    """`platform pull-orders`, and the handler `orders.process`."""

    root = path(
        Path("/var/lib/cronops/platforms"), "The root that directories of platforms must lie under."
    )
    raw_retention = duration(
        timedelta(days=30),
        "Age at which what platforms answered is deleted: it holds customers' data. What is not "
        "read yet stays.",
        at_least=timedelta(hours=1),
        why="what could not be read would be gone before anybody mends it",
    )
    payload_retention = duration(
        timedelta(days=90),
        "Age at which the payloads of processed orders are blanked; the orders made of them stay.",
        at_least=timedelta(hours=1),
        why="a revision could not be looked at any more",
    )

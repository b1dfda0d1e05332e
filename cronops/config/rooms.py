"""Settings that belong to single jobs, a section a room."""

from datetime import timedelta
from pathlib import Path

from cronops.config.kinds import duration, path
from cronops.config.setting import Section


class ImagesSettings(Section):
    """`images enqueue-batches`, and the handler `images.update`."""

    batch_dir = path(
        Path("/var/lib/cronops/images/batches"),
        "Where `images_*.csv` arrive; they are moved to `archive/` or `quarantine/` below it.",
    )
    source_root = path(
        Path("/var/lib/cronops/images/sources"), "The root that local sources must lie under."
    )
    store = path(Path("/var/lib/cronops/images/store"), "Where renditions are written.")


class StockSettings(Section):
    """`stock export`."""

    export_dir = path(
        Path("/var/lib/cronops/exports"),
        "Where exports are generated and their last good file is kept; local deliveries go below "
        "it, too.",
    )


class SuppliersSettings(Section):
    """`suppliers import-stock`."""

    root = path(
        Path("/var/lib/cronops/suppliers"),
        "The root that suppliers' directories must lie under; each supplier's files move through "
        "`incoming/`, `processing/`, `processed/` and `rejected/` there.",
    )


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

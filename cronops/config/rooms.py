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
    lock_wait = duration(
        timedelta(minutes=1),
        "Of `--all`: longest wait for one supplier that another run is importing.",
    )
    keep = duration(
        timedelta(days=30),
        "How long files in `processed/` and `rejected/`, and the records of them, are kept.",
        at_least=timedelta(hours=1),
        why="nobody could look at what was rejected",
    )


class PlatformSettings(Section):
    """`platform pull-orders`, and the handler `orders.process`."""

    root = path(
        Path("/var/lib/cronops/platforms"), "The root that directories of platforms must lie under."
    )

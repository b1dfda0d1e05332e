"""Settings that belong to single jobs, a section a room."""

from pathlib import Path

from cronops.config.kinds import integer, path, time_zone
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
    keep_files = integer(
        5, "How many generated files of each export are kept, the newest ones.", at_least=1
    )
    zone = time_zone(
        "Europe/Brussels", "Whose calendar the days go by on which a margin rule is valid."
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

"""Settings of `stock export`."""

from pathlib import Path

from cronops.config.kinds import integer, path, time_zone
from cronops.config.setting import Section


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

"""Settings of `suppliers import-stock`."""

from datetime import timedelta
from pathlib import Path

from cronops.config.kinds import duration, path
from cronops.config.setting import Section


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

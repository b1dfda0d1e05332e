"""Settings of `logs clean`."""

from datetime import timedelta

from cronops.config.kinds import duration
from cronops.config.setting import Section


class LogsSettings(Section):
    """`logs clean`."""

    retention = duration(
        None,
        "How long the shop's log of changes is kept. There is no default: without it nothing is "
        "deleted, and the run fails.",
        at_least=timedelta(days=1),
        why="nearly all of the log would be gone",
    )

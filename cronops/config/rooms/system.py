"""Settings of `system clean-data`."""

from datetime import timedelta

from cronops.config.kinds import duration
from cronops.config.setting import Section


class SystemSettings(Section):
    """`system clean-data`."""

    search_grace = duration(
        timedelta(hours=1),
        "How long a cached search stays after it has expired; 0 for not at all.",
        at_least=timedelta(0),
    )
    popular_retention = duration(
        timedelta(days=90),
        "How long the periods of popular articles are kept; pinned ones stay.",
        at_least=timedelta(days=1),
        why="the list of today would be gone",
    )

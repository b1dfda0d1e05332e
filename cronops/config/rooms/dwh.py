"""Settings of `dwh update-counters`."""

from datetime import timedelta

from cronops.config.kinds import duration, time_zone
from cronops.config.setting import Section


class DwhSettings(Section):
    """`dwh update-counters`."""

    zone = time_zone(
        "Europe/Brussels", "Where a day begins and ends. Another one needs all days counted anew."
    )
    late_for = duration(
        timedelta(days=35),
        "Hits that come later than this after their own time are counted only by --rebuild.",
        at_least=timedelta(days=1),
        why="hits of yesterday may still be on their way",
    )

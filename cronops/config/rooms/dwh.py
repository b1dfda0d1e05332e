"""Settings of `dwh update-counters`."""

from cronops.config.setting import Section


class DwhSettings(Section):
    """`dwh update-counters`."""

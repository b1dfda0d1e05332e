"""Settings of `system clean-data`."""

from cronops.config.setting import Section


class SystemSettings(Section):
    """`system clean-data`."""

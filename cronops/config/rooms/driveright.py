"""Settings of `driveright sync`."""

from cronops.config.setting import Section


class DriverightSettings(Section):
    """`driveright sync`."""

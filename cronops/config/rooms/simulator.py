"""Settings of `simulator send-mak-files`."""

from cronops.config.setting import Section


class SimulatorSettings(Section):
    """`simulator send-mak-files`."""

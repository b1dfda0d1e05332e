"""Settings of `logs clean`."""

from cronops.config.setting import Section


class LogsSettings(Section):
    """`logs clean`."""

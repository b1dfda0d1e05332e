"""Settings of `sessions purge`."""

from cronops.config.setting import Section


class SessionsSettings(Section):
    """`sessions purge`."""

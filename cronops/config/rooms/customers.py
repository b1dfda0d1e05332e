"""Settings of `customers notify-license-expiration`."""

from cronops.config.setting import Section


class CustomersSettings(Section):
    """`customers notify-license-expiration`."""

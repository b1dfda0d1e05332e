"""Settings of `customers notify-license-expiration`."""

from cronops.config.kinds import boolean, path, text, whole_numbers
from cronops.config.setting import Section


class CustomersSettings(Section):
    """`customers notify-license-expiration`."""

    offsets = whole_numbers(
        [14, 7, 1],
        "So many days before a licence ends its customer is reminded.",
        at_least=0,
        at_most=365,
    )
    renewing_too = boolean(
        False, "Whether customers whose licence renews itself are reminded as well."
    )
    sender = text(None, "Sender of tenants that have none: `Name <address>` or an address.")
    unsubscribe = text(
        None,
        "What List-Unsubscribe says: an https or mailto URL; {tenant}, {customer} and {license} "
        "are filled in. Unset: a mail to the sender.",
        pattern=r"(https://|mailto:)[!-~]{1,500}",
        must="must be a URL that begins with https:// or mailto:, of at most 500 characters",
    )
    template_dir = path(
        None, "Wording and layouts of your own; what is missing there is taken from ours."
    )

"""Settings of `driveright sync`."""

from cronops.config.kinds import integer, secret, text
from cronops.config.setting import Section


class DriverightSettings(Section):
    """`driveright sync`."""

    base_url = text(
        None,
        "Where DriveRight answers: https://…, to which /vehicles is added.",
        pattern=r"https://[!-~]{1,500}",
        must="must be a URL that begins with https://",
    )
    api_key = secret("The key that it knows us by. Best kept in a secret file.")
    api_key_header = text(
        "X-API-Key",
        "The header that takes the key.",
        pattern=r"[A-Za-z][A-Za-z0-9-]{0,63}",
        must="must be the name of a header: letters, digits and -",
    )
    page_size = integer(500, "Vehicles asked for at once.", at_least=1, at_most=10_000)
    report_to = text(
        None, "Who gets the report of changes, before they are made; unset: nobody does."
    )
    report_from = text(None, "The report's sender: `Name <address>` or an address.")
    max_retired_pct = integer(
        10,
        "By so many percent of its vehicles DriveRight may leave out before a person is asked.",
        at_least=0,
        at_most=100,
    )
    max_changed_pct = integer(
        50, "Of so many percent something may have changed before.", at_least=0, at_most=100
    )
    max_malformed_pct = integer(
        5,
        "So many percent may be no vehicles, or have malformed fitments.",
        at_least=0,
        at_most=100,
    )

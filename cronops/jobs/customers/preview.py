"""A mail, shown to a person."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cronops.clients.mail import Mail


def show(mail: "Mail") -> None:
    """Print a mail: its headers, its text, its HTML."""
    headers = {
        "From": mail.sender,
        "To": mail.to,
        "Subject": mail.subject,
        "Message-ID": mail.message_id,
        **mail.headers,
    }
    lines = [f"{name}: {_printable(value)}" for name, value in headers.items()]
    sys.stdout.write("\n".join([*lines, "", mail.text, mail.html or "", ""]))
    sys.stdout.flush()


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)

"""Addresses that can be written to, and those that cannot."""

import re
from typing import NamedTuple

# What ends a line somewhere, or a string: none of them has any business in a header.
UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NAMED = re.compile(r"(?P<name>.*?)\s*<(?P<address>[^<>]*)>")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\U0010ffff-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST_LOCAL = 64
_LONGEST_DOMAIN = 253


class Mailbox(NamedTuple):
    """An address, and whose it is."""

    name: str
    local: str
    domain: str
    """As the network knows it: in ASCII."""

    @property
    def address(self) -> str:
        """As it stands between angle brackets."""
        return f"{self.local}@{self.domain}"

    @property
    def is_ascii(self) -> bool:
        """Whether any server takes it; others need SMTPUTF8."""
        return self.local.isascii()


def mailbox(text: str) -> Mailbox:
    """Read ``Name <address>`` or an address. Raises `ValueError` that does not repeat it."""
    if UNFIT.search(text):
        raise ValueError("it has a line break or a control character in it")
    if "=?" in text:
        # Mail software would decode it, and find line breaks, say, that are none here.
        raise ValueError("it has =? in it, with which encoded text begins")
    named = _NAMED.fullmatch(text.strip())
    name, address = (named["name"], named["address"]) if named else ("", text.strip())
    local, at, domain = address.rpartition("@")
    if not at:
        raise ValueError("it has no @")
    if not _LOCAL.fullmatch(local) or len(local.encode()) > _LONGEST_LOCAL:
        raise ValueError("what is before its @ is no name of a mailbox")
    return Mailbox(name.strip().strip('"').strip(), local, _in_ascii(domain))


def _in_ascii(domain: str) -> str:
    """The domain as the network knows it."""
    try:
        encoded = domain.encode("idna").decode() if not domain.isascii() else domain
        # The older rules make ss of ß, which by the newer ones is another domain.
        known = domain.isascii() or encoded.encode().decode("idna") == domain.lower()
    except UnicodeError:
        known = False
    if not known or not _DOMAIN.fullmatch(encoded) or len(encoded) > _LONGEST_DOMAIN:
        raise ValueError("what is behind its @ is no name of a domain")
    return encoded

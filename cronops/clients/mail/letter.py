"""A mail as it goes over the line."""

import re
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import NamedTuple
from urllib.parse import quote

from cronops.clients.mail.addresses import UNFIT, Mailbox, mailbox
from cronops.clients.mail.errors import MailRefused
from cronops.clients.mail.mail import Mail

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_MESSAGE_ID = re.compile(r"<[^<>@\s]+@[^<>@\s]+>")
_OURS = frozenset(
    ("bcc", "cc", "date", "from", "message-id", "mime-version", "sender", "subject", "to")
)
# A line of a mail has 998 bytes at most.
_LONGEST_LINE = 998
_LEADING_DOT = re.compile(rb"(?m)^\.")
# Bodies in 7 bits pass through every server, whatever it offers.
_POLICY = SMTP.clone(cte_type="7bit")


class Letter(NamedTuple):
    """What a server is told of a mail, and then given."""

    sender: str
    to: str
    content: bytes
    """With its dots doubled, up to the line break before the final dot."""
    needs_utf8: bool


def written(mail: Mail, correlation_id: str) -> Letter:
    """Write it out. Raises `MailRefused` for what cannot be a mail."""
    sender, to = _read("sender", mail.sender), _read("recipient", mail.to)
    needs_utf8 = not (sender.is_ascii and to.is_ascii)
    message = EmailMessage(policy=_POLICY.clone(utf8=needs_utf8))
    message["From"] = Address(sender.name, sender.local, sender.domain)
    message["To"] = Address(to.name, to.local, to.domain)
    subject = _fit("subject", mail.subject)
    is_encoded = "=?" in subject
    if not is_encoded:
        message["Subject"] = subject
    message["Date"] = format_datetime(datetime.now(UTC))
    try:
        message.set_content(mail.text)
        if mail.html is not None:
            message.add_alternative(mail.html, subtype="html")
    except UnicodeError:
        raise MailRefused("the mail's text has characters that are none") from None
    head = _verbatim(mail, correlation_id) + (_encoded_subject(subject) if is_encoded else b"")
    content = head + message.as_bytes()
    return Letter(sender.address, to.address, _LEADING_DOT.sub(b"..", content), needs_utf8)


def _read(what: str, text: str) -> Mailbox:
    try:
        return mailbox(text)
    except ValueError as error:
        # The address itself is nobody's business who reads logs.
        raise MailRefused(f"the {what} is no address: {error}") from None


def _fit(what: str, text: str) -> str:
    if UNFIT.search(text):
        raise MailRefused(f"the {what} has a line break or a control character in it")
    return text


def _encoded_subject(text: str) -> bytes:
    """A subject with what looks encoded in it: the library would decode that, line breaks too."""
    encoded = Header(text, "utf-8", header_name="Subject").encode(linesep="\r\n")
    return f"Subject: {encoded}\r\n".encode()


def _verbatim(mail: Mail, correlation_id: str) -> bytes:
    """The headers that must arrive as they are: the library would fold or encode long ones."""
    if not _MESSAGE_ID.fullmatch(mail.message_id):
        raise MailRefused("the Message-ID must look like <what@where>")
    lines = [("Message-ID", mail.message_id)]
    if correlation_id:
        lines.append(("X-Correlation-ID", quote(correlation_id, safe="!#$&'()*+,/:;=?@[]{}|~")))
    for name, value in mail.headers.items():
        if not _NAME.fullmatch(name) or name.lower() in _OURS:
            raise MailRefused(f"a mail cannot be given the header {name!r}")
        lines.append((name, value))
    for name, value in lines:
        _fit(name, value)
        if not value.isascii() or len(name) + len(value) + 2 > _LONGEST_LINE:
            raise MailRefused(f"{name} must be ASCII, of less than {_LONGEST_LINE} characters")
    return "".join(f"{name}: {value}\r\n" for name, value in lines).encode()

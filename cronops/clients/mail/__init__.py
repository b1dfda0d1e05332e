"""Hands in mail at one server: encrypted, logged in, many mails over one connection.

::

    with MailClient(ctx.settings, pause=ctx.pause) as mailer:
        reply = mailer.send(mail, correlation_id=ctx.correlation_id)

Each way in which that can end is an error of its own, for what is to be done next differs: a mail
that surely was not taken may be sent again; one that may have been taken must not.
"""

from cronops.clients.mail.addresses import mailbox
from cronops.clients.mail.client import MailClient
from cronops.clients.mail.errors import MailRefused, MailUnknown, NoMailServer
from cronops.clients.mail.mail import Mail

__all__ = [
    "Mail",
    "MailClient",
    "MailRefused",
    "MailUnknown",
    "NoMailServer",
    "mailbox",
]

"""How handing in a mail may fail."""

from cronops.errors import CronopsError, PermanentError, TransientError


class MailRefused(PermanentError):
    """The mail was surely not taken, and never will be as it is; others may be."""


class MailUnknown(CronopsError):
    """All of the mail was sent and no answer came: nobody can tell whether it was taken."""


class NoMailServer(TransientError):
    """No connection could be made: no other mail will fare better now."""


class ConnectionLost(TransientError):
    """The connection ended before the mail's last dot: it was surely not taken."""

"""What a server's refusal means."""

import ftplib
from contextlib import suppress

from cronops.clients.tls import untrusted
from cronops.config.outside import ClientSettings
from cronops.durations import format_duration
from cronops.errors import (
    BadInput,
    ConfigurationError,
    CronopsError,
    PermanentError,
    TransientError,
)

REPLIES = "latin-1"
"""How replies are read: greetings come in any encoding, and none of it may be in the way."""
_LONGEST = 200
_NOT_LOGGED_IN = ("530", "532", "430", "331")
_NO_SPACE = ("452", "552")
_NOT_ALLOWED = ("550", "553")


def explain(error: Exception, limits: ClientSettings) -> CronopsError | None:
    """What an error of ftplib, or of the socket below it, means."""
    wrong = untrusted(error, "the server")
    if wrong is not None:
        return wrong
    if isinstance(error, TimeoutError):
        silence = format_duration(limits.read_timeout)
        return TransientError(f"silent for {silence} (clients.read_timeout)")
    if isinstance(error, ftplib.error_perm):
        said = text_of(str(error))
        if reply_code(error) in _NOT_LOGGED_IN:
            return ConfigurationError(
                f"the login was refused: check username and password of the credential ({said})"
            )
        if reply_code(error) in _NO_SPACE:
            return TransientError(f"there is no space left for it ({said})")
        if reply_code(error) in _NOT_ALLOWED:
            return ConfigurationError(f"the server does not let this login do that ({said})")
        return PermanentError(f"the server refuses it ({said})")
    if isinstance(error, ftplib.Error | EOFError | OSError):
        reason = text_of(str(error)) or type(error).__name__
        return TransientError(f"the connection was cut, or the server failed: {reason}")
    if isinstance(error, UnicodeError):
        return BadInput("the server has file names in another encoding than UTF-8")
    return None


def text_of(reply: str) -> str:
    """A reply for people: on one line, not long, its letters as they were meant."""
    with suppress(UnicodeError):
        reply = reply.encode(REPLIES).decode()
    line = " ".join("".join(c if c.isprintable() else " " for c in reply).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def reply_code(error: Exception) -> str:
    """The three digits that a reply of the server begins with."""
    return str(error)[:3]

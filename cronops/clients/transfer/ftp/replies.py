"""What a server's refusal means."""

import ftplib

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
        said = " ".join(str(error).split())
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
        reason = " ".join(str(error).split()) or type(error).__name__
        return TransientError(f"the connection was cut, or the server failed: {reason}")
    if isinstance(error, UnicodeError):
        return BadInput("the server has file names in another encoding than UTF-8")
    return None


def reply_code(error: Exception) -> str:
    """The three digits that a reply of the server begins with."""
    return str(error)[:3]

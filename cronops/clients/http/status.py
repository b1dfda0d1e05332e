"""What a status means to whoever asked."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from cronops.errors import (
    BadInput,
    ConfigurationError,
    CronopsError,
    PermanentError,
    TransientError,
)

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MEANINGS = {
    400: "it did not understand the request",
    401: "the login is missing or wrong: check the credential",
    403: "the login may not do this: check the credential and its rights there",
    404: "there is nothing at this address",
    405: "it does not allow this method at this address",
    407: "a proxy asks for a login",
    408: "it waited too long for the request",
    410: "it is gone for good",
    413: "it does not take so much at once",
    429: "it is asked too often",
    500: "it failed",
    502: "it failed behind its gateway",
    503: "it is not available now",
    504: "it was too slow behind its gateway",
}
_BUSY = frozenset({408, 425, 429, 502, 503, 504})


class Unanswered(TransientError):
    """A request without an answer, or with one that says to come again later."""

    def __init__(
        self, text: str, *, not_processed: bool = False, worth_repeating: bool = True
    ) -> None:
        super().__init__(text)
        self.not_processed = not_processed
        """Whether it is sure that the request had no effect."""
        self.worth_repeating = worth_repeating
        """Whether asking again in a moment may help."""
        self.after: float | None = None
        """Seconds to wait, where the server says so."""


def failure(status: int, said: str, headers: Mapping[str, str], where: str) -> CronopsError:
    """The error for an answer that is none; `said` is the beginning of its text."""
    meaning = _MEANINGS.get(status, "it refused" if status < 500 else "it failed")
    text = f"{where} answered {status}: {meaning}" + (f" ({said})" if said else "")
    if status in _BUSY or status >= 500:
        busy = Unanswered(text, not_processed=status == 429, worth_repeating=status in _BUSY)
        busy.after = retry_after(headers.get("retry-after", ""), datetime.now(UTC))
        return busy
    if status in (401, 403, 407):
        return ConfigurationError(text)
    if status in (404, 410):
        return BadInput(text)
    return PermanentError(text)


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait by a `Retry-After` header, a number or a date; None where it says neither."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())

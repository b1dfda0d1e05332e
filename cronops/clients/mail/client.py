"""Sends mails, one after the other, over one connection as long as the server keeps it."""

from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cronops.clients.mail.errors import ConnectionLost
from cronops.clients.mail.mail import Mail
from cronops.clients.patience import Pause, persist, sleep
from cronops.errors import ConfigurationError

if TYPE_CHECKING:
    from cronops.clients.mail.session import MailSession
    from cronops.config import Settings


class MailClient:
    """The mail server of `settings.mail`, for one thread.

    It connects with the first mail, and again where the server has ended the connection between
    two mails. A connection that cannot be made is tried `clients.attempts` times; `pause` sleeps
    between them, and returns False where the run is to stop.
    """

    def __init__(self, settings: "Settings", *, pause: Pause | None = None) -> None:
        self._settings = settings
        self._pause = pause or sleep
        self._session: MailSession | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            self._session.leave()

    def send(self, mail: Mail, *, correlation_id: str = "") -> str:
        """Hand in one mail; what the server said when it took it.

        Surely not taken: `MailRefused` where it never will be as it is; `TransientError` where it
        may be later; of these, `NoMailServer` where there was no connection at all;
        `ConfigurationError` for a login or certificate that is refused, or no host.
        Perhaps taken: `MailUnknown`. No error tells the password, or who is written to.
        """
        from cronops.clients.mail.letter import written

        letter = written(mail, correlation_id)
        known = self._session if self._session is not None and self._session.usable else None
        if known is not None:
            # It may have waited too long for us, or taken as many mails in a row as it wants to.
            with suppress(ConnectionLost):
                return known.hand_in(letter)
        return self._connected().hand_in(letter)

    def _connected(self) -> "MailSession":
        from cronops.clients.mail.session import MailSession

        host = _host(self._settings)

        def connect() -> MailSession:
            session = MailSession(self._settings, host)
            session.open()
            return session

        attempts = self._settings.clients.attempts
        self._session = session = persist(connect, attempts=attempts, pause=self._pause)
        return session


def _host(settings: "Settings") -> str:
    """The host to talk to, where it may be talked to so."""
    host = settings.mail.host
    if not host:
        raise ConfigurationError(
            "no mail server is set; name the one that takes our mail in CRONOPS_MAIL__HOST"
        )
    if settings.mail.security == "plain" and not _is_here(host):
        raise ConfigurationError(
            f"CRONOPS_MAIL__SECURITY=plain would send to {host} in clear, which is refused to "
            "any other machine than this one; use starttls or tls"
        )
    return host


def _is_here(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"

"""One connection to a mail server."""

import re
import smtplib
import ssl
from base64 import b64encode
from contextlib import suppress
from ipaddress import ip_address
from socket import IPPROTO_TCP, SHUT_RDWR, TCP_NODELAY, create_connection, socket
from typing import TYPE_CHECKING

from cronops.clients.credentials import plain
from cronops.clients.mail.errors import ConnectionLost, MailRefused, MailUnknown, NoMailServer
from cronops.clients.mail.letter import Letter
from cronops.clients.patience import watched
from cronops.clients.tls import tls_context, untrusted
from cronops.durations import format_duration
from cronops.errors import ConfigurationError, TransientError

if TYPE_CHECKING:
    from cronops.config import Settings

_CLOSING = 421
_WANTS_LOGIN = 530
_GO_AHEAD = 354
_LONGEST_SHOWN = 300


class MailSession(smtplib.SMTP):
    """A connection, encrypted as the settings say and logged in.

    `usable` turns False where it has ended, or nobody knows what the server is at.
    """

    def __init__(self, settings: "Settings", host: str) -> None:
        self._limits = settings.clients
        self._mail = settings.mail
        self._secret = plain(settings.mail.password)
        self._tls = tls_context(settings) if self._mail.security != "plain" else None
        self._gave_up = False
        self.where = f"mail server {host}:{self._mail.port}"
        self.usable = True
        # Its own default asks name servers who we are.
        super().__init__(local_hostname="localhost")
        self._host = host

    def open(self) -> None:
        """Connect, encrypt and log in. Raises `NoMailServer` or `ConfigurationError`."""
        try:
            with watched(self._limits.total_timeout, self.abort):
                self._greet()
                self._log_in()
        except BaseException as error:
            self.drop()
            if not isinstance(error, OSError | smtplib.SMTPException | UnicodeError):
                raise
            wrong = untrusted(error, self.where)
            if wrong is not None:
                raise wrong from None
            if isinstance(error, UnicodeError):
                # What it could not encode, and would show, may be the password.
                raise ConfigurationError(
                    f"{self.where}: the host name, the login or the password has characters that "
                    "cannot be sent; check CRONOPS_MAIL__HOST, __USERNAME and __PASSWORD"
                ) from None
            raise NoMailServer(f"{self.where}: no connection: {self._reason(error)}") from None

    def abort(self) -> None:
        """Shut the connection down, which wakes who waits on it; closing it would not."""
        self._gave_up = True
        if self.sock is not None:
            with suppress(OSError):
                socket.shutdown(self.sock, SHUT_RDWR)

    def leave(self) -> None:
        """Say good-bye, and end the connection."""
        if self.usable:
            with suppress(Exception), watched(self._limits.connect_timeout, self.abort):
                self.quit()
        self.drop()

    def drop(self) -> None:
        """End the connection without a word."""
        self.usable = False
        with suppress(Exception):
            self.close()

    def hand_in(self, letter: Letter) -> str:
        """Hand in one mail; what the server said. Raises as `MailClient.send` does."""
        with watched(self._limits.total_timeout, self.abort):
            self._announce(letter)
            return self._give(letter)

    def _greet(self) -> None:
        code, text = self.connect(self._host, self._mail.port)
        if code != 220:
            raise NoMailServer(f"{self.where}: it does not want us: {self._said(code, text)}")
        own = self._stream.getsockname()[0]
        # An address is always a name that we may use, and no name server has to be asked for it.
        self.local_hostname = f"[IPv6:{own}]" if ip_address(own).version > 4 else f"[{own}]"
        self.ehlo_or_helo_if_needed()
        if self._mail.security == "starttls":
            self._start_tls()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket:  # noqa: ARG002
        """What `connect` calls; a handshake that drips can be woken, since `sock` is known."""
        limits = self._limits
        self.sock = create_connection((host, port), limits.connect_timeout.total_seconds())
        # The final dot goes by itself, and must not wait for the other end's delayed reply.
        self.sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        if self._mail.security == "tls":
            self._encrypt()
        self._stream.settimeout(limits.read_timeout.total_seconds())
        return self._stream

    def _start_tls(self) -> None:
        if not self.has_extn("starttls"):
            raise ConfigurationError(
                f"{self.where}: it offers no STARTTLS, and nothing is sent in clear; with "
                "CRONOPS_MAIL__SECURITY=tls the port is usually 465"
            )
        code, text = self.docmd("STARTTLS")
        if code != 220:
            raise NoMailServer(f"{self.where}: it refused STARTTLS: {self._said(code, text)}")
        # Whatever came before the encryption is not the server's word.
        if self.file is not None:
            self.file.close()
        self.file = None
        self.ehlo_resp = self.helo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False
        self._encrypt()
        self.ehlo_or_helo_if_needed()

    def _encrypt(self) -> None:
        assert self._tls is not None  # noqa: S101 - only `plain` has none
        self.sock = wrapped = self._tls.wrap_socket(
            self._stream, server_hostname=self._host, do_handshake_on_connect=False
        )
        wrapped.do_handshake()

    def _log_in(self) -> None:
        if self._mail.username is None:
            return
        if not self._secret:
            raise ConfigurationError(
                f"{self.where}: CRONOPS_MAIL__USERNAME is set, CRONOPS_MAIL__PASSWORD is not"
            )
        try:
            self.login(self._mail.username, self._secret)
        except smtplib.SMTPAuthenticationError as error:
            said = self._said(error.smtp_code, error.smtp_error)
            if 400 <= error.smtp_code < 500:
                raise NoMailServer(f"{self.where}: no login now: {said}") from None
            raise ConfigurationError(
                f"{self.where}: it refused the login: {said}; check CRONOPS_MAIL__USERNAME and "
                "CRONOPS_MAIL__PASSWORD"
            ) from None
        except smtplib.SMTPNotSupportedError:
            raise ConfigurationError(
                f"{self.where}: it takes no login, but CRONOPS_MAIL__USERNAME is set"
            ) from None

    def _announce(self, letter: Letter) -> None:
        """All that comes before the mail itself: until here, nothing was handed in."""
        if letter.needs_utf8 and not self.has_extn("smtputf8"):
            raise MailRefused(
                f"{self.where}: it takes no addresses with letters outside ASCII (SMTPUTF8)"
            )
        self.command_encoding = "utf-8" if letter.needs_utf8 else "ascii"
        option = " SMTPUTF8" if letter.needs_utf8 else ""
        try:
            self._ask(letter, "MAIL", f"FROM:<{letter.sender}>{option}", "the sender")
            self._ask(letter, "RCPT", f"TO:<{letter.to}>", "the recipient")
            self._ask(letter, "DATA", "", "the mail")
            self._stream.sendall(letter.content)
        except (OSError, smtplib.SMTPException) as error:
            self.drop()
            raise ConnectionLost(f"{self.where}: {self._reason(error)}") from None

    def _ask(self, letter: Letter, command: str, argument: str, what: str) -> None:
        code, text = self.docmd(command, argument)
        if code == _GO_AHEAD if command == "DATA" else 200 <= code < 300:
            return
        said = f"{self.where}: it refused {what}: {self._said(code, text, letter)}"
        if code == _CLOSING or code < 400:
            self.drop()
            raise ConnectionLost(said)
        self._reset()
        if code == _WANTS_LOGIN:
            raise ConfigurationError(
                f"{said}; it wants a login: CRONOPS_MAIL__USERNAME and CRONOPS_MAIL__PASSWORD"
            )
        raise _refusal(code, said)

    def _give(self, letter: Letter) -> str:
        """The final dot, and the answer to it."""
        try:
            self._stream.sendall(b".\r\n")
            code, text = self.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self.drop()
            raise MailUnknown(
                f"{self.where}: the mail was sent, but no answer came: {self._reason(error)}"
            ) from None
        said = self._said(code, text, letter)
        if 200 <= code < 300:
            return said
        if code == _CLOSING or code < 400:
            self.drop()
        if code < 400:
            raise MailUnknown(f"{self.where}: the answer to the mail was no answer: {said}")
        raise _refusal(code, f"{self.where}: it refused the mail: {said}")

    def _reset(self) -> None:
        """Have the server forget a mail that it refused, for the next one."""
        try:
            code, _ = self.rset()
        except (OSError, smtplib.SMTPException):
            code = -1
        if not 200 <= code < 300:
            self.drop()

    @property
    def _stream(self) -> socket:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        return self.sock

    def _reason(self, error: BaseException) -> str:
        if self._gave_up:
            return (
                f"not done within {format_duration(self._limits.total_timeout)} "
                "(clients.total_timeout)"
            )
        if isinstance(error, smtplib.SMTPServerDisconnected) and error.__context__ is not None:
            error = error.__context__
        if isinstance(error, TimeoutError):
            if self.file is None:
                return (
                    f"nothing within {format_duration(self._limits.connect_timeout)} "
                    "(clients.connect_timeout)"
                )
            return f"silent for {format_duration(self._limits.read_timeout)} (clients.read_timeout)"
        if isinstance(error, ssl.SSLError):
            return f"TLS failed: {error.reason or error}"
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        if isinstance(error, smtplib.SMTPResponseException):
            return self._said(error.smtp_code, error.smtp_error)
        return self._shown(str(error))

    def _said(self, code: int, text: bytes | str, letter: Letter | None = None) -> str:
        """A reply as it may be shown: on one line, without the password and who is written to."""
        words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        if letter is not None:
            words = re.sub(re.escape(letter.to), "…", words, flags=re.IGNORECASE)
        return self._shown(f"{code} {words}")

    def _shown(self, text: str) -> str:
        for secret in self._secrets():
            text = text.replace(secret, "***")
        line = " ".join(text.split())
        return line if len(line) <= _LONGEST_SHOWN else line[:_LONGEST_SHOWN] + " …"

    def _secrets(self) -> tuple[str, ...]:
        """The password, and how it goes over the line."""
        if not self._secret:
            return ()
        user = self._mail.username or ""
        together = f"\0{user}\0{self._secret}"
        encoded = (b64encode(part.encode()).decode() for part in (self._secret, together))
        return (*encoded, self._secret)


def _refusal(code: int, said: str) -> MailRefused | TransientError:
    return MailRefused(said) if code >= 500 else TransientError(said)

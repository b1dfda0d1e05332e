"""A mail server: encrypted, with a login, and how it misbehaves."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.partners.tls import HOSTS, identity

USER, PASSWORD = "cronops", "pass word"
AT_MAIL, AT_RCPT, AT_DATA, AFTER_DATA = "MAIL", "RCPT", "DATA", "after DATA"


@dataclass
class Mood:
    """What the server does, changeable while it runs."""

    answers: dict[str, str] = field(default_factory=dict)
    """By point (MAIL, RCPT, DATA, after DATA): a reply in place of its own; ``cut`` ends the
    connection there, ``hang`` says nothing for a minute. After DATA it has taken the mail."""
    to: str = ""
    """Only of mails to whom this is part of the address; all, where it is empty."""
    times: int = 1_000_000
    most_a_connection: int = 1_000_000
    """After so many mails it says 421."""

    def strikes(self, point: str, recipient: str = "") -> str:
        """The answer at `point`, or nothing where it behaves."""
        told = self.answers.get(point, "")
        if not told or self.times <= 0 or (self.to and self.to not in recipient):
            return ""
        self.times -= 1
        return told


@dataclass
class MailServer:
    """A running server, and what it has taken."""

    port: int
    security: str
    ca_file: Path | None
    mood: Mood
    envelopes: list[Envelope] = field(default_factory=list)
    connections: int = 0
    logins: int = 0

    @property
    def mails(self) -> list[EmailMessage]:
        """The mails it has taken, in order."""
        return [
            message_from_bytes(one.content or b"", policy=policy.default)  # type: ignore[arg-type, misc]
            for one in self.envelopes
        ]

    @property
    def recipients(self) -> list[str]:
        """To whom they went."""
        return [one.rcpt_tos[0] for one in self.envelopes]

    @property
    def settings(self) -> dict[str, Any]:
        """`settings.mail` for this server."""
        login = {"username": USER, "password": PASSWORD} if self.ca_file else {}
        return {"host": "localhost", "port": self.port, "security": self.security, **login}

    @property
    def environment(self) -> dict[str, str]:
        """The same for a process of its own, with the authority that signed its certificate."""
        named = {f"CRONOPS_MAIL__{key.upper()}": str(value) for key, value in self.settings.items()}
        if self.ca_file:
            named["CRONOPS_CLIENTS__CA_FILE"] = str(self.ca_file)
        return named


class _Server(SMTP):
    """Takes notice of connections, and may end one while a mail is on its way."""

    state: MailServer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # With STARTTLS it is called again for the same connection, once that is encrypted.
        encrypted = transport.get_extra_info("ssl_object") is not None
        if encrypted == (self.state.security == "tls"):
            self.state.connections += 1
        super().connection_made(transport)  # type: ignore[arg-type]

    async def smtp_DATA(self, arg: str) -> None:
        recipient = self.envelope.rcpt_tos[0] if self.envelope.rcpt_tos else ""
        told = self.state.mood.strikes(AT_DATA, recipient)
        if told == "cut":
            await self.push("354 go on")
            self.transport.abort()  # type: ignore[union-attr]
        elif told:
            await self.push(told)
        else:
            await super().smtp_DATA(arg)


class _Handler:
    def __init__(self, state: MailServer) -> None:
        self._state = state
        self._of_session: dict[int, int] = {}

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        taken = self._of_session.get(id(session), 0)
        if taken >= self._state.mood.most_a_connection:
            asyncio.get_running_loop().call_later(0.01, server.transport.close)  # type: ignore[union-attr]
            return "421 too many mails"
        told = await self._told(server, AT_MAIL, "")
        if told:
            return told
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        told = await self._told(server, AT_RCPT, address)
        if told:
            return told
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        told = self._state.mood.answers.get(AFTER_DATA, "")
        if told[:1] not in ("4", "5"):
            self._state.envelopes.append(envelope)
            self._of_session[id(session)] = self._of_session.get(id(session), 0) + 1
        said = await self._told(server, AFTER_DATA, envelope.rcpt_tos[0])
        return said or f"250 taken as {len(self._state.envelopes)}"

    async def _told(self, server: SMTP, point: str, recipient: str) -> str:
        told = self._state.mood.strikes(point, recipient)
        if told == "cut":
            server.transport.abort()  # type: ignore[union-attr]
            return "421 cut"
        if told == "hang":
            await asyncio.sleep(60)
        return told


class _Controller(Controller):
    def __init__(self, state: MailServer, encryption: ssl.SSLContext | None) -> None:
        self._state = state
        self._starttls = encryption if state.security == "starttls" else None
        super().__init__(
            _Handler(state),
            hostname="127.0.0.1",
            port=0,
            ssl_context=encryption if state.security == "tls" else None,
        )

    def factory(self) -> SMTP:
        state = self._state
        made = _Server(
            self.handler,
            hostname="mail.test",
            enable_SMTPUTF8=True,
            tls_context=self._starttls,
            require_starttls=self._starttls is not None,
            authenticator=self._login,
            # With TLS from the start, it does not see that there is some.
            auth_required=self._starttls is not None,
            auth_require_tls=self._starttls is not None,
            timeout=30,
        )
        made.state = state
        return made

    def _login(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        self._state.logins += known
        return AuthResult(success=known, handled=False)

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(
    security: str = "starttls", *, hosts: tuple[str, ...] = HOSTS, mood: Mood | None = None
) -> Iterator[MailServer]:
    """A server on this machine; with STARTTLS it takes nothing without a login."""
    with ExitStack() as stack:
        proof = stack.enter_context(identity(hosts)) if security != "plain" else None
        state = MailServer(0, security, proof.ca_file if proof else None, mood or Mood())
        controller = _Controller(state, proof.context() if proof else None)
        controller.start()
        stack.callback(controller.stop, no_assert=True)
        # It has tried itself whether it answers.
        state.port, state.connections = controller.port, 0
        yield state

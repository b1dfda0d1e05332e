"""Handing in mail at a real server, and each way in which that can go wrong."""

import time
from typing import Any

import pytest

from cronops.clients.mail import Mail, MailClient, MailRefused, MailUnknown, NoMailServer
from cronops.config import Settings
from cronops.errors import ConfigurationError, TransientError
from tests.partners import MailServer, Mood, mail_server
from tests.partners.settings import QUICK
from tests.partners.smtp import AFTER_DATA, AT_DATA, AT_MAIL, AT_RCPT, PASSWORD


def settings_for(server: MailServer, clients: Any = None, **mail: Any) -> Settings:
    known = {**QUICK, **(clients or {})}
    if server.ca_file and "ca_file" not in known:
        known["ca_file"] = server.ca_file
    return Settings(mail={**server.settings, **mail}, clients=known)


def mail_to(to: str = "anna@example.org", **fields: Any) -> Mail:
    given: dict[str, Any] = {
        "sender": "Räder & Reifen <shop@example.org>",
        "to": to,
        "subject": "Ihre Lizenz läuft ab",
        "text": "Grüße\n.\nvom Laden",
        "html": "<p>Grüße</p>",
        "message_id": "<one.14@example.org>",
    }
    return Mail(**{**given, **fields})


@pytest.mark.parametrize("security", ["starttls", "tls", "plain"])
def test_many_mails_go_over_one_connection_and_arrive_as_they_were(security):
    with mail_server(security) as server:
        with MailClient(settings_for(server)) as mailer:
            for number in range(3):
                headers = {"List-Unsubscribe": f"<https://example.org/{'u' * 200}/{number}>"}
                said = mailer.send(
                    mail_to(headers=headers, message_id=f"<{number}@x.org>"), correlation_id="c 1"
                )
                assert said == f"250 taken as {number + 1}"
        assert server.connections == 1
        assert server.logins == (0 if security == "plain" else 1)
    first = server.mails[0]
    assert first["From"] == "Räder & Reifen <shop@example.org>"
    assert first["To"] == "anna@example.org"
    assert first["Subject"] == "Ihre Lizenz läuft ab"
    assert first["Message-ID"] == "<0@x.org>"
    assert first["X-Correlation-ID"] == "c%201"
    assert first["List-Unsubscribe"] == f"<https://example.org/{'u' * 200}/0>"
    plain, html = first.iter_parts()
    # A dot alone on its line would end the mail, and let the rest be commands.
    assert plain.get_content().splitlines() == ["Grüße", ".", "vom Laden"]
    assert html.get_content().strip() == "<p>Grüße</p>"
    raw = server.envelopes[0].content
    assert isinstance(raw, bytes)
    assert raw.isascii()


@pytest.mark.parametrize("point", [AT_MAIL, AT_RCPT, AT_DATA])
@pytest.mark.parametrize(
    ("answer", "error"), [("550 not this one", MailRefused), ("451 later", TransientError)]
)
def test_what_is_refused_was_not_taken_and_the_next_one_goes(point, answer, error):
    mood = Mood({point: answer}, times=1)
    with mail_server(mood=mood) as server, MailClient(settings_for(server)) as mailer:
        with pytest.raises(error, match=answer) as raised:
            mailer.send(mail_to())
        assert type(raised.value) is error
        mailer.send(mail_to("second@example.org"))
        assert server.recipients == ["second@example.org"]
        assert server.connections == 1


@pytest.mark.parametrize(
    ("answer", "error"), [("554 spam", MailRefused), ("452 disk full", TransientError)]
)
def test_a_refusal_after_the_final_dot_is_an_answer(answer, error):
    mood = Mood({AFTER_DATA: answer}, times=1)
    with mail_server(mood=mood) as server, MailClient(settings_for(server)) as mailer:
        with pytest.raises(error, match="refused the mail"):
            mailer.send(mail_to())
        assert server.envelopes == []


@pytest.mark.parametrize("answer", ["cut", "hang"])
def test_no_answer_after_the_final_dot_is_unknown_and_not_sent_again(answer):
    mood = Mood({AFTER_DATA: answer}, times=1)
    with mail_server(mood=mood) as server:
        settings = settings_for(server, {"read_timeout": "1s"})
        with MailClient(settings) as mailer:
            with pytest.raises(MailUnknown, match="no answer came"):
                mailer.send(mail_to())
            mailer.send(mail_to("second@example.org"))
        assert server.recipients == ["anna@example.org", "second@example.org"]
        assert server.connections == 2


def test_a_connection_lost_before_the_final_dot_has_taken_nothing():
    mood = Mood({AT_DATA: "cut"}, times=1)
    with mail_server(mood=mood) as server, MailClient(settings_for(server)) as mailer:
        with pytest.raises(TransientError):
            mailer.send(mail_to(text="x" * 5_000_000))
        assert server.envelopes == []


def test_a_server_that_takes_so_many_mails_a_connection_gets_another_one():
    with mail_server(mood=Mood(most_a_connection=2)) as server:
        with MailClient(settings_for(server)) as mailer:
            for number in range(5):
                mailer.send(mail_to(f"{number}@example.org"))
        assert server.recipients == [f"{number}@example.org" for number in range(5)]
        assert server.connections == 3


def test_the_whole_of_one_mail_is_bounded():
    mood = Mood({AT_RCPT: "hang"}, times=1)
    with mail_server(mood=mood) as server:
        settings = settings_for(server, {"total_timeout": "1s"})
        began = time.monotonic()
        with MailClient(settings) as mailer, pytest.raises(TransientError, match="total_timeout"):
            mailer.send(mail_to())
        assert time.monotonic() - began < 30


def test_a_login_that_is_refused_is_a_matter_of_configuration_and_shows_no_password():
    with mail_server() as server:
        settings = settings_for(server, password="not the password")
        with (
            MailClient(settings) as mailer,
            pytest.raises(ConfigurationError, match="refused the login") as raised,
        ):
            mailer.send(mail_to())
        assert "not the password" not in str(raised.value)
        assert server.envelopes == []


def test_a_certificate_must_be_trusted_and_its_own():
    with mail_server(hosts=("mail.example.org",)) as server:
        for clients in ({}, {"ca_file": None}):
            with (
                MailClient(settings_for(server, clients)) as mailer,
                pytest.raises(ConfigurationError, match="not trusted"),
            ):
                mailer.send(mail_to())
        assert server.logins == 0


def test_nothing_is_sent_in_clear_to_a_server_without_starttls():
    with mail_server("plain") as server:
        settings = settings_for(server, security="starttls", username="me", password=PASSWORD)
        with (
            MailClient(settings) as mailer,
            pytest.raises(ConfigurationError, match="offers no STARTTLS"),
        ):
            mailer.send(mail_to())
        with (
            MailClient(Settings(mail={"host": "example.org", "security": "plain"})) as mailer,
            pytest.raises(ConfigurationError, match="in clear, which is refused"),
        ):
            mailer.send(mail_to())


def test_no_server_at_all():
    with mail_server("plain") as server:
        pass
    with (
        MailClient(settings_for(server)) as mailer,
        pytest.raises(NoMailServer, match="no connection: Connection refused"),
    ):
        mailer.send(mail_to())
    with (
        MailClient(Settings()) as mailer,
        pytest.raises(ConfigurationError, match="CRONOPS_MAIL__HOST"),
    ):
        mailer.send(mail_to())


@pytest.mark.parametrize(
    "fields",
    [
        {"to": "anna@example.org\r\nBcc: all@example.org"},
        {"to": "anna@example.org>\r\nRCPT TO:<eve@example.org"},
        {"to": "anna"},
        {"to": ""},
        {"to": "anna@exa mple.org"},
        {"to": "a@b@example.org,eve@example.org"},
        {"sender": "Shop\nX: y <shop@example.org>"},
        {"subject": "Hello\nBcc: all@example.org"},
        {"subject": "Hello\u2028there"},
        {"message_id": "one"},
        {"message_id": "<a@b>\r\nX: y"},
        {"headers": {"X-A": "b\r\nBcc: all@example.org"}},
        {"headers": {"Bcc": "all@example.org"}},
        {"headers": {"X A": "b"}},
        {"text": "half a letter \ud800"},
    ],
)
def test_what_cannot_be_a_mail_never_reaches_the_server(fields):
    with mail_server("plain") as server:
        with MailClient(settings_for(server)) as mailer, pytest.raises(MailRefused) as raised:
            mailer.send(mail_to(**fields))
        assert "eve" not in str(raised.value)
        assert server.connections == 0


def test_letters_outside_ascii_in_an_address():
    with mail_server("plain") as server:
        with MailClient(settings_for(server)) as mailer:
            mailer.send(mail_to("jürgen@räder.example"))
            mailer.send(mail_to("Anna Räder <anna@räder.example>"))
        assert server.recipients == ["jürgen@xn--rder-loa.example", "anna@xn--rder-loa.example"]


def test_who_is_written_to_is_in_no_error():
    mood = Mood({AT_RCPT: "550 <anna@example.org> is unknown here"})
    with mail_server(mood=mood) as server, MailClient(settings_for(server)) as mailer:
        with pytest.raises(MailRefused) as raised:
            mailer.send(mail_to())
        assert "anna" not in str(raised.value)
        assert "is unknown here" in str(raised.value)

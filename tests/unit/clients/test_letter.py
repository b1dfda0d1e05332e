"""A mail as it goes over the line: nothing in it becomes a header that nobody wrote."""

from email import message_from_bytes, policy

import pytest

from cronops.clients.mail.errors import MailRefused
from cronops.clients.mail.letter import written
from cronops.clients.mail.mail import Mail

ENCODED = "=?utf-8?q?a=0D=0ABcc:_all@shop.example?="


def mail(subject: str = "Hello", sender: str = "a@shop.example", to: str = "b@example.org") -> Mail:
    return Mail(sender, to, subject, "Text", None, "<1@shop.example>")


@pytest.mark.parametrize("subject", [f"Dear {ENCODED}, hello", "=?", f"Räder {ENCODED * 20}"])
def test_a_subject_that_looks_encoded_arrives_as_it_is(subject):
    read = message_from_bytes(written(mail(subject), "c").content, policy=policy.default)
    assert read["Subject"] == subject
    assert read["Bcc"] is None
    assert read.get_content().strip() == "Text"


def test_no_address_is_decoded_into_another():
    for facts in ({"sender": f"{ENCODED} <a@shop.example>"}, {"to": "=?utf-8?q?c?=@example.org"}):
        with pytest.raises(MailRefused, match="encoded text"):
            written(mail(**facts), "c")
